internal import Synchronization

/// What waits for one watcher to be read.
///
/// A watcher is **live** when it has been given everything up to the newest event and each new one is given to it; before
/// that it fetches what lies behind, in its own time.
///
/// Invariants
/// 1. Nobody waits for a watcher: when `limit` events, or events of `bytesLimit` bytes, wait for it already, one more ends it.
///    (tests: `a watcher that does not read ends with an error, and others hear everything`,
///    `a watcher that does not read large objects is ended by their bytes`)
/// 2. An event is given to it once, however it comes: `position` is the last one.
///    (test: `what a list has shown is not told again when it is published`)
final class WatchBuffer: Sendable {
    enum Item: Sendable {
        /// Of the list that a watch begins with.
        case listed(StoredObject)
        case event(ObjectEvent)
        case bookmark(Int64, endsInitialEvents: Bool)

        var eventBytes: Int {
            if case .event(let event) = self { event.object.bytes.count } else { 0 }
        }
    }

    enum Taken: Sendable {
        case item(Item)
        /// Nothing waits, and nothing will come by itself: go on behind `position`.
        case behind
        case ended(ObjectStoreFailure?)
    }

    private enum Ending: Sendable {
        case quietly
        case failed(ObjectStoreFailure)
    }

    private struct State {
        var pending = Fifo<Item>()
        /// Of the events among them. A list that a watch begins with is as long as it is.
        var bytes = 0
        var position: Int64 = 0
        var isLive = false
        var ending: Ending?
        var waiter: UnsafeContinuation<Taken, Never>?

        /// Gives an item to who waits, or lets it wait.
        mutating func give(_ item: Item) {
            if let waiter {
                self.waiter = nil
                waiter.resume(returning: .item(item))
            } else {
                pending.append(item)
                bytes += item.eventBytes
            }
        }

        mutating func popFirst() -> Item? {
            let item = pending.popFirst()
            bytes -= item?.eventBytes ?? 0
            return item
        }
    }

    let scope: ResourceScope
    let limit: Int
    let bytesLimit: Int
    let wantsBookmarks: Bool
    private let state = Mutex(State())

    init(_ scope: ResourceScope, limit: Int, bytes: Int = .max, wantsBookmarks: Bool) {
        precondition(limit > 0, "a watcher for whom nothing may wait")
        self.scope = scope
        self.limit = limit
        bytesLimit = bytes
        self.wantsBookmarks = wantsBookmarks
    }

    /// The revision up to which it was given everything.
    var position: Int64 { state.withLock { $0.position } }

    /// The next item, waiting for it while live. Cancelling the task ends the watch.
    func take() async -> Taken {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (waiter: UnsafeContinuation<Taken, Never>) in
                let taken = state.withLock { Self.take(&$0, waiter) }
                if let taken { waiter.resume(returning: taken) }
            }
        } onCancel: {
            cancel()
        }
    }

    private static func take(_ state: inout State, _ waiter: UnsafeContinuation<Taken, Never>) -> Taken? {
        precondition(state.waiter == nil, "two tasks read one watch")
        if let item = state.popFirst() { return .item(item) }
        switch state.ending {
        case .quietly: return .ended(nil)
        case .failed(let failure):
            state.ending = .quietly
            return .ended(failure)
        case nil: break
        }
        guard state.isLive else { return .behind }
        state.waiter = waiter
        return nil
    }

    /// Gives it what lies behind its position.
    ///
    /// - Parameters:
    ///   - position: up to which the items are everything.
    ///   - isLive: whether each new event will be pushed from now on.
    /// - Returns: whether it is live now; one that has ended is not.
    func fill(_ items: [Item], upTo position: Int64, isLive: Bool) -> Bool {
        state.withLock { state in
            guard state.ending == nil else { return false }
            for item in items { state.give(item) }
            state.position = max(state.position, position)
            state.isLive = isLive
            return isLive
        }
    }

    /// Gives a live watcher a new event.
    /// - Returns: false when it has ended, and needs no more.
    func push(_ event: ObjectEvent) -> Bool {
        state.withLock { state in
            guard state.isLive else { return false }
            // It may have begun with a list that shows this event's write already.
            guard event.revision > state.position else { return true }
            let hasRoom = state.pending.count < limit && state.bytes < bytesLimit
            guard state.waiter != nil || hasRoom else {
                state.isLive = false
                state.ending = .failed(.slowConsumer(limit: limit))
                return false
            }
            state.position = event.revision
            state.give(.event(event))
            return true
        }
    }

    /// Tells a live watcher how far it is; one with much to read is told later.
    func pushBookmark(_ newest: Int64) {
        state.withLock { state in
            guard state.isLive, state.waiter != nil || state.pending.count < limit else { return }
            state.give(.bookmark(max(newest, state.position), endsInitialEvents: false))
        }
    }

    /// Ends it when what waits has been read.
    func end(_ failure: ObjectStoreFailure? = nil) {
        state.withLock { state in
            guard state.ending == nil else { return }
            state.isLive = false
            state.ending = failure.map { .failed($0) } ?? .quietly
            guard let waiter = state.waiter else { return }
            state.waiter = nil
            state.ending = .quietly
            waiter.resume(returning: .ended(failure))
        }
    }

    /// Ends it at once.
    func cancel() {
        state.withLock { ($0.pending, $0.bytes) = (Fifo(), 0) }
        end()
    }
}
