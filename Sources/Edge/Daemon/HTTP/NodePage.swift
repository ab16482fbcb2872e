package import HTTPServing

/// Something that a part of the node serves at the node's own HTTP address, by path.
package struct NodePage: Sendable {
    package enum Path: Hashable, Sendable {
        /// This path alone: "/metrics".
        case exactly(String)
        /// The path and all below it: "/dashboard" is also "/dashboard/functions", and not "/dashboards".
        case below(String)
    }

    package var path: Path
    /// Makes what answers on a loop, on that loop, when the first request comes there.
    package var service: @Sendable (ServingLoop) -> any HTTPService

    package init(_ path: Path, _ service: @escaping @Sendable (ServingLoop) -> any HTTPService) {
        self.path = path
        self.service = service
    }

    /// A page whose answers are made by a task, each with the whole body of its request.
    ///
    /// - Parameter limit: of a request's body, bytes.
    package init(
        _ path: Path, limit: Int = 0, answer: @escaping @Sendable (PageRequest) async -> HTTPResponse
    ) {
        self.init(path) { TaskAnswers(on: $0, limit: limit, answer) }
    }
}

/// A request to a page with all that came.
package struct PageRequest: Sendable {
    package var request: HTTPRequest
    package var body: [UInt8]
    /// The client's address without its port.
    package var peer: String?

    package init(_ request: HTTPRequest, body: [UInt8] = [], peer: String? = nil) {
        self.request = request
        self.body = body
        self.peer = peer
    }
}

/// Requests that are somebody's by more than their path, whatever host they name: function URLs.
package struct NodeSite: Sendable {
    /// Whether a request is this site's.
    package var owns: @Sendable (HTTPRequest) -> Bool
    package var service: @Sendable (ServingLoop) -> any HTTPService

    package init(
        owns: @escaping @Sendable (HTTPRequest) -> Bool, service: @escaping @Sendable (ServingLoop) -> any HTTPService
    ) {
        self.owns = owns
        self.service = service
    }
}

/// Answers from tasks, so that the loop goes on with others meanwhile.
private final class TaskAnswers: HTTPService {
    private let loop: ServingLoop
    private let limit: Int
    private let answer: @Sendable (PageRequest) async -> HTTPResponse

    init(on loop: ServingLoop, limit: Int, _ answer: @escaping @Sendable (PageRequest) async -> HTTPResponse) {
        self.loop = loop
        self.limit = limit
        self.answer = answer
    }

    func receive(_ exchange: any HTTPExchange) -> BodyReading {
        .whole(limit: limit) { [loop, answer] body in
            let request = PageRequest(exchange.request, body: body, peer: exchange.peerAddress)
            let bound = LoopBound(exchange, on: loop)
            let task = Task {
                let response = await answer(request)
                loop.execute { bound.value.respond(response) }
            }
            exchange.onAbandoned = { task.cancel() }
        }
    }
}
