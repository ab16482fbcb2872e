package import Lambda
package import Linux
package import Metering

/// One event on its way to an instance.
package struct Invocation: Sendable {
    package var requestID: String
    package var function: DeployedFunction
    /// `Lambda-Runtime-Invoked-Function-Arn`: with the qualifier that the caller used.
    package var invokedARN: String
    package var payload: [UInt8]
    /// Decoded from base64.
    package var clientContext: String?
    /// `X-Amzn-Trace-Id`.
    package var trace: String
    package var arrivedAt: Instant
    /// The same on the clock of the day.
    package var arrivedAtTime: Timestamp
    /// The caller's own deadline, before which the function's time-out may come.
    package var deadline: Instant?
    /// Of an instance that serves only one tenant, key or desk; nil: any.
    package var tenant: String?
    /// Where it comes from, as `FunctionCall.source` says.
    package var source = "invoke"
    /// Takes the parts of a streamed answer; nil: the answer is wanted whole.
    package var stream: AnswerStream?

    package init(
        requestID: String, function: DeployedFunction, invokedARN: String, payload: [UInt8], trace: String,
        arrivedAt: Instant, arrivedAtTime: Timestamp
    ) {
        self.requestID = requestID
        self.function = function
        self.invokedARN = invokedARN
        self.payload = payload
        self.trace = trace
        self.arrivedAt = arrivedAt
        self.arrivedAtTime = arrivedAtTime
    }
}

/// Takes a streamed answer, on the loop of the function. Whoever is too slow is answered by `false`.
package struct AnswerStream: Sendable {
    /// What is known of an answer before its first byte.
    package struct Head: Hashable, Sendable {
        package var contentType: String
        /// As `InvocationAnswer.isReplayed`.
        package var isReplayed: Bool
    }

    private let take: @Sendable (Head) -> Void
    package let part: @Sendable (_ bytes: [UInt8]) -> Void

    package init(begin: @escaping @Sendable (Head) -> Void, part: @escaping @Sendable ([UInt8]) -> Void) {
        take = begin
        self.part = part
    }

    /// The answer begins.
    package func begin(_ contentType: String, isReplayed: Bool = false) {
        take(Head(contentType: contentType, isReplayed: isReplayed))
    }
}

/// How an invocation ended for its caller.
package enum InvocationOutcome: Hashable, Sendable {
    case answered(InvocationAnswer)
    /// The function was not run, or the system failed.
    case failed(LambdaFailure)
}

/// What a function has answered.
package struct InvocationAnswer: Hashable, Sendable {
    /// The answer, or the JSON that describes the error. Empty when it was streamed.
    package var payload: [UInt8]
    package var contentType: String?
    /// `X-Amz-Function-Error`: "Unhandled"; nil for success.
    package var functionError: String?
    /// The last bytes of the log, at most 4 KB, with the lines START, END and REPORT.
    package var logTail: [UInt8]
    package var call: MeteredCall
    /// It is the answer of an earlier call with the same key, byte for byte. Doors say so: `X-Forkless-Replayed: true`.
    package var isReplayed = false
    /// `call` is in the ledger already, or about to be. Else whoever asked for that (`FunctionCall.recordsItself`) records it.
    package var isRecorded = false

    package init(
        payload: [UInt8], contentType: String? = nil, functionError: String? = nil, logTail: [UInt8] = [],
        call: MeteredCall
    ) {
        self.payload = payload
        self.contentType = contentType
        self.functionError = functionError
        self.logTail = logTail
        self.call = call
    }
}
