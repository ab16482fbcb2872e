package import Linux

/// Everything that is counted of one call: what the ledger keeps.
package struct MeteredCall: Hashable, Sendable {
    /// How the instance that served it came to be there.
    package enum Start: String, Hashable, Sendable, CaseIterable {
        case cold, zygote, standby, warm, provisioned
        /// No instance: refused, or answered from a key.
        case none
    }

    /// How it ended.
    package enum Outcome: Hashable, Sendable {
        case success
        /// The function answered with an error; the text is its `errorType`.
        case functionError(String)
        case timedOut
        case outOfMemory
        /// Not run: the text is the name of the API's error.
        case refused(String)
        /// Answered with the first answer of its key.
        case replayed
    }

    package var requestID: String
    package var function: String
    package var version: String
    /// The ARN that the caller named, with its qualifier.
    package var invokedARN: String
    /// Where it came from: "invoke", "async", "url", "sqs", "schedule", "directory", "replay", "destination".
    package var source: String
    package var arrivedAt: Timestamp
    /// From arrival until an instance had it, microseconds.
    package var queueMicroseconds = 0
    /// Initialisation of the instance that this call paid for; nil when it was warm.
    package var initMicroseconds: Int?
    package var durationMicroseconds = 0
    /// Whole milliseconds, rounded up, initialisation of on-demand instances included.
    package var billedMilliseconds = 0
    package var memoryMB = 0
    /// Of /tmp.
    package var ephemeralMB = 512
    package var peakMemoryBytes = 0
    package var cpuMicroseconds = 0
    /// The name of the instance; nil when there was none.
    package var instance: String?
    package var start = Start.none
    package var codeDigest = ""
    package var revision = ""
    package var outcome = Outcome.success
    /// 1 for the first.
    package var attempt = 1
    package var key: String?
    package var orderKey: String?
    /// Of the trace that it was part of, 32 hexadecimal digits, and of its own span, 16.
    package var traceID: String?
    package var spanID: String?
    package var payloadBytes = 0
    package var answerBytes = 0
    /// SHA-256 of payload and answer, lower-case hexadecimal digits.
    package var payloadDigest = ""
    package var answerDigest = ""
    /// Payload and answer themselves, where the function's settings say so.
    package var recordedPayload: [UInt8]?
    package var recordedAnswer: [UInt8]?

    package init(
        requestID: String, function: String, version: String, invokedARN: String, source: String, arrivedAt: Timestamp
    ) {
        self.requestID = requestID
        self.function = function
        self.version = version
        self.invokedARN = invokedARN
        self.source = source
        self.arrivedAt = arrivedAt
    }
}
