package import Functions
internal import Lambda
package import Linux

/// An accepted event as it stands in the database: a call without the function's state of that moment, which is looked up
/// when it is run.
package struct AsyncEvent: Hashable, Sendable {
    /// Rises in the order of acceptance; 0 before it is accepted.
    package var sequence = 0
    package var requestID: String
    /// The ARN to run, with its qualifier.
    package var target: String
    package var payload: [UInt8]
    package var source: String
    package var clientContext: String?
    package var trace: String
    package var headers: [String: String] = [:]
    package var sdkInvocationID: String?
    package var messageID: String?
    package var orderKey: String?
    package var acceptedAt: Timestamp
    /// What the mapping that it came from says instead of the function's event invoke config.
    package var overrides = InvokeOverrides()
    /// What is done once it has succeeded, beside the function's own destinations: a file's removal, for one.
    package var afterwards: Delivery?
    /// How often it was run.
    package var invokes = 0
    /// How often the function answered with an error.
    package var functionErrors = 0
    /// How often in a row it could not be run.
    package var refusals = 0
    /// Not before this.
    package var dueAt: Timestamp?

    package init(
        requestID: String, target: String, payload: [UInt8], source: String, trace: String, acceptedAt: Timestamp
    ) {
        self.requestID = requestID
        self.target = target
        self.payload = payload
        self.source = source
        self.trace = trace
        self.acceptedAt = acceptedAt
    }

    /// The event of a call that a door has resolved.
    package init(_ call: FunctionCall) {
        self.init(
            requestID: call.requestID, target: call.invokedARN, payload: call.payload, source: call.source,
            trace: call.trace, acceptedAt: call.arrivedAt)
        clientContext = call.clientContext
        headers = call.headers
        sdkInvocationID = call.sdkInvocationID
        messageID = call.messageID
        orderKey = call.orderKey
    }

    /// The call that runs it.
    func call(_ function: DeployedFunction) -> FunctionCall {
        var call = FunctionCall(
            requestID: requestID, function: function, invokedARN: target, payload: payload, source: source,
            trace: trace,
            arrivedAt: acceptedAt)
        call.clientContext = clientContext
        call.headers = headers
        call.sdkInvocationID = sdkInvocationID
        call.messageID = messageID
        call.orderKey = orderKey
        call.attempt = invokes + 1
        return call
    }

    /// Whose turn it is in the queue: the function without its qualifier, which has one reserved concurrency.
    var function: String {
        let parts = target.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count > 7 ? parts[..<7].joined(separator: ":") : target
    }

    var entry: AsyncQueue.Entry {
        AsyncQueue.Entry(sequence: sequence, function: function, orderKey: orderKey, dueAt: dueAt)
    }
}
