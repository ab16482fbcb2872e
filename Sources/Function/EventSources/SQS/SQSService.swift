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
    package func serve(_ exchange: any HTTPExchange, body: [UInt8]) {
        let request = exchange.request
        guard let target = request.headers["x-amz-target"], target.hasPrefix(Self.targetPrefix) else {
            return exchange.respond(
                Self.response(
                    .unsupported(
                        "This endpoint speaks the JSON protocol of SQS (X-Amz-Target: AmazonSQS.OPERATION), not the older query "
                            + "protocol. Use an SDK or command line of 2024 or later.")))
        }
        let loop = exchange.loop
        let bound = LoopBound(exchange, on: loop)
        let cancel = answer(
            String(target.dropFirst(Self.targetPrefix.count)), body: body, host: request.headers["host"] ?? "localhost"
        ) { response in
            if loop.isCurrent {
                bound.value.respond(response)
            } else {
                loop.execute { bound.value.respond(response) }
            }
        }
        if let cancel { exchange.onAbandoned = { cancel() } }
    }

    /// Runs an operation.
    ///
    /// - Parameters:
    ///   - host: by which the client knows this node, with the port: for the URLs of queues.
    ///   - done: is called once, on any thread.
    /// - Returns: for an operation that waits, how to end the wait when nobody listens any more.
    package func answer(
        _ operation: String, body: [UInt8], host: String, _ done: @escaping @Sendable (HTTPResponse) -> Void
    ) -> (@Sendable () -> Void)? {
        do throws(QueueFailure) {
            let request = try SQSRequest(body, place: queues.place)
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
