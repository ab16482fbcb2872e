internal import Catalog
internal import HTTPServing
internal import JSON
internal import Lambda

// What is declared, changed and listed: the catalogue's work.
extension LambdaDoor {
    func perform(
        _ operation: LambdaOperation, _ match: RouteMatch, _ body: [UInt8], _ exchange: any HTTPExchange,
        _ requestID: String
    ) {
        let query: [(name: String, value: String)] = match.query.items.map { ($0.name, $0.value) }
        let path = Dictionary(match.parts.map { ($0.name, $0.value) }) { first, _ in first }
        let (input, catalog) = (OperationInput(path: path, query: query), parts.catalog)
        Self.answer(
            operation, input, body, catalog, requestID, LoopBound(self, on: loop), LoopBound(exchange, on: loop))
    }

    private static func answer(
        _ operation: LambdaOperation, _ input: OperationInput, _ body: [UInt8], _ catalog: FunctionCatalog,
        _ requestID: String, _ door: LoopBound<LambdaDoor>, _ exchange: LoopBound<any HTTPExchange>
    ) {
        Task {
            let response = await answer(operation, input, body, catalog, requestID)
            exchange.loop.execute {
                door.value.log(
                    "\(operation)", response.status, response.headers["x-amzn-ErrorType"], exchange.value, requestID)
                exchange.value.respond(response)
            }
        }
    }

    private static func answer(
        _ operation: LambdaOperation, _ head: OperationInput, _ body: [UInt8], _ catalog: FunctionCatalog,
        _ requestID: String
    ) async -> HTTPResponse {
        do throws(LambdaFailure) {
            var input = head
            // An archive's megabytes are taken apart here, not on the loop.
            input.body = try json(body)
            let output = try await catalog.perform(operation, input)
            return output.body.map { DoorAnswer.json(output.status, $0, requestID: requestID) }
                ?? DoorAnswer.empty(output.status, requestID: requestID)
        } catch { return DoorAnswer.failure(error, requestID: requestID) }
    }

    private static func json(_ body: [UInt8]) throws(LambdaFailure) -> JSONValue {
        guard !body.isEmpty else { return .null }
        do throws(JSONError) {
            return try JSONParser.parse(body)
        } catch {
            throw LambdaFailure(
                "InvalidRequestContentException", status: 400, "Could not parse request body into json: \(error)")
        }
    }
}
