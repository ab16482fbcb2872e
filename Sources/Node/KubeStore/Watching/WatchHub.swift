internal import Synchronization

/// The window of recent events and the live watchers, which get each event as it is committed.
///
/// Locks are taken in the order hub, buffer; what is done under them is short and never waits.
///
/// Invariants
/// 1. Between what a watcher is given from the window and the first event that is pushed to it nothing can happen: both are
///    under one lock. (test: `a watcher that starts among writes misses nothing`)
/// 2. A watch that nobody holds, or that has ended, is forgotten.
///    (tests: `a watch that is dropped is forgotten`, `a watcher that was too slow is forgotten`)
final class WatchHub: Sendable {
    private struct State {
        var window: EventWindow
        var compacted: Int64
        /// By resource.
        var watchers: [String: [ObjectIdentifier: WatchBuffer]] = [:]
        var isEnded = false
    }

    private let state: Mutex<State>

    init(_ history: HistoryBounds, _ limits: WatchLimits) {
        let window = EventWindow(behind: history.newest, count: limits.windowEvents, bytes: limits.windowBytes)
        state = Mutex(State(window: window, compacted: history.compacted))
    }

    /// What has been published, which may be less than what is in the database for the length of a commit.
    var history: HistoryBounds {
        state.withLock { HistoryBounds(compacted: $0.compacted, newest: $0.window.newest) }
    }

    var watcherCount: Int { state.withLock { $0.watchers.values.reduce(0) { $0 + $1.count } } }

    /// Tells all live watchers. Called on the thread that commits, in the order of the revisions.
    func publish(_ events: [ObjectEvent]) {
        state.withLock { state in
            for event in events {
                state.window.append(event)
                for (id, buffer) in state.watchers[event.key.resource] ?? [:] where buffer.scope.contains(event.key) {
                    if !buffer.push(event) { state.watchers[event.key.resource]?[id] = nil }
                }
            }
        }
    }

    /// Gives a watcher what the window has for it, and makes it live when that is all.
    /// - Returns: false when its position lies before the window.
    func join(_ buffer: WatchBuffer) -> Bool {
        state.withLock { state in
            let position = buffer.position
            guard position >= state.window.floor else { return false }
            let found = state.window.events(after: position, in: buffer.scope, limit: buffer.limit)
            Self.enter(buffer, found.events.map { .event($0) }, upTo: found.position, &state)
            return true
        }
    }

    /// Makes a watcher live that begins now.
    func joinNow(_ buffer: WatchBuffer) {
        state.withLock { state in Self.enter(buffer, [], upTo: state.window.newest, &state) }
    }

    private static func enter(
        _ buffer: WatchBuffer, _ items: [WatchBuffer.Item], upTo position: Int64, _ state: inout State
    ) {
        if state.isEnded { return buffer.end() }
        if buffer.fill(items, upTo: position, isLive: position >= state.window.newest) {
            state.watchers[buffer.scope.resource, default: [:]][ObjectIdentifier(buffer)] = buffer
        }
    }

    func leave(_ buffer: WatchBuffer) {
        state.withLock { state in
            state.watchers[buffer.scope.resource]?[ObjectIdentifier(buffer)] = nil
            if state.watchers[buffer.scope.resource]?.isEmpty == true { state.watchers[buffer.scope.resource] = nil }
        }
    }

    func sendBookmarks() {
        state.withLock { state in
            for watchers in state.watchers.values {
                for buffer in watchers.values where buffer.wantsBookmarks { buffer.pushBookmark(state.window.newest) }
            }
        }
    }

    func compacted(to revision: Int64) {
        state.withLock { $0.compacted = max($0.compacted, revision) }
    }

    /// Ends all watches, and those that begin later.
    func end() {
        state.withLock { state in
            state.isEnded = true
            for watchers in state.watchers.values {
                for buffer in watchers.values { buffer.end() }
            }
            state.watchers = [:]
        }
    }
}
