internal import HTTPServing
internal import JSON
internal import Lambda
internal import Linux

// What the Runtime API asks of its instance.
extension RuntimeInstance: RuntimeAPIHost {
    func event(of requestID: String, invocationID: String) -> HTTPResponse? {
        guard let call = calls.first(where: { $0.requestID == requestID }) else { return nil }
        let invocation = call.invocation
        var headers = HeaderFields()
        headers.fields.reserveCapacity(8)
        headers.add("Content-Type", "application/json")
        headers.add("Lambda-Runtime-Aws-Request-Id", requestID)
        headers.add("Lambda-Runtime-Deadline-Ms", String(deadlineMilliseconds(call)))
        headers.add("Lambda-Runtime-Invoked-Function-Arn", invocation.invokedARN)
        headers.add("Lambda-Runtime-Trace-Id", invocation.trace)
        headers.add("Lambda-Runtime-Invocation-Id", invocationID)
        if let context = invocation.clientContext { headers.add("Lambda-Runtime-Client-Context", context) }
        if let tenant = invocation.tenant { headers.add("Lambda-Runtime-Aws-Tenant-Id", tenant) }
        return HTTPResponse(200, headers: headers, body: invocation.payload)
    }

    /// On the clock of the day.
    private func deadlineMilliseconds(_ call: ActiveCall) -> Int {
        (Clock.now().nanoseconds + call.deadline.nanoseconds - now.nanoseconds) / 1_000_000
    }

    func extensionEvent(of requestID: String) -> JSONObject {
        guard let call = calls.first(where: { $0.requestID == requestID }) else { return ["requestId": .string(requestID)] }
        return [
            "deadlineMs": .integer(Int64(deadlineMilliseconds(call))), "requestId": .string(requestID),
            "invokedFunctionArn": .string(call.invocation.invokedARN),
            "tracing": ["type": "X-Amzn-Trace-Id", "value": .string(call.invocation.trace)],
        ]
    }

    func extensionShutdown() -> JSONObject {
        [
            "shutdownReason": .string(reasonOfStop.rawValue),
            "deadlineMs": .integer(Int64(shutdownDeadline.nanoseconds / 1_000_000)),
        ]
    }

    func extensionAnswer(acceptsAccount: Bool) -> JSONObject {
        var answer: JSONObject = [
            "functionName": .string(function.name), "functionVersion": .string(function.version),
            "handler": .string(function.handler),
        ]
        if acceptsAccount { answer["accountId"] = "000000000000" }
        return answer
    }

    func streamBegins(_ requestID: String, contentType: String) -> Bool {
        guard let stream = calls.first(where: { $0.requestID == requestID })?.invocation.stream else { return false }
        stream.begin(contentType)
        return true
    }

    func streamPart(_ requestID: String, _ bytes: [UInt8]) {
        calls.first(where: { $0.requestID == requestID })?.invocation.stream?.part(bytes)
    }

    func completed(_ requestID: String, _ answer: RuntimeAnswer) {
        guard let index = calls.firstIndex(where: { $0.requestID == requestID }) else { return }
        let call = calls.remove(at: index)
        switch answer.kind {
        case .response: finish(call, .success, whole(answer, call))
        case .error(let type):
            var answer = answer
            let name = type ?? Self.errorType(in: answer.body) ?? "Function.Unknown"
            if answer.body.isEmpty { answer.body = InstanceStartFailure.body(name, "") }
            answer.byteCount = answer.body.count
            finish(call, .functionError(name), answer)
        case .tooLarge:
            finish(call, .functionError("Function.ResponseSizeTooLarge"), tooLarge(answer))
        case .truncated:
            let failure = InstanceStartFailure(
                errorType: "Runtime.TruncatedResponse", errorMessage: "the answer broke off after \(answer.byteCount) bytes")
            finish(
                call, .functionError(failure.errorType),
                RuntimeAnswer(kind: answer.kind, body: failure.body(requestID: requestID), byteCount: answer.byteCount))
        }
    }

    /// A caller that takes a stream gets an answer that came whole as a stream of one part.
    private func whole(_ answer: RuntimeAnswer, _ call: ActiveCall) -> RuntimeAnswer {
        guard let stream = call.invocation.stream, !answer.wasStreamed else { return answer }
        stream.begin(answer.contentType ?? "application/octet-stream")
        if !answer.body.isEmpty { stream.part(answer.body) }
        var answer = answer
        answer.body = []
        answer.wasStreamed = true
        return answer
    }

    private func tooLarge(_ answer: RuntimeAnswer) -> RuntimeAnswer {
        let limit = answer.wasStreamed ? AnswerLimits.streamedBytes : AnswerLimits.bufferedBytes
        return RuntimeAnswer(
            kind: answer.kind,
            body: InstanceStartFailure.body(
                "Function.ResponseSizeTooLarge",
                "Response payload size exceeded maximum allowed payload size (\(limit) bytes)."),
            byteCount: answer.byteCount)
    }

    /// `errorType` of an error's JSON.
    private static func errorType(in body: [UInt8]) -> String? { (try? JSONParser.parse(body))?["errorType"]?.string }

    func initialized() { becomeReady() }
    func free() { isFree() }

    func initFailed(_ answer: RuntimeAnswer) {
        guard case .error(let type) = answer.kind else { return }
        let json = try? JSONParser.parse(answer.body)
        failInit(
            InstanceStartFailure(
                errorType: type ?? json?["errorType"]?.string ?? "Runtime.Unknown",
                errorMessage: json?["errorMessage"]?.string ?? "the runtime failed to initialise",
                payload: answer.body.isEmpty ? nil : answer.body))
    }

    func registered(_ name: String, isExternal: Bool, events: [String]) {
        telemetry?.add(.extensionState(name: name, state: "Registered", events: events, at: Clock.now()))
    }

    func extensionFailed(_ errorType: String, name: String) {
        failExtension(InstanceStartFailure(errorType: errorType, errorMessage: "extension \(name) reported an error"))
    }

    func extensionsDone() { allExtensionsDone() }

    func subscribe(_ subscription: TelemetrySubscription, id: String) -> Refusal? {
        guard let network else { return Refusal(500, "InternalError", "the instance has no network") }
        let hub = telemetry ?? TelemetryHub(loop: loop, network: network, note: surroundings.ground.note)
        telemetry = hub
        hub.subscribe(subscription, id: id, after: initStartEvent)
        hub.take(outputs.function, outputs.extensions)
        return nil
    }
}
