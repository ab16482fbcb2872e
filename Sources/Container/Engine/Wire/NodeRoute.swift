package import JSON
package import Linux

/// One operation with what serves it: the rows of the node's dispatch table.
///
///     let routes = [NodeRoute(ListFunctions.self) { request, exchange async throws(NodeFailure) in pools.list() }]
///
/// A target that serves operations (containers here, functions in `Functions`) hands its routes to the daemon, which
/// knows nothing of their types.
package struct NodeRoute: Sendable {
    package let operation: NodeOperation
    package let serve: @Sendable (JSONValue, NodeExchange) async throws(NodeFailure) -> JSONValue

    /// A route for requests of this type. The handler streams items through the exchange and returns the answer;
    /// its task is cancelled when the caller takes the request back or goes away.
    package init<Request: NodeRequest>(
        _ type: Request.Type,
        _ handler: @escaping @Sendable (Request, NodeExchange) async throws(NodeFailure) -> Request.Answer
    ) {
        operation = Request.operation
        serve = { (parameters, exchange) async throws(NodeFailure) in
            let request: Request
            do { request = try Request(strict: parameters) } catch {
                throw NodeFailure(.badRequest, "\(Request.operation.rawValue): \(error)")
            }
            return try await handler(request, exchange).json
        }
    }
}

/// One request being served: the descriptors that came with it, and the way back to its caller.
package struct NodeExchange: Sendable {
    /// What came with the request, in the order sent.
    package let descriptors: [SharedFD]
    private let sendItem: @Sendable (JSONValue, [CInt]) async throws(NodeFailure) -> Void

    package init(
        descriptors: [SharedFD],
        sendItem: @escaping @Sendable (JSONValue, [CInt]) async throws(NodeFailure) -> Void
    ) {
        self.descriptors = descriptors
        self.sendItem = sendItem
    }

    /// Sends one item of the stream; waits while the caller does not read.
    ///
    /// - Throws: `NodeFailure` of kind `cancelled` when the caller is gone.
    package func send(_ item: some NodeValue, descriptors: [CInt] = []) async throws(NodeFailure) {
        try await sendItem(item.json, descriptors)
    }

    /// Checks how many descriptors came: a request with too few or too many is refused, not guessed at.
    package func require(descriptors count: Int, for purpose: String) throws(NodeFailure) {
        guard descriptors.count == count else {
            throw NodeFailure(
                .badRequest, "\(purpose) takes \(count) descriptors with the request; \(descriptors.count) came")
        }
    }
}
