internal import JSON

/// A file that kubectl and other clients know a cluster and a user by: `forkless kubeconfig > ~/.kube/config`, or any
/// file that KUBECONFIG names. It is printed, and nothing is merged into what somebody has already.
package struct Kubeconfig: Hashable, Sendable {
    package enum Credential: Hashable, Sendable {
        case certificate(PEMPair)
        case token(String)
    }

    /// "https://127.0.0.1:6443"
    package var server: String
    /// PEM.
    package var authorityCertificate: String
    package var user: String
    package var credential: Credential
    /// What the cluster is called, and its context.
    package var cluster: String
    /// nil: "default".
    package var namespace: String?

    package init(
        server: String, authorityCertificate: String, user: String, credential: Credential,
        cluster: String = "forkless",
        namespace: String? = nil
    ) {
        self.server = server
        self.authorityCertificate = authorityCertificate
        self.user = user
        self.credential = credential
        self.cluster = cluster
        self.namespace = namespace
    }

    /// YAML. Texts are quoted as in JSON, which is YAML too.
    package var text: String {
        let context = namespace.map { "\n    namespace: \(quoted($0))" } ?? ""
        let secret =
            switch credential {
            case .certificate(let pair):
                "client-certificate-data: \(data(pair.certificate))\n    client-key-data: \(data(pair.key))"
            case .token(let token): "token: \(quoted(token))"
            }
        return """
            apiVersion: v1
            kind: Config
            clusters:
            - name: \(quoted(cluster))
              cluster:
                server: \(quoted(server))
                certificate-authority-data: \(data(authorityCertificate))
            users:
            - name: \(quoted(user))
              user:
                \(secret)
            contexts:
            - name: \(quoted(cluster))
              context:
                cluster: \(quoted(cluster))
                user: \(quoted(user))\(context)
            current-context: \(quoted(cluster))

            """
    }

    private func quoted(_ text: String) -> String { JSONWriter.text(.string(text)) }
    private func data(_ text: String) -> String { Base64.text(Array(text.utf8)) }
}

extension NodeAuthority {
    /// A user's kubeconfig, with a certificate made for it.
    ///
    /// - Parameters:
    ///   - server: "https://127.0.0.1:6443": one of the names that the door's certificate has.
    ///   - groups: `UserInfo.masters` for somebody who may do everything.
    ///   - life: of the certificate, seconds.
    package func kubeconfig(
        server: String, user: String, groups: [String], cluster: String = "forkless", namespace: String? = nil,
        life: Int64 = 365 * 86_400
    ) throws(AuthorityFailure) -> Kubeconfig {
        Kubeconfig(
            server: server, authorityCertificate: authorityCertificate, user: user,
            credential: .certificate(try clientCertificate(user: user, groups: groups, life: life)), cluster: cluster,
            namespace: namespace)
    }
}
