internal import Functions
internal import HTTPServing
internal import JSON
internal import Lambda

/// A call whose answer goes out part by part as `application/vnd.amazon.eventstream`. Confined to the exchange's loop.
final class StreamedCall {
    private let exchange: any HTTPExchange
    private let loop: ServingLoop
    private let wantsLogTail: Bool
    private var hasBegun = false
    private var requestID = ""
    private var version = ""

    init(_ exchange: any HTTPExchange, wantsLogTail: Bool) {
        self.exchange = exchange
        self.wantsLogTail = wantsLogTail
        loop = exchange.loop
    }

    func begin(_ call: FunctionCall, _ invoker: any Invoker) {
        var call = call
        requestID = call.requestID
        version = call.function.version
        let bound = LoopBound(self, on: loop)
        call.stream = AnswerStream(
            begin: { head in bound.onLoop { $0.beginOnce(isReplayed: head.isReplayed) } }, part: { bytes in bound.onLoop { $0.send(bytes) } })
        invoker.invoke(call) { outcome in bound.onLoop { $0.end(outcome) } }
    }

    private func beginOnce(isReplayed: Bool = false) {
        guard !hasBegun else { return }
        hasBegun = true
        var headers = HeaderFields([
            ("Content-Type", "application/vnd.amazon.eventstream"), ("x-amzn-RequestId", requestID),
            ("X-Amz-Executed-Version", version),
        ])
        if isReplayed { headers.addReplayed() }
        exchange.begin(200, headers: headers)
    }

    private func send(_ bytes: [UInt8]) {
        beginOnce()
        // A chunk is at most 1 MB: clients keep one message in memory.
        for start in stride(from: 0, to: bytes.count, by: 1 << 20) {
            exchange.send(EventStreamFrame.payloadChunk(bytes[start..<min(start + 1 << 20, bytes.count)]))
        }
    }

    private func end(_ outcome: InvocationOutcome) {
        switch outcome {
        case .failed(let failure):
            // Before the first byte it is an answer like any other; after it, it can only be told at the end.
            guard hasBegun else { return exchange.respond(DoorAnswer.failure(failure, requestID: requestID)) }
            finish(["ErrorCode": .string(failure.name), "ErrorDetails": .string(failure.message)])
        case .answered(let answer):
            beginOnce(isReplayed: answer.isReplayed)
            var end = JSONObject()
            if let error = answer.functionError {
                end["ErrorCode"] = .string(error)
                end["ErrorDetails"] = .string(String(decoding: answer.payload, as: UTF8.self))
            } else {
                send(answer.payload)
            }
            if wantsLogTail { end["LogResult"] = .string(Base64.text(Array(answer.logTail.suffix(4096)))) }
            finish(end)
        }
    }

    private func finish(_ end: JSONObject) {
        exchange.send(EventStreamFrame.invokeComplete(JSONWriter.bytes(.object(end))))
        exchange.finish(trailers: HeaderFields())
    }
}

extension LoopBound {
    /// Does something with the value on its loop: now when that is this one.
    func onLoop(_ work: @escaping @Sendable (Value) -> Void) where Value: AnyObject {
        if loop.isCurrent { work(value) } else { loop.execute { work(self.value) } }
    }
}
