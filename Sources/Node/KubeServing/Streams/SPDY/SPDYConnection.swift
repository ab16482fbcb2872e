internal import Synchronization

/// The server's side of SPDY/3.1 on a link: streams that the client opens, read by one task.
///
/// Invariants (tests in SPDYTests):
/// 1. Streams have odd numbers that grow, and there are `streamLimit` at most: others are reset
///    (`streams that a client may not open are reset`).
/// 2. Replies leave in the order in which they were packed: each continues the compression of the last
///    (`streams that a client may not open are reset`).
/// 3. Nothing is sent on a stream that the server has ended or that was reset
///    (`nothing is sent on a stream that was reset`).
final class SPDYConnection: Sendable {
    /// Open at once.
    static let streamLimit = 2048
    /// Largest piece of data in a frame, bytes.
    private static let pieceLimit = 64 << 10

    private struct Stream {
        var isEndedHere = false
        var isEndedThere = false
    }

    private struct State {
        var decoder = SPDYDecoder()
        var encoder = SPDYEncoder()
        var streams: [UInt32: Stream] = [:]
        var last: UInt32 = 0
        var isClosing = false
        /// Of the server's own pings: even.
        var ping: UInt32 = 0
    }

    private let link: any ByteLink
    private let state = Mutex(State())

    init(_ link: any ByteLink) { self.link = link }

    /// What the client did with its streams, waiting for it; nil when it has gone. Streams are replied to, pings
    /// answered.
    func next() async -> [SPDYDecoder.Event]? {
        while let bytes = await link.next() {
            let (events, isOver) = take(bytes)
            if !events.isEmpty { return events }
            if isOver { return nil }
        }
        return nil
    }

    private func take(_ bytes: [UInt8]) -> (events: [SPDYDecoder.Event], isOver: Bool) {
        state.withLock { state in
            if state.isClosing { return ([], true) }
            var events: [SPDYDecoder.Event] = []
            do throws(SPDYViolation) {
                for event in try state.decoder.decode(bytes) {
                    if case .goAway = event {
                        close(&state, isViolation: false)
                        return (events, true)
                    }
                    if accept(event, &state) { events.append(event) }
                }
            } catch {
                close(&state, isViolation: true)
                return (events, true)
            }
            return (events, false)
        }
    }

    /// Whether an event is the reader's business.
    private func accept(_ event: SPDYDecoder.Event, _ state: inout State) -> Bool {
        switch event {
        case .opened(let stream, _, let isLast):
            guard stream % 2 == 1, stream > state.last else {
                link.give(state.encoder.reset(stream, .protocolError))
                return false
            }
            state.last = stream
            guard state.streams.count < Self.streamLimit else {
                link.give(state.encoder.reset(stream, .refused))
                return false
            }
            state.streams[stream] = Stream(isEndedThere: isLast)
            link.give(state.encoder.reply(stream))
            return true
        case .data(let stream, _, let isLast):
            guard var known = state.streams[stream], !known.isEndedThere else { return false }
            if isLast {
                known.isEndedThere = true
                state.streams[stream] = known.isEndedHere ? nil : known
            }
            return true
        case .reset(let stream): return state.streams.removeValue(forKey: stream) != nil
        case .ping(let id):
            // Even ones are the server's own, answered.
            if id % 2 == 1 { link.give(state.encoder.ping(id)) }
            return false
        case .goAway: return false
        }
    }

    /// Sends data of a stream. Returns when there is room for more; false when nobody takes any.
    func send(_ bytes: [UInt8], on stream: UInt32) async -> Bool {
        for start in stride(from: 0, to: bytes.count, by: Self.pieceLimit) {
            let piece =
                bytes.count <= Self.pieceLimit ? bytes : Array(bytes[start..<min(start + Self.pieceLimit, bytes.count)])
            guard state.withLock({ !$0.isClosing && $0.streams[stream]?.isEndedHere == false }) else { return false }
            guard await link.send(SPDYEncoder.data(stream, piece, isLast: false)) else { return false }
        }
        return true
    }

    /// Ends what the server sends on a stream, after some last bytes.
    func end(_ stream: UInt32, _ bytes: [UInt8] = []) {
        state.withLock { state in
            guard !state.isClosing, var known = state.streams[stream], !known.isEndedHere else { return }
            known.isEndedHere = true
            state.streams[stream] = known.isEndedThere ? nil : known
            link.give(SPDYEncoder.data(stream, bytes, isLast: true))
        }
    }

    func reset(_ stream: UInt32) {
        state.withLock { state in
            guard !state.isClosing, state.streams.removeValue(forKey: stream) != nil else { return }
            link.give(state.encoder.reset(stream, .internalError))
        }
    }

    func ping() {
        state.withLock { state in
            guard !state.isClosing else { return }
            state.ping = state.ping &+ 2
            link.give(state.encoder.ping(state.ping))
        }
    }

    /// Says goodbye and ends the connection. Once.
    func close() { state.withLock { close(&$0, isViolation: false) } }

    private func close(_ state: inout State, isViolation: Bool) {
        guard !state.isClosing else { return }
        state.isClosing = true
        link.give(state.encoder.goAway(last: state.last, isViolation: isViolation))
        link.finish()
    }

    func abort() {
        let isClosing = state.withLock { state in
            defer { state.isClosing = true }
            return state.isClosing
        }
        if !isClosing { link.abort() }
    }

    func whenGone(_ action: @escaping @Sendable () -> Void) { link.whenGone(action) }
}
