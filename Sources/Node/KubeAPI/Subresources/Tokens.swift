import JSON
package import KubeObjects
import KubeSchema
import KubeViews

/// Issues the tokens of service accounts and knows whose a token is.
package protocol TokenIssuer: Sendable {
    /// - Parameters:
    ///   - account: is there, and the caller may speak for it.
    ///   - audiences: empty for the API's own.
    ///   - seconds: how long it is wanted for; nil for an hour.
    ///   - object: whose end ends the token.
    /// - Throws: 422 for a life that is too short or too long.
    func issue(
        for account: KubeObject, audiences: [String], seconds: Int64?, boundTo object: BoundObject?
    ) async throws(APIFailure) -> IssuedToken

    /// - Parameter audiences: who asks; empty for the API.
    func review(_ token: String, audiences: [String]) async throws(APIFailure) -> TokenVerdict
}

/// An object whose end ends a token.
package struct BoundObject: Hashable, Sendable {
    /// "Pod", "Secret", "Node".
    package let kind: String
    package let name: String
    package let uid: String
    /// The node of a pod that has one.
    package let nodeName: String?
}

/// A token with its end.
package struct IssuedToken: Hashable, Sendable {
    package var token: String
    package var audiences: [String]
    /// Seconds since 1970-01-01T00:00:00Z.
    package var expiry: Int64

    package init(token: String, audiences: [String], expiry: Int64) {
        self.token = token
        self.audiences = audiences
        self.expiry = expiry
    }
}

/// What a review has found.
package enum TokenVerdict: Hashable, Sendable {
    /// Whose it is, and those of the audiences asked for that it is for.
    case user(UserInfo, audiences: [String])
    /// Why it is nobody's; empty for a token of nobody that is known.
    case refused(String)
}

extension APIServer {
    static let tokenRequests: ServedKind = {
        guard
            let kind = Schema.kubernetes.kind(
                group: "authentication.k8s.io", version: "v1", plural: "tokenrequests")
        else { preconditionFailure("the schema has no authentication.k8s.io/v1 TokenRequest") }
        return ServedKind(kind, in: .kubernetes)
    }()

    /// - Parameters:
    ///   - call: the service account.
    ///   - request: a TokenRequest.
    /// - Returns: it, with the token in its status.
    func issueToken(_ call: Call, _ request: JSONValue) async throws(APIFailure) -> JSONValue {
        let account = KubeObject(try await get(call))
        let spec = request["spec"] ?? [:]
        if let seconds = spec["expirationSeconds"]?.integer { try Self.check(seconds) }
        let seconds = spec["expirationSeconds"]?.integer ?? 3600
        let object = try await boundObject(spec["boundObjectRef"], account)
        let audiences = (spec["audiences"]?.array ?? []).compactMap(\.string)
        var answer = request
        answer["metadata"] = ["name": .string(account.name), "namespace": .string(account.namespace ?? "")]
        answer["metadata", "creationTimestamp"] = .string(time().kubeTime)
        answer["spec", "expirationSeconds"] = .integer(seconds)
        guard !call.options.isDryRun else { return answer }
        let issued = try await tokens.issue(for: account, audiences: audiences, seconds: seconds, boundTo: object)
        answer["spec", "audiences"] = .array(issued.audiences.map { .string($0) })
        answer["status"] = [
            "token": .string(issued.token),
            "expirationTimestamp": .string(KubeSchema.Timestamp(seconds: issued.expiry).text(.seconds)),
        ]
        return answer
    }

    private static func check(_ seconds: Int64) throws(APIFailure) {
        let why: String
        if seconds < 600 {
            why = "may not specify a duration less than 10 minutes"
        } else if seconds > 1 << 32 {
            why = "may not specify a duration larger than 2^32 seconds"
        } else {
            return
        }
        let path = FieldPath.root.child("spec").child("expirationSeconds")
        throw .invalid(
            InvalidObject(
                kind: tokenRequests.kind.id, name: "",
                causes: [Cause(reason: .invalid, path: path, value: .integer(seconds), detail: why)]))
    }

    private func boundObject(
        _ reference: JSONValue?, _ account: KubeObject
    ) async throws(APIFailure) -> BoundObject? {
        guard let reference, !reference.isNull else { return nil }
        let (kind, name) = (reference["kind"]?.string ?? "", reference["name"]?.string ?? "")
        let resource: Resource
        switch kind {
        case "Pod": resource = .pods
        case "Secret": resource = .secrets
        case "Node": resource = .nodes
        default:
            throw .badRequest(
                "cannot bind token to object of type \(reference["apiVersion"]?.string ?? ""), Kind=\(kind)")
        }
        guard let served = kinds.kind(group: resource.group, version: resource.version, plural: resource.plural) else {
            throw Self.noSuchResource
        }
        let call = Call(.anonymous, served, namespace: account.namespace, name: name)
        let object = KubeObject(try await get(call))
        if kind == "Pod", object.spec["serviceAccountName"]?.string != account.name {
            throw .badRequest(
                "cannot bind token for serviceaccount \(account.name.goQuoted) to pod running with different serviceaccount "
                    + "name."
            )
        }
        if let uid = reference["uid"]?.string, !uid.isEmpty, uid != object.uid {
            throw .conflict(
                resource, name,
                "the UID in the bound object reference (\(uid)) does not match the UID in record. The object might have "
                    + "been deleted and then recreated")
        }
        return BoundObject(
            kind: kind, name: name, uid: object.uid, nodeName: kind == "Pod" ? object.spec["nodeName"]?.string : nil)
    }
}
