import JSON
import KubeObjects
import KubeSchema

extension APIServer {
    /// Questions about identity and access: kinds that are only created.
    /// - Returns: the question with its answer as status.
    func review(_ call: Call, _ question: JSONValue) async throws(APIFailure) -> JSONValue {
        var answer = question
        if answer["metadata"] == nil { answer["metadata"] = [:] }
        switch call.kind.id.kind {
        case "SelfSubjectReview": answer["status"] = ["userInfo": Self.json(call.user)]
        case "SelfSubjectAccessReview": answer["status"] = try accessReview(question, call.user, call)
        case "SubjectAccessReview", "LocalSubjectAccessReview":
            let spec = question["spec"] ?? [:]
            var user = UserInfo(name: spec["user"]?.string ?? "")
            user.uid = spec["uid"]?.string
            user.groups = (spec["groups"]?.array ?? []).compactMap(\.string)
            guard !user.name.isEmpty || !user.groups.isEmpty else {
                throw Self.invalid(call, ["spec", "user"], "at least one of user or group must be specified")
            }
            answer["status"] = try accessReview(question, user, call)
        case "SelfSubjectRulesReview": answer["status"] = try rulesReview(question, call)
        case "TokenReview": answer["status"] = try await tokenReview(question, call)
        default: throw Self.noSuchMethod
        }
        return answer
    }

    static func json(_ user: UserInfo) -> JSONValue {
        var json: JSONValue = ["username": .string(user.name)]
        if let uid = user.uid, !uid.isEmpty { json["uid"] = .string(uid) }
        if !user.groups.isEmpty { json["groups"] = .array(user.groups.map { .string($0) }) }
        for (key, values) in user.extra.sorted(by: { $0.key < $1.key }) {
            json["extra", key] = .array(values.map { .string($0) })
        }
        return json
    }

    private static func invalid(
        _ call: Call, _ path: [String], _ detail: String, _ reason: Cause.Reason = .required
    ) -> APIFailure {
        let place = path.reduce(FieldPath.root) { $0.child($1) }
        return .invalid(
            InvalidObject(
                kind: call.kind.id, name: "",
                causes: [Cause(reason: reason, path: place, value: "", detail: detail)]))
    }

    private func accessReview(_ question: JSONValue, _ user: UserInfo, _ call: Call) throws(APIFailure) -> JSONValue {
        let spec = question["spec"] ?? [:]
        let (resource, path) = (spec["resourceAttributes"], spec["nonResourceAttributes"])
        guard resource == nil || path == nil else {
            throw Self.invalid(
                call, ["spec", "nonResourceAttributes"],
                "cannot be specified in combination with resourceAttributes", .invalid)
        }
        let wanted: AccessAttributes
        if let resource {
            func text(_ name: String) -> String? { resource[name]?.string.flatMap { $0.isEmpty ? nil : $0 } }
            if let namespace = call.namespace, text("namespace") != namespace {
                throw Self.invalid(
                    call, ["spec", "resourceAttributes", "namespace"],
                    "must match metadata.namespace", .invalid)
            }
            wanted = AccessAttributes(
                verb: text("verb") ?? "",
                .resource(
                    .init(
                        group: text("group") ?? "", plural: text("resource") ?? "", subresource: text("subresource"),
                        name: text("name"), namespace: text("namespace"))))
        } else if let path {
            wanted = AccessAttributes(verb: path["verb"]?.string ?? "", .path(path["path"]?.string ?? ""))
        } else {
            throw Self.invalid(
                call, ["spec", "resourceAttributes"],
                "exactly one of nonResourceAttributes or resourceAttributes must be specified")
        }
        guard let reason = access.policy.allows(user, wanted) else { return ["allowed": false] }
        var status: JSONValue = ["allowed": true]
        if !reason.isEmpty { status["reason"] = .string(reason) }
        return status
    }

    private func rulesReview(_ question: JSONValue, _ call: Call) throws(APIFailure) -> JSONValue {
        let namespace = question["spec", "namespace"]?.string ?? ""
        guard !namespace.isEmpty else { throw .badRequest("no namespace on request") }
        let rules = access.policy.rules(for: call.user, namespace: namespace)
        return [
            "resourceRules": .array(rules.filter { !$0.resources.isEmpty }.map(\.json)),
            "nonResourceRules": .array(rules.filter { !$0.paths.isEmpty }.map(\.json)), "incomplete": false,
        ]
    }

    private func tokenReview(_ question: JSONValue, _ call: Call) async throws(APIFailure) -> JSONValue {
        let token = question["spec", "token"]?.string ?? ""
        guard !token.isEmpty else { throw .badRequest("token is required for TokenReview in authentication") }
        let audiences = (question["spec", "audiences"]?.array ?? []).compactMap(\.string)
        switch try await tokens.review(token, audiences: audiences) {
        case .user(let user, let audiences):
            return [
                "authenticated": true, "user": Self.json(user), "audiences": .array(audiences.map { .string($0) }),
            ]
        case .refused(let why): return why.isEmpty ? [:] : ["error": .string(why)]
        }
    }
}
