import JSON
package import KubeObjects
package import KubeStore
package import Linux

/// A token that does not expire, for a secret of type kubernetes.io/service-account-token.
package struct SecretToken: Hashable, Sendable {
    package var namespace: String
    package var account: String
    package var accountUID: String
    package var secret: String
}

/// Fills the secrets in which service accounts have lasting tokens, and removes those whose account has gone
/// (serviceaccount-token-controller). Nobody makes such secrets but users.
package struct TokenSecretController: Controller {
    package let name = "serviceaccount-token-controller"
    package let resources: [Resource] = [.secrets, .serviceAccounts]
    private let certificate: String
    private let issue: @Sendable (SecretToken) -> String

    static let type = "kubernetes.io/service-account-token"
    static let accountName = "kubernetes.io/service-account.name"
    static let accountUID = "kubernetes.io/service-account.uid"

    /// - Parameters:
    ///   - certificate: the API server's authority in PEM.
    ///   - issue: signs a token.
    package init(certificate: String, issue: @escaping @Sendable (SecretToken) -> String) {
        self.certificate = certificate
        self.issue = issue
    }

    package func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
        if change.resource == .secrets { return change.new.map { [$0.key] } ?? [] }
        guard change.old == nil || change.new == nil else { return [] }
        return view.objects(.secrets, namespace: change.key.namespace).filter { secret in
            secret.value["type"]?.string == Self.type
                && secret.value["metadata", "annotations", Self.accountName]?.string == change.key.name
        }.map(\.key)
    }

    package func decide(_ key: ObjectKey, in view: any ObjectView, now: Timestamp) -> Decision {
        guard let stored = view.get(.secrets, namespace: key.namespace, key.name),
            stored.value["type"]?.string == Self.type, let namespace = key.namespace
        else { return Decision() }
        var secret = KubeObject(stored)
        let notes = secret.metadata.annotations
        guard !secret.isBeingDeleted, let account = notes[Self.accountName], !account.isEmpty else {
            return Decision()
        }
        let uid = view.get(.serviceAccounts, namespace: namespace, account)?.uid
        guard let uid, notes[Self.accountUID].map({ $0.isEmpty || $0 == uid }) ?? true else {
            let options = DeletionOptions(uid: secret.uid)
            return Decision([.delete(.secrets, namespace: namespace, name: key.name, options)])
        }
        let token = SecretToken(namespace: namespace, account: account, accountUID: uid, secret: key.name)
        fill(&secret, token)
        return Decision(secret == KubeObject(stored) ? [] : [.update(.secrets, secret)])
    }

    private func fill(_ secret: inout KubeObject, _ token: SecretToken) {
        if secret.metadata.annotations[Self.accountUID] != token.accountUID {
            secret.metadata.annotations[Self.accountUID] = token.accountUID
        }
        var data = secret.json["data"] ?? [:]
        data["ca.crt"] = .string(Base64.text(Array(certificate.utf8)))
        data["namespace"] = .string(Base64.text(Array(token.namespace.utf8)))
        if data["token"]?.string?.isEmpty ?? true {
            data["token"] = .string(Base64.text(Array(issue(token).utf8)))
        }
        if secret.json["data"] != data { secret.json["data"] = data }
    }
}
