internal import HTTPServing
internal import Lambda
internal import Metering
internal import Traces

/// What the ledger keeps of a call, beyond what the instance has counted.
extension InvokedCall {
    /// Completes what the instance has counted, but for the digests.
    func count(in answer: inout InvocationAnswer, handedAt: Instant?) {
        answer.call.source = call.source
        answer.call.attempt = call.attempt
        answer.call.invokedARN = call.invokedARN
        answer.call.arrivedAt = call.arrivedAt
        answer.call.key = key
        answer.call.orderKey = order?.key.text
        answer.call.setTrace(call.trace)
        answer.call.payloadBytes = call.payload.count
        answer.call.answerBytes = tap?.bytes ?? answer.payload.count
        if let handedAt { answer.call.queueMicroseconds = max((handedAt - arrivedAt).wholeNanoseconds / 1000, 0) }
        if call.function.settings.recordsPayloads {
            answer.call.recordedPayload = call.payload
            answer.call.recordedAnswer = tap?.kept ?? answer.payload
        }
    }

    /// The record of a call that no instance has served.
    func record(_ outcome: MeteredCall.Outcome) -> MeteredCall {
        let function = call.function
        var record = MeteredCall(
            requestID: call.requestID, function: function.name, version: function.version, invokedARN: call.invokedARN,
            source: call.source, arrivedAt: call.arrivedAt)
        record.memoryMB = function.memoryMB
        record.ephemeralMB = function.ephemeralMB
        record.codeDigest = function.codeDigest
        record.revision = function.revision
        record.outcome = outcome
        record.attempt = call.attempt
        record.key = key
        record.orderKey = order?.key.text
        record.setTrace(call.trace)
        record.payloadBytes = call.payload.count
        record.payloadDigest = payloadDigest ?? ""
        return record
    }
}

extension MeteredCall {
    /// - Parameter amazon: `X-Amzn-Trace-Id`; one that cannot be read names no trace.
    fileprivate mutating func setTrace(_ amazon: String) {
        guard let ids = AmazonTrace.ids(in: amazon) else { return }
        (traceID, spanID) = ids
    }
}

extension CallWorker {
    /// Completes the record with the digests of payload and answer.
    func withDigests(
        _ invoked: InvokedCall, _ answer: InvocationAnswer, _ then: @escaping (InvocationAnswer) -> Void
    ) {
        var answer = answer
        beginPending()
        // A streamed answer was digested as it came, a payload with a key before it ran.
        PayloadDigest.both(
            invoked.payloadDigest == nil ? invoked.call.payload : nil, invoked.tap == nil ? answer.payload : nil,
            on: loop
        ) { [self] payload, body in
            answer.call.payloadDigest = invoked.payloadDigest ?? payload
            answer.call.answerDigest = invoked.tap?.digestText ?? body
            then(answer)
            endPending()
        }
    }
}
