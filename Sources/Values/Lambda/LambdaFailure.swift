package import JSON

/// An error of the Lambda API as a client sees it: a name, a status and a sentence.
///
/// On the wire: the status, the header `x-amzn-ErrorType: NAME`, and a JSON body with `Type` and `Message`.
package struct LambdaFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// As the service names it: "ResourceNotFoundException".
    package var name: String
    /// The HTTP status.
    package var status: Int
    /// What was tried, on what, why it failed and what to do.
    package var message: String
    /// `Reason` of a TooManyRequestsException.
    package var reason: String?
    /// Seconds after which to try again; the header Retry-After.
    package var retryAfter: Int?

    package init(_ name: String, status: Int, _ message: String, reason: String? = nil, retryAfter: Int? = nil) {
        self.name = name
        self.status = status
        self.message = message
        self.reason = reason
        self.retryAfter = retryAfter
    }

    package var description: String { "\(name): \(message)" }

    /// The body of the answer.
    package var body: JSONValue {
        var object = JSONObject()
        object["Type"] = .string(status < 500 ? "User" : "Service")
        object["Message"] = .string(message)
        // Some clients read the one, some the other.
        object["message"] = .string(message)
        if let reason { object["Reason"] = .string(reason) }
        if let retryAfter { object["retryAfterSeconds"] = .string("\(retryAfter)") }
        return .object(object)
    }
}

extension LambdaFailure {
    package static func notFound(_ message: String) -> LambdaFailure {
        LambdaFailure("ResourceNotFoundException", status: 404, message)
    }

    package static func invalidParameter(_ message: String) -> LambdaFailure {
        LambdaFailure("InvalidParameterValueException", status: 400, message)
    }

    package static func conflict(_ message: String) -> LambdaFailure {
        LambdaFailure("ResourceConflictException", status: 409, message)
    }

    /// A `RevisionId` that is not the current one.
    package static func precondition(_ message: String) -> LambdaFailure {
        LambdaFailure("PreconditionFailedException", status: 412, message)
    }

    package static func service(_ message: String) -> LambdaFailure {
        LambdaFailure("ServiceException", status: 500, message)
    }

    package static func tooManyRequests(_ message: String, reason: String, retryAfter: Int = 1) -> LambdaFailure {
        LambdaFailure("TooManyRequestsException", status: 429, message, reason: reason, retryAfter: retryAfter)
    }
}
