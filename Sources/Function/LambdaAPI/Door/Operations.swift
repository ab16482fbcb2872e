internal import Catalog
internal import HTTPServing
internal import JSON
internal import Lambda

// What is declared, changed and listed: the catalogue's work.
extension LambdaDoor {
    func perform(
        _ operation: LambdaOperation, _ match: RouteMatch, _ body: [UInt8], _ exchange: any HTTPExchange, _ requestID: String
    ) {
        let catalog = parts.catalog
        var input = OperationInput()
        for part in match.parts { input.path[part.name] = part.value }
        input.query = match.query.items.map { ($0.name, $0.value) }
        let head = input
        let bound = LoopBound(exchange, on: loop)
        Task {
            let response: HTTPResponse
            do throws(LambdaFailure) {
                var input = head
                // An archive's megabytes are taken apart here, not on the loop.
                input.body = try Self.json(body)
                let output = try await catalog.perform(operation, input)
                response =
                    output.body.map { DoorAnswer.json(output.status, $0, requestID: requestID) }
                    ?? DoorAnswer.empty(output.status, requestID: requestID)
            } catch {
                response = DoorAnswer.failure(error, requestID: requestID)
            }
            bound.loop.execute { bound.value.respond(response) }
        }
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
