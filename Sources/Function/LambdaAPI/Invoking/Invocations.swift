internal import Catalog
internal import Functions
internal import HTTPServing
internal import JSON
internal import Lambda
internal import Linux
internal import Metering
internal import Traces

// Calls of functions. A synchronous one goes straight from here to the invoker.
extension LambdaDoor {
    func invoke(
        _ request: InvokeRequest, _ body: [UInt8], _ exchange: any HTTPExchange, _ requestID: String
    ) throws(LambdaFailure) {
        let resolved = try parts.catalog.resolve(request.function, qualifier: request.qualifier, chance: chance.next())
        let payload = try resolved.function.payload(body)
        let arrived = parts.now()
        let trace = TraceContext(
            after: exchange.request.headers.traceCarrier, seconds: arrived.nanoseconds / 1_000_000_000,
            samples: resolved.function.tracesActively, &chance
        ).amazon
        var call = FunctionCall(
            requestID: requestID, function: resolved.function, invokedARN: resolved.invokedARN, payload: payload,
            source: request.kind == .event ? "async" : "invoke", trace: trace, arrivedAt: arrived)
        call.clientContext = request.clientContext
        call.take(exchange.request.headers)
        switch (request.kind, request.form) {
        case (.dryRun, _):
            var response = DoorAnswer.empty(204, requestID: requestID)
            response.headers.add("X-Amz-Executed-Version", resolved.executedVersion)
            exchange.respond(response)
        case (.event, let form): accept(call, form, exchange)
        case (.requestResponse, .streamed):
            StreamedCall(exchange, wantsLogTail: request.wantsLogTail).begin(call, parts.invoker)
        case (.requestResponse, _): run(call, wantsLogTail: request.wantsLogTail, exchange)
        }
    }

    private func run(_ call: FunctionCall, wantsLogTail: Bool, _ exchange: any HTTPExchange) {
        let bound = LoopBound(exchange, on: loop)
        let (requestID, trace) = (call.requestID, call.trace)
        parts.invoker.invoke(call) { outcome in
            if bound.loop.isCurrent {
                bound.value.respond(Self.response(outcome, wantsLogTail: wantsLogTail, requestID, trace))
            } else {
                bound.loop.execute {
                    bound.value.respond(Self.response(outcome, wantsLogTail: wantsLogTail, requestID, trace))
                }
            }
        }
    }

    static func response(
        _ outcome: InvocationOutcome, wantsLogTail: Bool, _ requestID: String, _ trace: String
    ) -> HTTPResponse {
        switch outcome {
        case .failed(let failure): return DoorAnswer.failure(failure, requestID: requestID)
        case .answered(let answer):
            var response = HTTPResponse(200, body: answer.payload)
            response.headers.fields.reserveCapacity(6)
            response.headers.add("Content-Type", answer.contentType ?? "application/json")
            response.headers.add("x-amzn-RequestId", requestID)
            response.headers.add("X-Amzn-Trace-Id", trace)
            response.headers.add("X-Amz-Executed-Version", answer.call.version)
            if let error = answer.functionError { response.headers.add("X-Amz-Function-Error", error) }
            if answer.isReplayed { response.headers.addReplayed() }
            if wantsLogTail {
                response.headers.add("X-Amz-Log-Result", Base64.text(Array(answer.logTail.suffix(4096))))
            }
            return response
        }
    }

    /// Answers 202 when the call is on the disk.
    private func accept(_ call: FunctionCall, _ form: InvokeRequest.Form, _ exchange: any HTTPExchange) {
        let bound = LoopBound(exchange, on: loop)
        let (requestID, trace) = (call.requestID, call.trace)
        parts.accept(call) { result in
            var response: HTTPResponse
            switch result {
            case .failure(let failure): response = DoorAnswer.failure(failure, requestID: requestID)
            case .success:
                response =
                    form == .asynchronous2014
                    ? DoorAnswer.json(202, ["Status": 202], requestID: requestID)
                    : DoorAnswer.empty(202, requestID: requestID)
                response.headers.add("X-Amzn-Trace-Id", trace)
            }
            let given = response
            bound.loop.execute { bound.value.respond(given) }
        }
    }
}

extension HeaderFields {
    /// Tells the caller that a repeated key was answered with the first answer.
    mutating func addReplayed() { add("X-Forkless-Replayed", "true") }
}
