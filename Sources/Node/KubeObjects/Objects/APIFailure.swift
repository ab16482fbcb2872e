package import JSON
package import KubeSchema
package import KubeStore

/// Why the API did not do something: what clients get as a `Status` (metav1.Status).
package struct APIFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The HTTP status.
    package var code: Int
    /// A word of metav1.StatusReason: "NotFound".
    package var reason: String
    package var message: String
    /// metav1.StatusDetails; nil without any.
    package var details: JSONValue?
    /// Where a list that has become too old can go on, `metadata.continue`.
    package var continueToken: String?

    package init(_ code: Int, _ reason: String, _ message: String, details: JSONValue? = nil) {
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
    }

    package var description: String { message }

    /// The body of the answer.
    package var status: JSONValue {
        var status: JSONValue = [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure", "message": .string(message),
            "reason": .string(reason),
        ]
        if let continueToken { status["metadata"] = ["continue": .string(continueToken)] }
        if let details { status["details"] = details }
        status["code"] = .integer(Int64(code))
        return status
    }

    /// The same as text.
    package var text: String { JSONWriter.text(status) }

    private static func details(_ resource: Resource, _ name: String) -> JSONValue {
        var details: JSONValue = ["name": .string(name)]
        if !resource.group.isEmpty { details["group"] = .string(resource.group) }
        details["kind"] = .string(resource.plural)
        return details
    }

    package static func notFound(_ resource: Resource, _ name: String) -> APIFailure {
        APIFailure(404, "NotFound", "\(resource) \"\(name)\" not found", details: details(resource, name))
    }

    package static func alreadyExists(_ resource: Resource, _ name: String) -> APIFailure {
        APIFailure(409, "AlreadyExists", "\(resource) \"\(name)\" already exists", details: details(resource, name))
    }

    package static func conflict(_ resource: Resource, _ name: String, _ why: String) -> APIFailure {
        APIFailure(
            409, "Conflict", "Operation cannot be fulfilled on \(resource) \"\(name)\": \(why)",
            details: details(resource, name))
    }

    package static func forbidden(_ resource: Resource, _ name: String, _ why: String) -> APIFailure {
        APIFailure(
            403, "Forbidden", "\(resource) \(name.isEmpty ? "" : "\"\(name)\" ")is forbidden: \(why)",
            details: details(resource, name))
    }

    package static func badRequest(_ message: String) -> APIFailure { APIFailure(400, "BadRequest", message) }

    package static func invalid(_ object: InvalidObject) -> APIFailure {
        APIFailure(422, "Invalid", object.description, details: object.details)
    }

    package static func internalError(_ message: String) -> APIFailure {
        APIFailure(500, "InternalError", "Internal error occurred: \(message)")
    }

    package static func unavailable(_ message: String) -> APIFailure {
        APIFailure(503, "ServiceUnavailable", message)
    }

    package static let modified =
        "the object has been modified; please apply your changes to the latest version and try again"

    /// What a failure of the store means to a client that asked for `name`.
    package init(_ failure: ObjectStoreFailure, _ resource: Resource, _ name: String) {
        switch failure {
        case .alreadyExists: self = .alreadyExists(resource, name)
        case .notFound: self = .notFound(resource, name)
        case .conflict(let current, let precondition):
            if let uid = precondition.uid, uid != current.uid {
                self = .conflict(
                    resource, name,
                    "Precondition failed: UID in precondition: \(uid), UID in object meta: \(current.uid ?? "")")
            } else {
                self = .conflict(resource, name, Self.modified)
            }
        case .tooOld(let oldest, let asked):
            self.init(410, "Expired", "too old resource version: \(asked) (\(oldest))")
        case .futureRevision(let newest, let asked):
            self.init(
                504, "Timeout", "Too large resource version: \(asked), current: \(newest)",
                details: [
                    "causes": [["reason": "ResourceVersionTooLarge", "message": "Too large resource version"]],
                    "retryAfterSeconds": 1,
                ])
        case .invalidToken(let sentence): self = .badRequest("continue key is not valid: \(sentence)")
        case .invalidObject(let sentence): self = .badRequest(sentence)
        case .slowConsumer: self = .internalError(failure.description)
        case .storage: self.init(507, "InsufficientStorage", failure.description)
        }
    }
}
