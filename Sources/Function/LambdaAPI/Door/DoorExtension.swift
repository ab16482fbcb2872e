package import HTTPServing
package import JSON
package import Lambda

/// Resources below /forkless/v1/ that another part of the node serves at the door.
package protocol DoorExtension: Sendable {
    /// "ledger": what comes behind /forkless/v1/. It serves the path /forkless/v1/ledger and all below it.
    var name: String { get }
    /// Longest body of a request, bytes.
    var bodyLimit: Int { get }
    /// Answers a request, now or later, whole or in parts. On the loop of the exchange; it must not wait there.
    func serve(_ request: DoorRequest)
}

extension DoorExtension {
    package var bodyLimit: Int { 1 << 20 }
}

/// A request to an extension, with all of its body.
package struct DoorRequest {
    /// What sends an answer in parts.
    package typealias Sending = @Sendable (DoorStream) async throws(LambdaFailure) -> Void
    /// What makes a value when it is asked for.
    package typealias Reading = @Sendable () async throws(LambdaFailure) -> JSONValue

    package let exchange: any HTTPExchange
    /// Decoded, without /forkless/v1/ and the extension's name: ["verify"].
    package let path: [String]
    package let query: QueryItems
    package let body: [UInt8]
    package let requestID: String

    package var method: String { exchange.request.method }

    /// A parameter that has to be a whole number in a range.
    ///
    /// - Throws: InvalidParameterValueException when it is something else.
    package func number(_ name: String, _ range: ClosedRange<Int>) throws(LambdaFailure) -> Int? {
        guard let text = query[name] else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw .invalidParameter(
                "The parameter \(name) is '\(text.prefix(64))'; it must be a whole number from \(range.lowerBound) to \(range.upperBound)."
            )
        }
        return number
    }

    /// Refuses parameters that are not among these: what is not known is not ignored.
    package func allowQuery(_ names: String...) throws(LambdaFailure) {
        guard let stranger = query.items.first(where: { !names.contains($0.name) }) else { return }
        throw .invalidParameter(
            "There is no parameter '\(stranger.name.prefix(64))' here"
                + (names.isEmpty ? "." : ", only \(names.joined(separator: ", "))."))
    }

    package func respond(_ result: Result<JSONValue, LambdaFailure>) {
        switch result {
        case .success(let value): exchange.respond(DoorAnswer.json(200, value, requestID: requestID))
        case .failure(let failure): exchange.respond(DoorAnswer.failure(failure, requestID: requestID))
        }
    }

    /// The answer to a method or a path that the extension does not have.
    package func respondUnknown() {
        respond(.failure(.unknownResource(exchange.request)))
    }

    /// Answers with what work brings that may take its time, off the loop. It is cancelled when the client goes.
    package func respond(_ work: @escaping @Sendable () async throws(LambdaFailure) -> HTTPResponse) {
        let bound = LoopBound(exchange, on: exchange.loop)
        let requestID = requestID
        let task = Task {
            let response: HTTPResponse
            do throws(LambdaFailure) { response = try await work() } catch {
                response = DoorAnswer.failure(error, requestID: requestID)
            }
            bound.loop.execute { bound.value.respond(response) }
        }
        exchange.onAbandoned = { task.cancel() }
    }

    /// The same for JSON.
    package func respondJSON(_ work: @escaping @Sendable () async throws(LambdaFailure) -> JSONValue) {
        let requestID = requestID
        respond { () async throws(LambdaFailure) -> HTTPResponse in
            DoorAnswer.json(200, try await work(), requestID: requestID)
        }
    }
}

extension LambdaFailure {
    static func unknownResource(_ request: HTTPRequest) -> LambdaFailure {
        LambdaFailure(
            "UnknownOperationException", status: 404,
            "There is no resource \(request.method) \(request.rawPath.prefix(256)) on this node.")
    }
}
