internal import HTTPServing
internal import Lambda
package import Metering
internal import Store

/// `GET /forkless/v1/ledger...` and `GET /forkless/v1/report`: what `LedgerResource` says, over HTTP.
package struct LedgerExtension: DoorExtension {
    package let name: String
    let resource: LedgerResource

    /// One for each of the two parts of the tree.
    package static func all(_ resource: LedgerResource) -> [LedgerExtension] {
        [LedgerExtension(name: "ledger", resource: resource), LedgerExtension(name: "report", resource: resource)]
    }

    package func serve(_ request: DoorRequest) {
        let path = String(request.exchange.request.rawPath)
        let query = String(request.exchange.request.rawQuery)
        guard request.method == "GET", LedgerResource.serves(path) else { return request.respondUnknown() }
        let resource = resource
        let bound = LoopBound(request, on: request.exchange.loop)
        Task {
            let answer = await resource.answer(path: path, query: query)
            bound.loop.execute { Self.give(answer, bound.value) }
        }
    }

    private static func give(_ answer: LedgerAnswer, _ request: DoorRequest) {
        switch answer {
        case .refused(let status, let sentence):
            let name =
                status == 404
                ? "ResourceNotFoundException" : status < 500 ? "InvalidParameterValueException" : "ServiceException"
            request.respond(.failure(LambdaFailure(name, status: status, sentence)))
        case .whole(let contentType, let body):
            request.exchange.respond(
                HTTPResponse(
                    200,
                    headers: HeaderFields([("Content-Type", contentType), ("x-amzn-RequestId", request.requestID)]),
                    body: body))
        case .parts(let contentType, let parts):
            request.stream(contentType: contentType) { stream throws(LambdaFailure) in
                do {
                    try await stream.begin()
                    while !Task.isCancelled, let part = try await parts.next() { try await stream.send(part) }
                } catch { throw .service("\(error)") }
            }
        }
    }
}
