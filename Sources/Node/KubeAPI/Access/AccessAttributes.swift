import JSON
import KubeObjects

/// What somebody wants to do, as rules of access name it (authorizer.Attributes).
struct AccessAttributes: Hashable, Sendable {
    /// A resource of the API, or something below its objects.
    struct Target: Hashable, Sendable {
        var group: String
        var plural: String
        var subresource: String?
        /// nil when no single object is meant.
        var name: String?
        /// nil for the whole cluster.
        var namespace: String?

        /// "pods", "pods/log"
        var resource: String { subresource.map { "\(plural)/\($0)" } ?? plural }
    }

    enum Subject: Hashable, Sendable {
        case resource(Target)
        /// A path that is no resource's.
        case path(String)
    }

    var verb: String
    var subject: Subject

    init(verb: String, _ subject: Subject) {
        self.verb = verb
        self.subject = subject
    }

    init(_ info: RequestInfo, onlyName: String? = nil) {
        verb = info.verb
        guard let target = info.target else {
            subject = .path(info.path)
            return
        }
        subject = .resource(
            Target(
                group: target.group, plural: target.plural, subresource: target.subresource,
                name: target.name ?? onlyName, namespace: target.namespace))
    }

    /// `User "x" cannot list resource "pods" in API group "" in the namespace "default"`
    func refusal(_ user: UserInfo) -> String {
        switch subject {
        case .path(let path): return "User \(user.name.goQuoted) cannot \(verb) path \(path.goQuoted)"
        case .resource(let target):
            let place = target.namespace.map { "in the namespace \($0.goQuoted)" } ?? "at the cluster scope"
            return "User \(user.name.goQuoted) cannot \(verb) resource \(target.resource.goQuoted) in API group "
                + "\(target.group.goQuoted) \(place)"
        }
    }

    /// The failure that says so.
    func forbidden(_ user: UserInfo) -> APIFailure {
        switch subject {
        case .path: return APIFailure(403, "Forbidden", "forbidden: " + refusal(user), details: [:])
        case .resource(let target):
            let resource = Resource(
                group: target.group, version: "", plural: target.plural, kind: "", isNamespaced: true)
            return .forbidden(resource, target.name ?? "", refusal(user))
        }
    }
}
