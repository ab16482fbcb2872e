/// A kubeconfig for this node's Kubernetes API: `kubernetes.config`.
///
/// Whoever may open the node's socket administers the node, and so may be anybody there.
package struct MakeKubeconfig: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = KubeconfigText
    package static let operation = NodeOperation.makeKubeconfig

    /// The name that the certificate says.
    package var user: String
    package var groups: [String]
    /// How long the certificate is valid.
    package var seconds: Int
    /// Where the API is reached, when that is not where the node says; nil: there.
    package var server: String?

    package init(user: String, groups: [String], seconds: Int, server: String? = nil) {
        self.user = user
        self.groups = groups
        self.seconds = seconds
        self.server = server
    }
}

package struct KubeconfigText: NodeValue {
    /// YAML.
    package var text: String

    package init(text: String) { self.text = text }
}
