internal import HTTPServing
internal import Synchronization

/// Bytes from a task to a connection on its loop: what comes while the loop is busy goes out together, and a sender
/// waits while the client takes less than it is given.
///
/// Invariants (tests in LoopSenderTests):
/// 1. Bytes go out in the order in which they were given, and a part at once when the loop is free
///    (`parts arrive in order whatever the pace`).
/// 2. No more than `limit` bytes and one part wait here (`parts arrive in order whatever the pace`).
/// 3. Every wait ends: the connection takes bytes, or it is gone (`a sender whose client has gone is let go`).
/// 4. An end is given once: a write can make the connection writable before it returns, and so drain again
///    (`an end is given once, though the connection takes bytes again while it is given the last`).
final class LoopSender: Sendable {
    /// Bytes that may wait before a sender does.
    private static let limit = 256 << 10

    /// Where the bytes go, on the loop.
    struct Outlet {
        var isWritable: () -> Bool
        var send: ([UInt8]) -> Void
        var finish: () -> Void
    }

    private struct State {
        var bytes: [UInt8] = []
        var isScheduled = false
        var isEnded = false
        var isGone = false
        var waiters: [UnsafeContinuation<Bool, Never>] = []
    }

    private let state = Mutex(State())
    private let outlet: LoopBound<Outlet>

    init(_ outlet: Outlet, on loop: ServingLoop) { self.outlet = LoopBound(outlet, on: loop) }

    /// Gives bytes. Returns when there is room for more; false when nobody takes any.
    func send(_ bytes: [UInt8]) async -> Bool {
        guard give(bytes) else { return false }
        guard state.withLock({ $0.bytes.count > Self.limit && !$0.isGone }) else { return !isGone }
        return await withUnsafeContinuation { continuation in
            let early: Bool? = state.withLock { state in
                if state.isGone { return false }
                if state.bytes.count <= Self.limit { return true }
                state.waiters.append(continuation)
                return nil
            }
            if let early { continuation.resume(returning: early) }
        }
    }

    /// Gives bytes without waiting for room: small ones, of a protocol's own. False when nobody takes any.
    @discardableResult
    func give(_ bytes: [UInt8]) -> Bool {
        let (isTaken, isToSchedule) = state.withLock { state -> (Bool, Bool) in
            guard !state.isGone, !state.isEnded else { return (false, false) }
            if state.bytes.isEmpty { state.bytes = bytes } else { state.bytes += bytes }
            defer { state.isScheduled = true }
            return (true, !state.isScheduled)
        }
        if isToSchedule { outlet.loop.execute { self.drain() } }
        return isTaken
    }

    /// Ends it when all that was given has gone out.
    func finish() {
        let isToSchedule = state.withLock { state in
            guard !state.isEnded, !state.isGone else { return false }
            state.isEnded = true
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if isToSchedule { outlet.loop.execute { self.drain() } }
    }

    var isGone: Bool { state.withLock { $0.isGone } }

    /// The connection takes bytes again. On the loop.
    func becameWritable() {
        let isToDrain = state.withLock { state in
            guard !state.isScheduled, !state.isGone, !state.bytes.isEmpty || state.isEnded else { return false }
            state.isScheduled = true
            return true
        }
        if isToDrain { drain() }
    }

    /// The connection is not there any more.
    func gone() { _ = leave() }

    /// Lets go of who waits; false when that was done before.
    private func leave() -> Bool {
        let (isFirst, waiters) = state.withLock { state in
            defer {
                state.isGone = true
                state.bytes = []
                state.waiters = []
            }
            return (!state.isGone, state.waiters)
        }
        for waiter in waiters { waiter.resume(returning: false) }
        return isFirst
    }

    private func drain() {
        let outlet = outlet.value
        guard outlet.isWritable() else {
            // What waits goes out when the client has taken what it has.
            return state.withLock { $0.isScheduled = false }
        }
        let (bytes, isLast, waiters) = state.withLock { state in
            state.isScheduled = false
            let taken = state.bytes
            state.bytes = []
            defer { state.waiters = [] }
            return (taken, state.isEnded && !state.isGone, state.waiters)
        }
        if !bytes.isEmpty { outlet.send(bytes) }
        for waiter in waiters { waiter.resume(returning: true) }
        if isLast, leave() { outlet.finish() }
    }
}
