import Engine
package import HTTPServing
import Linux
import Synchronization

/// The HTTP door of the node: function URLs, and the pages that parts add.
///
/// Invariants
/// 1. A port that was asked for is served, or the node does not start; a usual port that is taken is a remark.
///    (test: `the usual HTTP port that is taken is a remark, one that was asked for an error`)
package enum HTTPPart {
    /// Makes the part for a node. It listens when this returns, so that other parts know where, and serves once all of
    /// them are made: who comes in between waits.
    package static let maker: NodePart.Maker = { node async throws(NodeFailure) in
        guard let wish = node.settings.lambda.http else { return NodePart(owner: nil, routes: []) }
        guard let socket = try listening(wish, node) else { return NodePart(owner: nil, routes: []) }
        let door = HTTPDoor(socket, IPAddress(wish.host)!)
        node.http.set(door.address)
        var part = NodePart(owner: nil, routes: []) { await door.close() }
        part.begin = { offers async throws(NodeFailure) in
            try await door.serve(offers, on: node.loops)
            // Whoever has chosen the port knows it.
            if wish.port == 0 { node.note("The node's pages and function URLs are at http://\(door.address).") }
        }
        return part
    }

    private static func listening(_ wish: ListenAddress, _ node: NodeSurroundings) throws(NodeFailure) -> OwnedFD? {
        do throws(SystemError) {
            return try InternetSocket.bind(
                .stream, to: InternetEndpoint(IPAddress(wish.host)!, wish.port), backlog: 1024)
        } catch {
            let sentence =
                error.code == .addressInUse
                ? "another program has this port. Choose another one or end it." : "\(error)."
            guard !wish.isAsked else {
                throw NodeFailure(.unavailable, "--http-listen \(wish): listen there: \(sentence)")
            }
            node.note("Pages, /metrics and function URLs are not served at \(wish): \(sentence) --http-listen chooses another port.")
            return nil
        }
    }
}

/// Where a node's HTTP door is, for the parts that are made after it.
package final class HTTPPlace: Sendable {
    private let place = Mutex<HTTPAddress?>(nil)

    /// With the real port; nil on a node without one.
    package var address: HTTPAddress? { place.withLock { $0 } }

    func set(_ address: HTTPAddress) { place.withLock { $0 = address } }
}

/// A socket that listens, then a listener that serves.
private final class HTTPDoor: Sendable {
    private struct State: ~Copyable {
        var socket: OwnedFD?
        var listener: HTTPListener?
    }

    let address: HTTPAddress
    private let listens: IPAddress
    private let state: Mutex<State>

    init(_ socket: consuming OwnedFD, _ host: IPAddress) {
        // A bound socket has an address.
        address = .tcp("\(host)", (try! InternetSocket.local(socket.raw))!.port)
        listens = host
        state = Mutex(State(socket: socket, listener: nil))
    }

    func serve(_ offers: NodeOffers, on loops: ServingLoops) async throws(NodeFailure) {
        guard let socket = state.withLock({ $0.socket.take() }) else { return }
        let table = PageRouter.Table(sites: offers.sites, pages: offers.pages, rule: HostRule(listens: listens))
        do throws(HTTPServingFailure) {
            let listener = try await HTTPListener.listen(on: .descriptor(socket), loops: loops) { PageRouter(table, on: $0) }
            state.withLock { $0.listener = listener }
        } catch { throw NodeFailure(.unavailable, "--http-listen: \(error).") }
    }

    /// Takes no more requests.
    func close() async {
        let listener = state.withLock { state in
            state.socket = nil
            return state.listener
        }
        listener?.close()
    }
}
