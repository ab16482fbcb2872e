internal import Synchronization

/// A change that waits to be written.
struct PendingWrite: Sendable {
    /// Runs the change and returns how to tell its outcome, which is done when the transaction has ended.
    var perform: @Sendable (Connection) -> PerformedWrite
    /// Tells that it was never run.
    var refuse: @Sendable (StoreFailure) -> Void
}

/// A change that was run in a transaction.
struct PerformedWrite {
    /// Why it must be undone; nil when it may stand.
    var failure: StoreFailure?
    /// Tells the outcome: what the change gave, or why the transaction as a whole has failed.
    var tell: (StoreFailure?) -> Void
}

/// The changes that wait, in the order in which they came, and whether somebody writes them.
///
/// Invariants
/// 1. At most `limit` changes wait; one more is refused, not piled up. (test: `more changes than may wait are refused`)
/// 2. There is one writer at a time, and none is missing while changes wait.
///    (test: `changes of many writers are made one after the other, all of them`)
final class WriteQueue: Sendable {
    private struct State {
        var waiting: [PendingWrite] = []
        var isDrained = true
        var isClosed = false
        var onceDrained: [@Sendable () -> Void] = []
    }

    enum Admission { case refused(StoreFailure), queued, queuedFirst }

    private let state = Mutex(State())
    private let limit: Int
    private let path: String

    init(limit: Int, path: String) {
        self.limit = limit
        self.path = path
    }

    var count: Int { state.withLock { $0.waiting.count } }

    /// Appends a change. `queuedFirst`: the caller has to see to it that somebody begins to take.
    func append(_ write: PendingWrite) -> Admission {
        state.withLock { state in
            if state.isClosed {
                return .refused(StoreFailure(.refused, "change \(path): it has been closed, so nothing was done."))
            }
            guard state.waiting.count < limit else {
                return .refused(
                    StoreFailure(
                        .refused,
                        "change \(path): \(limit) changes wait for the disk already, so nothing was done. Try again later."))
            }
            state.waiting.append(write)
            guard state.isDrained else { return .queued }
            state.isDrained = false
            return .queuedFirst
        }
    }

    /// Up to `limit` changes; none when nothing waits, and then the taker has to stop.
    func take(limit: Int) -> [PendingWrite] {
        let (group, drained) = state.withLock { state -> ([PendingWrite], [@Sendable () -> Void]) in
            if state.waiting.isEmpty {
                state.isDrained = true
                defer { state.onceDrained = [] }
                return ([], state.onceDrained)
            }
            if state.waiting.count <= limit {
                defer { state.waiting = [] }
                return (state.waiting, [])
            }
            let group = Array(state.waiting[..<limit])
            state.waiting.removeFirst(limit)
            return (group, [])
        }
        for tell in drained { tell() }
        return group
    }

    /// Takes no more changes and tells when the last has been written.
    func close(_ then: @escaping @Sendable () -> Void) {
        let isDrained = state.withLock { state in
            state.isClosed = true
            if !state.isDrained { state.onceDrained.append(then) }
            return state.isDrained
        }
        if isDrained { then() }
    }
}
