/// An error of a queue as its clients know it.
///
/// The JSON protocol names the shape; clients of the older protocol know some of them by another code, which goes into the
/// header `x-amzn-query-error`.
package struct QueueFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// "QueueDoesNotExist"
    package var name: String
    /// "AWS.SimpleQueueService.NonExistentQueue"
    package var code: String
    package var status: Int
    package var message: String

    package init(_ name: String, code: String? = nil, status: Int = 400, _ message: String) {
        self.name = name
        self.code = code ?? "AWS.SimpleQueueService." + name
        self.status = status
        self.message = message
    }

    package var description: String { "\(name): \(message)" }
}

extension QueueFailure {
    package static func noQueue(_ name: String) -> QueueFailure {
        QueueFailure(
            "QueueDoesNotExist", code: "AWS.SimpleQueueService.NonExistentQueue",
            "The specified queue does not exist: \(name). Make it with create-queue.")
    }

    package static func invalidParameter(_ message: String) -> QueueFailure {
        QueueFailure("InvalidParameterValueException", code: "InvalidParameterValue", message)
    }

    package static func missingParameter(_ name: String) -> QueueFailure {
        QueueFailure(
            "MissingRequiredParameterException", code: "MissingParameter",
            "The request must contain the parameter \(name).")
    }

    package static func invalidAttributeValue(_ name: String, _ value: String, _ reason: String) -> QueueFailure {
        QueueFailure(
            "InvalidAttributeValue", code: "InvalidAttributeValue",
            "Invalid value for the parameter \(name): \(value) (\(reason)).")
    }

    package static func invalidAttributeName(_ name: String, _ reason: String = "Unknown Attribute") -> QueueFailure {
        QueueFailure("InvalidAttributeName", code: "InvalidAttributeName", "\(reason): \(name).")
    }

    package static func unsupported(_ message: String) -> QueueFailure { QueueFailure("UnsupportedOperation", message) }

    package static func noTask(_ message: String) -> QueueFailure {
        QueueFailure("ResourceNotFoundException", code: "ResourceNotFoundException", status: 404, message)
    }

    package static func service(_ message: String) -> QueueFailure {
        QueueFailure("InternalError", code: "InternalFailure", status: 500, message)
    }
}
