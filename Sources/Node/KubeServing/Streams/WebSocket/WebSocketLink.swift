internal import Synchronization

/// A WebSocket on a connection: messages in pieces, pings answered, closings agreed upon.
final class WebSocketLink: Sendable {
    private struct State {
        var decoder = WebSocketDecoder()
        /// A close frame was sent.
        var isClosing = false
    }

    private let link: any ByteLink
    private let state = Mutex(State())

    init(_ link: any ByteLink) { self.link = link }

    /// Pieces of messages that have come, waiting for some; nil when it is over.
    func next() async -> [WebSocketDecoder.Event]? {
        while let bytes = await link.next() {
            let events: [WebSocketDecoder.Event]
            do throws(WebSocketViolation) {
                events = try state.withLock { state throws(WebSocketViolation) in try state.decoder.decode(bytes) }
            } catch {
                close(error.code, error.reason)
                return nil
            }
            var pieces: [WebSocketDecoder.Event] = []
            for event in events {
                switch event {
                case .piece: pieces.append(event)
                case .ping(let payload): give(WebSocketEncoder.frame(.pong, payload))
                case .pong: break
                case .close(let code):
                    close(code ?? 1000, "")
                    return pieces.isEmpty ? nil : pieces
                }
            }
            if !pieces.isEmpty { return pieces }
        }
        return nil
    }

    /// Sends one message. Returns when there is room for more; false when nobody takes any.
    func send(_ kind: WebSocketEncoder.Kind, first: UInt8? = nil, _ payload: some Collection<UInt8> & Sendable) async
        -> Bool
    {
        guard !state.withLock({ $0.isClosing }) else { return false }
        return await link.send(WebSocketEncoder.frame(kind, first: first, payload))
    }

    func give(_ frame: [UInt8]) {
        guard !state.withLock({ $0.isClosing }) else { return }
        link.give(frame)
    }

    /// Says goodbye and ends the connection. Once.
    func close(_ code: UInt16, _ reason: String) {
        let isFirst = state.withLock { state in
            defer { state.isClosing = true }
            return !state.isClosing
        }
        guard isFirst else { return }
        link.give(WebSocketEncoder.close(code, reason))
        link.finish()
    }

    /// Ends it at once, unless a goodbye is under way already.
    func abort() {
        let isClosing = state.withLock { state in
            defer { state.isClosing = true }
            return state.isClosing
        }
        if !isClosing { link.abort() }
    }

    func whenGone(_ action: @escaping @Sendable () -> Void) { link.whenGone(action) }
}

/// Bytes within a WebSocket's binary messages, whose boundaries mean nothing: SPDY as kubectl tunnels it.
final class WebSocketTunnel: ByteLink {
    private let socket: WebSocketLink

    init(_ link: any ByteLink) { socket = WebSocketLink(link) }

    func next() async -> [UInt8]? {
        while let pieces = await socket.next() {
            var all: [UInt8] = []
            for case .piece(let bytes, _, _) in pieces {
                if all.isEmpty { all = bytes } else { all += bytes }
            }
            if !all.isEmpty { return all }
        }
        return nil
    }

    func send(_ bytes: [UInt8]) async -> Bool { await socket.send(.binary, bytes) }
    func give(_ bytes: [UInt8]) { socket.give(WebSocketEncoder.frame(.binary, bytes)) }
    func finish() { socket.close(1000, "") }
    func abort() { socket.abort() }
    func whenGone(_ action: @escaping @Sendable () -> Void) { socket.whenGone(action) }
}
