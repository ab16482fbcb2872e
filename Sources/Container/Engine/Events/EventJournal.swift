package import Linux
import Synchronization

/// What happened lately on this node, in order, and those who want to hear of it.
///
/// It is kept in memory and ends with the node: what must be known later is in the records of containers, images,
/// volumes and networks. A reader that asks for a time before the node's start gets what there is.
///
/// Invariants
/// 1. Times never go back: events are numbered and dated in one step. (test: `events come in the order of their times`)
/// 2. Memory is bounded: of more than `historyLimit` events the oldest go. (test: `the history is bounded`)
/// 3. No reader holds up who notes an event; one that is further behind than the history is told so, not served with a
///    gap. (test: `a reader that is too slow is told that it missed events`)
package final class EventJournal: Sendable {
    /// As many as Docker keeps, four times over.
    package static let historyLimit = 1024

    private struct State {
        var events: [NodeEvent] = []
        /// The number of the first of them.
        var first = 0
        var lastTime = Timestamp(nanoseconds: 0)
        var counts: [EventVerb: Int] = [:]
    }

    private struct EventVerb: Hashable {
        var kind: NodeEvent.Kind
        var verb: Substring
    }

    private let state = Mutex(State())
    /// The number that the next event will have.
    private let next = Published(0)
    private let now: @Sendable () -> Timestamp

    package init(now: @escaping @Sendable () -> Timestamp = { Clock.now() }) { self.now = now }

    /// Notes that something happened, just now.
    ///
    /// - Parameters:
    ///   - subject: a container's id, an image's name or digest, a network's id, a volume's name.
    ///   - name: becomes the attribute "name".
    package func note(
        _ kind: NodeEvent.Kind, _ action: String, subject: String, name: String? = nil,
        attributes: [String: String] = [:]
    ) {
        var attributes = attributes
        if let name { attributes["name"] = name }
        let time = now()
        state.withLock { state in
            state.lastTime = max(state.lastTime, time)
            let event = NodeEvent(
                time: state.lastTime, kind: kind, action: action, subject: subject, attributes: attributes)
            state.events.append(event)
            state.counts[EventVerb(kind: kind, verb: event.verb), default: 0] += 1
            // Dropped by halves: one at a time would move the rest each time.
            if state.events.count >= 2 * Self.historyLimit {
                state.first += Self.historyLimit
                state.events.removeFirst(Self.historyLimit)
            }
            // Under the lock, so that numbers are published in order.
            next.set(state.first + state.events.count)
        }
    }

    /// How often what happened since the node began, in a fixed order.
    package var counts: [(kind: NodeEvent.Kind, verb: String, count: Int)] {
        state.withLock { $0.counts }.map { ($0.key.kind, String($0.key.verb), $0.value) }
            .sorted { ($0.kind.rawValue, $0.verb) < ($1.kind.rawValue, $1.verb) }
    }

    /// Reads the history since a time, then what comes.
    ///
    /// - Throws: `badRequest` for a filter that does not exist, `cancelled` when the reading task is, `conflict` when
    ///   the reader was so slow that events got lost to it.
    package func read(
        _ request: ReadEvents, deliver: (NodeEvent) async throws(NodeFailure) -> Void
    ) async throws(NodeFailure) {
        let filter = try EventFilter(request.filters)
        var cursor = state.withLock { state in
            guard let since = request.since else { return state.first + state.events.count }
            let at = state.events.firstIndex { $0.time >= since } ?? state.events.count
            // What is older than the limit is about to go.
            return state.first + max(at, state.events.count - Self.historyLimit)
        }
        let timer = Timer(until: request.until, now: now())
        defer { timer.cancel() }
        while true {
            // Asked before reading: what happened before the end is read after it.
            let isOver = timer.isOver
            let events = try after(&cursor)
            for event in events {
                if let until = request.until, event.time > until { return }
                if filter.wants(event) { try await deliver(event) }
            }
            if !events.isEmpty { continue }
            if isOver { return }
            let seen = cursor
            guard await timer.wait({ await self.next.wait { $0 > seen } != nil }) else {
                throw NodeFailure(.cancelled, "reading events was taken back")
            }
        }
    }

    private func after(_ cursor: inout Int) throws(NodeFailure) -> [NodeEvent] {
        let found = state.withLock { state -> [NodeEvent]? in
            guard cursor >= state.first else { return nil }
            defer { cursor = state.first + state.events.count }
            return Array(state.events[(cursor - state.first)...])
        }
        guard let found else {
            throw NodeFailure(.conflict, "events got lost: the reader was more than \(Self.historyLimit) behind. Ask again")
        }
        return found
    }
}

/// The time at which a reader has read enough.
private final class Timer: Sendable {
    private let state = Mutex<(isOver: Bool, wait: Task<Bool, Never>?)>((false, nil))
    private let sleep = Mutex<Task<Void, Never>?>(nil)

    init(until: Timestamp?, now: Timestamp) {
        guard let until else { return }
        let span = until.nanoseconds - now.nanoseconds
        guard span > 0 else {
            state.withLock { $0.isOver = true }
            return
        }
        let task = Task { [weak self] in
            guard (try? await Task.sleep(for: .nanoseconds(span))) != nil else { return }
            self?.fire()
        }
        sleep.withLock { $0 = task }
    }

    var isOver: Bool { state.withLock { $0.isOver } }

    private func fire() {
        let wait = state.withLock { state in
            state.isOver = true
            return state.wait
        }
        wait?.cancel()
    }

    /// Waits for news or the end of the time; false when the task was cancelled.
    func wait(_ news: @escaping @Sendable () async -> Bool) async -> Bool {
        let wait = Task { await news() }
        let isOver = state.withLock { state in
            state.wait = wait
            return state.isOver
        }
        if isOver { wait.cancel() }
        _ = await withTaskCancellationHandler { await wait.value } onCancel: { wait.cancel() }
        return !Task.isCancelled
    }

    func cancel() { sleep.withLock { $0?.cancel() } }
}
