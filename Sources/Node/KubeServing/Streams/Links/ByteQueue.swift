internal import Synchronization

/// Bytes from one task to another: whoever puts them waits while too many are in it.
final class ByteQueue: Sendable {
    private static let limit = 256 << 10

    private struct State {
        var chunks: [[UInt8]] = []
        var count = 0
        /// No more is put.
        var isEnded = false
        /// No more is taken.
        var isClosed = false
        var taker: UnsafeContinuation<[UInt8]?, Never>?
        var putters: [UnsafeContinuation<Bool, Never>] = []
    }

    private let state = Mutex(State())

    /// Returns when there is room for more; false when nobody takes any.
    func put(_ bytes: [UInt8]) async -> Bool {
        if bytes.isEmpty { return true }
        return await withUnsafeContinuation { continuation in
            let (taker, early) = state.withLock { state -> (UnsafeContinuation<[UInt8]?, Never>?, Bool?) in
                if state.isClosed || state.isEnded { return (nil, false) }
                if let taker = state.taker {
                    state.taker = nil
                    return (taker, true)
                }
                state.chunks.append(bytes)
                state.count += bytes.count
                if state.count <= Self.limit { return (nil, true) }
                state.putters.append(continuation)
                return (nil, nil)
            }
            taker?.resume(returning: bytes)
            if let early { continuation.resume(returning: early) }
        }
    }

    /// What was put, waiting for it; nil at the end.
    func next() async -> [UInt8]? {
        await withUnsafeContinuation { continuation in
            let (early, putters) = state.withLock { state -> ([UInt8]??, [UnsafeContinuation<Bool, Never>]) in
                if !state.chunks.isEmpty {
                    let bytes = state.chunks.count == 1 ? state.chunks[0] : Array(state.chunks.joined())
                    state.chunks = []
                    state.count = 0
                    defer { state.putters = [] }
                    return (.some(bytes), state.putters)
                }
                if state.isEnded || state.isClosed { return (.some(nil), []) }
                state.taker = continuation
                return (nil, [])
            }
            for putter in putters { putter.resume(returning: true) }
            if let early { continuation.resume(returning: early) }
        }
    }

    /// No more is put: the taker gets what there is, then the end.
    func end() {
        let taker = state.withLock { state in
            state.isEnded = true
            defer { state.taker = nil }
            return state.taker
        }
        taker?.resume(returning: nil)
    }

    /// Nobody takes any more; what is in it is thrown away.
    func close() {
        let (taker, putters) = state.withLock { state in
            state.isClosed = true
            state.chunks = []
            state.count = 0
            defer {
                state.taker = nil
                state.putters = []
            }
            return (state.taker, state.putters)
        }
        taker?.resume(returning: nil)
        for putter in putters { putter.resume(returning: false) }
    }
}
