internal import JSON
package import KubeObjects
package import KubeStore
package import Linux

/// Puts the certificate of the API server's authority into every namespace, where pods get it from
/// (root-ca-certificate-publisher-controller).
package struct RootCertificatePublisher: Controller {
    package let name = "root-ca-certificate-publisher-controller"
    package let resources: [Resource] = [.namespaces, .configMaps]
    private let certificate: String

    package static let configMap = "kube-root-ca.crt"
    private static let description = (
        "kubernetes.io/description",
        "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
            + "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of "
            + "Kubernetes clusters."
    )

    /// - Parameter certificate: in PEM.
    package init(certificate: String) { self.certificate = certificate }

    package func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
        if change.resource == .namespaces { return [change.key] }
        guard change.key.name == Self.configMap, let namespace = change.key.namespace else { return [] }
        return [Resource.namespaces.key(namespace)]
    }

    package func decide(_ key: ObjectKey, in view: any ObjectView, now: Timestamp) -> Decision {
        guard ActiveNamespaces.contain(key.name, in: view) else { return Decision() }
        let data: JSONValue = ["ca.crt": .string(certificate)]
        guard var map = view.get(.configMaps, namespace: key.name, Self.configMap).map(KubeObject.init) else {
            var map = KubeObject(json: ["apiVersion": "v1", "kind": "ConfigMap"])
            map.metadata.name = Self.configMap
            map.metadata.namespace = key.name
            map.metadata.annotations = [Self.description.0: Self.description.1]
            map.json["data"] = data
            return Decision([.create(.configMaps, map)])
        }
        guard !map.isBeingDeleted, map.json["data"] != data else { return Decision() }
        map.json["data"] = data
        return Decision([.update(.configMaps, map)])
    }
}

/// Namespaces in which things can be made.
enum ActiveNamespaces {
    static func contain(_ name: String, in view: any ObjectView) -> Bool {
        guard let namespace = view.get(.namespaces, namespace: nil, name)?.value else { return false }
        return namespace["metadata", "deletionTimestamp"] == nil && namespace["status", "phase"] != "Terminating"
    }

    /// Without what would be made in a namespace that is being deleted, where the server lets nothing be made.
    static func possible(
        _ actions: [ObjectAction], in namespace: String?, _ view: any ObjectView
    ) -> [ObjectAction] {
        guard let namespace, let object = view.get(.namespaces, namespace: nil, namespace),
            object.value["metadata", "deletionTimestamp"] != nil
        else { return actions }
        return actions.filter { if case .create = $0 { false } else { true } }
    }
}
