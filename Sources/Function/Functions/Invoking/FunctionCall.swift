package import Lambda
package import Linux

/// A call as a door or an event source hands it to the invoker.
package struct FunctionCall: Sendable {
    package var requestID: String
    package var function: DeployedFunction
    /// With the qualifier that the caller used.
    package var invokedARN: String
    package var payload: [UInt8]
    /// Where it comes from: "invoke", "async", "url", "sqs", "schedule", "directory", "replay", "destination".
    package var source: String
    package var clientContext: String?
    package var trace: String
    /// Header fields of the request, for `KeySource.header` and the deadline; names in lower case.
    package var headers: [String: String] = [:]
    /// `amz-sdk-invocation-id`
    package var sdkInvocationID: String?
    /// The id of the message, file or scheduled run, for `KeySource.message`.
    package var messageID: String?
    /// Overrides the order that the function's settings find: the message group of a queue.
    package var orderKey: String?
    /// 1 for the first.
    package var attempt = 1
    package var arrivedAt: Timestamp
    /// The caller commits the ledger's record of an answer together with a change of its own (an event that is done), unless
    /// `InvocationAnswer.isRecorded`. Refused calls are recorded by the invoker in any case.
    package var recordsItself = false
    package var stream: AnswerStream?

    package init(
        requestID: String, function: DeployedFunction, invokedARN: String, payload: [UInt8], source: String,
        trace: String, arrivedAt: Timestamp
    ) {
        self.requestID = requestID
        self.function = function
        self.invokedARN = invokedARN
        self.payload = payload
        self.source = source
        self.trace = trace
        self.arrivedAt = arrivedAt
    }
}
