internal import HTTPServing
internal import Synchronization

/// A connection that was taken over, as a task reads and writes it.
///
/// Invariant: no more than `limit` bytes and what one read of the socket brought wait to be read here: then the client
/// is not read (`input that a program does not take is held back`).
final class DuplexPipe: ByteLink {
    private static let limit = 256 << 10

    private struct State {
        var chunks: [[UInt8]] = []
        var count = 0
        var isPaused = false
        var isEnded = false
        var isGone = false
        var waiter: UnsafeContinuation<[UInt8]?, Never>?
        var actions: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())
    private let duplex: LoopBound<any HTTPDuplex>
    private let sender: LoopSender

    /// On the loop, as soon as the connection was taken over.
    init(_ duplex: any HTTPDuplex) {
        let bound = LoopBound(duplex, on: duplex.loop)
        self.duplex = bound
        let sender = LoopSender(
            .init(
                isWritable: { bound.value.isWritable }, send: { bound.value.send($0) }, finish: { bound.value.finish() }
            ),
            on: duplex.loop)
        self.sender = sender
        duplex.onBytes = { [weak self] in self?.arrived($0) }
        duplex.onInputEnd = { [weak self] in self?.ended() }
        duplex.onWritable = { sender.becameWritable() }
        // It holds itself until the connection is gone.
        duplex.onClose = { self.gone() }
    }

    private func arrived(_ bytes: [UInt8]) {
        let (waiter, isToPause) = state.withLock { state -> (UnsafeContinuation<[UInt8]?, Never>?, Bool) in
            if let waiter = state.waiter {
                state.waiter = nil
                return (waiter, false)
            }
            state.chunks.append(bytes)
            state.count += bytes.count
            guard state.count > Self.limit, !state.isPaused else { return (nil, false) }
            state.isPaused = true
            return (nil, true)
        }
        waiter?.resume(returning: bytes)
        if isToPause { duplex.value.pause() }
    }

    private func ended() {
        let waiter = state.withLock { state in
            state.isEnded = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: nil)
    }

    private func gone() {
        sender.gone()
        ended()
        let actions = state.withLock { state in
            state.isGone = true
            defer { state.actions = [] }
            return state.actions
        }
        for action in actions { action() }
    }

    func next() async -> [UInt8]? {
        await withUnsafeContinuation { continuation in
            let (early, isToResume) = state.withLock { state -> ([UInt8]??, Bool) in
                if !state.chunks.isEmpty {
                    let bytes = state.chunks.count == 1 ? state.chunks[0] : Array(state.chunks.joined())
                    state.chunks.removeAll(keepingCapacity: true)
                    state.count = 0
                    defer { state.isPaused = false }
                    return (.some(bytes), state.isPaused)
                }
                if state.isEnded { return (.some(nil), false) }
                precondition(state.waiter == nil, "one task reads a connection")
                state.waiter = continuation
                return (nil, false)
            }
            if isToResume { duplex.loop.execute { self.duplex.value.resume() } }
            if let early { continuation.resume(returning: early) }
        }
    }

    func send(_ bytes: [UInt8]) async -> Bool { await sender.send(bytes) }
    func give(_ bytes: [UInt8]) { sender.give(bytes) }
    func finish() { sender.finish() }
    func abort() { duplex.loop.execute { self.duplex.value.abort() } }

    func whenGone(_ action: @escaping @Sendable () -> Void) {
        let isGone = state.withLock { state in
            if !state.isGone { state.actions.append(action) }
            return state.isGone
        }
        if isGone { action() }
    }
}
