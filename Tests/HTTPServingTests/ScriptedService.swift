@testable import HTTPServing

/// A service that does what a test's closure says.
final class ScriptedService: HTTPService {
    private let script: (any HTTPExchange) -> BodyReading

    init(_ script: @escaping (any HTTPExchange) -> BodyReading) { self.script = script }

    func receive(_ exchange: any HTTPExchange) -> BodyReading { script(exchange) }

    /// Answers with what came: method, target and body.
    static func echo() -> ScriptedService {
        ScriptedService { exchange in
            .whole(limit: 1 << 20) { body in
                let line = "\(exchange.request.method) \(exchange.request.target) "
                exchange.respond(HTTPResponse(200, body: Array(line.utf8) + body))
            }
        }
    }
}

/// A loop with a listener on a TCP port.
struct ServedLoop {
    let loops: ServingLoops
    let listener: HTTPListener

    var loop: ServingLoop { loops.loops[0] }
    var address: HTTPAddress { listener.address! }

    /// Serves while `body` runs, then ends everything.
    static func with<Value>(
        limits: HTTPLimits = HTTPLimits(), _ script: @escaping @Sendable (any HTTPExchange) -> BodyReading,
        _ body: (ServedLoop) async throws -> Value
    ) async throws -> Value {
        let loops = ServingLoops(count: 1)
        let listener = try await HTTPListener.listen(on: .tcp("127.0.0.1", 0), loop: loops.loops[0], limits: limits) {
            _ in
            ScriptedService(script)
        }
        let served = ServedLoop(loops: loops, listener: listener)
        do {
            let value = try await body(served)
            await served.end()
            return value
        } catch {
            await served.end()
            throw error
        }
    }

    private func end() async {
        await listener.close(after: .zero)
        await loops.shutDown()
    }
}

/// Answers each request with "METHOD TARGET BODY".
@Sendable func echo(_ exchange: any HTTPExchange) -> BodyReading {
    .whole(limit: 1 << 20) { body in
        let line = "\(exchange.request.method) \(exchange.request.target) "
        exchange.respond(HTTPResponse(200, body: Array(line.utf8) + body))
    }
}

extension HTTPResponse {
    var text: String { String(decoding: body, as: UTF8.self) }
}
