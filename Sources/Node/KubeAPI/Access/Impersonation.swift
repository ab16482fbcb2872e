import KubeObjects

/// Somebody who asks in the name of another (`WithImpersonation` of k8s.io/apiserver). Pure.
///
/// Invariant: every part of the other identity is one that the asker may impersonate.
/// (test: `who may impersonate some is not everybody`)
struct Impersonation: Hashable, Sendable {
    private(set) var user: UserInfo
    /// What the asker must be allowed to do.
    private(set) var needed: [AccessAttributes] = []

    private static let prefix = "impersonate-extra-"
    private static let accountPrefix = "system:serviceaccount:"

    /// nil when the headers name nobody.
    init?(_ headers: [String: String]) throws(APIFailure) {
        let name = headers["impersonate-user"] ?? ""
        let groups = Self.list(headers["impersonate-group"])
        let uid = headers["impersonate-uid"] ?? ""
        let extra = headers.filter { $0.key.hasPrefix(Self.prefix) }
        guard !name.isEmpty else {
            guard groups.isEmpty, uid.isEmpty, extra.isEmpty else {
                throw .internalError(
                    "requested [{Group  \(groups.joined(separator: " "))}] without impersonating a user name")
            }
            return nil
        }
        user = UserInfo(name: name, groups: groups)
        if let account = Self.account(name) {
            need("", "serviceaccounts", account.name, namespace: account.namespace)
            if groups.isEmpty {
                user.groups = ["system:serviceaccounts", "system:serviceaccounts:\(account.namespace)"]
            }
        } else {
            need("", "users", name)
        }
        for group in groups { need("", "groups", group) }
        if !uid.isEmpty {
            user.uid = uid
            need("authentication.k8s.io", "uids", uid)
        }
        for (header, value) in extra.sorted(by: { $0.key < $1.key }) {
            let key = PercentText.decoded(String(header.dropFirst(Self.prefix.utf8.count)))
            user.extra[key] = Self.list(value)
            for value in Self.list(value) { need("authentication.k8s.io", "userextras", value, subresource: key) }
        }
        let everybody = name == UserInfo.anonymous.name ? "system:unauthenticated" : "system:authenticated"
        if !user.groups.contains(everybody) { user.groups.append(everybody) }
    }

    private mutating func need(
        _ group: String, _ plural: String, _ name: String, subresource: String? = nil, namespace: String? = nil
    ) {
        needed.append(
            AccessAttributes(
                verb: "impersonate",
                .resource(
                    .init(group: group, plural: plural, subresource: subresource, name: name, namespace: namespace))))
    }

    /// The door puts the values of a header that comes several times behind one another.
    private static func list(_ header: String?) -> [String] {
        (header ?? "").split(separator: ",").map { part in
            String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }.filter { !$0.isEmpty }
    }

    private static func account(_ name: String) -> (namespace: String, name: String)? {
        guard name.hasPrefix(accountPrefix) else { return nil }
        let parts = name.dropFirst(accountPrefix.utf8.count).split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        return (String(parts[0]), String(parts[1]))
    }
}
