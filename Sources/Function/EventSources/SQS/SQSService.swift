package import HTTPServing
internal import JSON
internal import Linux

/// The door for clients of SQS: `aws sqs`, boto3 and every other SDK of the last years, which speak its JSON protocol.
///
/// A request is an HTTP POST with `X-Amz-Target: AmazonSQS.OPERATION`. Who may send one is checked by the listener.
package final class SQSService: Sendable {
    /// Of a request's body: ten messages' megabyte, with what JSON's escapes and base64 add to it.
    package static let bodyLimit = 8 << 20
    package static let targetPrefix = "AmazonSQS."

    let queues: DurableQueues

    package init(_ queues: DurableQueues) { self.queues = queues }

    /// Whether a request is for this service.
    package static func isMeant(by request: HTTPRequest) -> Bool {
        request.headers["x-amz-target"]?.hasPrefix(targetPrefix) == true || isOldProtocol(request)
    }

    /// The query protocol of clients from before November 2023: a form to the root or to a queue's URL.
    private static func isOldProtocol(_ request: HTTPRequest) -> Bool {
        request.method == "POST" && (request.rawPath == "/" || request.rawPath.hasPrefix("/\(QueuePlace.account)/"))
            && request.headers["content-type"]?.hasPrefix("application/x-www-form-urlencoded") == true
    }

    /// Answers a request whose body has come. On the loop of the exchange.
    ///
    /// - Parameters:
    ///   - requestID: what the answer and log lines name it by; nil: an id is made.
    ///   - then: hears of the operation and its status when it was answered, on the loop.
    package func serve(
        _ exchange: any HTTPExchange, body: [UInt8], requestID: String? = nil,
        then: @escaping (_ operation: String, _ status: Int) -> Void = { _, _ in }
    ) {
        let request = exchange.request
        guard let target = request.headers["x-amz-target"], target.hasPrefix(Self.targetPrefix) else {
            return exchange.respond(
                Self.response(
                    .unsupported(
                        "This endpoint speaks the JSON protocol of SQS (X-Amz-Target: AmazonSQS.OPERATION), not the older query "
                            + "protocol. Use an SDK or command line of 2024 or later.")))
        }
        let loop = exchange.loop
        let bound = LoopBound((exchange: exchange, then: then), on: loop)
        let operation = String(target.dropFirst(Self.targetPrefix.count))
        // A message that is sent stands in the trace of whoever sent it, unless it names another itself.
        let trace = EventTrace.after(request.headers.traceCarrier)
        let cancel = answer(operation, body: body, host: request.headers["host"] ?? "localhost", trace: trace) { response in
            var named = response
            if let requestID { named.headers["x-amzn-RequestId"] = requestID }
            let answer = named
            let give: @Sendable () -> Void = {
                bound.value.exchange.respond(answer)
                bound.value.then(operation, answer.status)
            }
            if loop.isCurrent { give() } else { loop.execute(give) }
        }
        if let cancel { exchange.onAbandoned = { cancel() } }
    }

    /// Runs an operation.
    ///
    /// - Parameters:
    ///   - host: by which the client knows this node, with the port: for the URLs of queues.
    ///   - trace: in which messages are sent that name none.
    ///   - done: is called once, on any thread.
    /// - Returns: for an operation that waits, how to end the wait when nobody listens any more.
    package func answer(
        _ operation: String, body: [UInt8], host: String, trace: String? = nil, _ done: @escaping @Sendable (HTTPResponse) -> Void
    ) -> (@Sendable () -> Void)? {
        do throws(QueueFailure) {
            var request = try SQSRequest(body, place: queues.place)
            request.trace = trace
            return try run(operation, request, host) { result in
                switch result {
                case .success(let value): done(Self.response(200, value))
                case .failure(let failure): done(Self.response(failure))
                }
            }
        } catch {
            done(Self.response(error))
            return nil
        }
    }

    static func response(_ failure: QueueFailure) -> HTTPResponse {
        var response = response(
            failure.status,
            ["__type": .string("com.amazonaws.sqs#" + failure.name), "message": .string(failure.message)])
        response.headers.add("x-amzn-query-error", failure.code + (failure.status < 500 ? ";Sender" : ";Receiver"))
        return response
    }

    private static func response(_ status: Int, _ body: JSONValue) -> HTTPResponse {
        HTTPResponse(
            status,
            headers: HeaderFields([
                ("Content-Type", "application/x-amz-json-1.0"), ("x-amzn-RequestId", Identifiers.random()),
            ]), body: JSONWriter.bytes(body))
    }
}
