import KubeStore
import Linux

/// Which objects of a controller are to be looked at, and when.
///
/// Invariants
/// 1. A key is never at work twice. (test: `a key that changes while it is at work is looked at again afterwards`)
/// 2. Keys that wait are each there once, and go in the order in which they came or were due.
///    (tests: `a key is queued once, and keys go in their order`, `keys that are due go in the order of their moments`)
/// 3. A key is not looked at before what was done about it can be seen. (test: `a key waits for its expectations`)
/// 4. After failures in a row a key waits 5 ms, 10 ms ... up to 1000 s, unless it changes.
///    (test: `failures back off, and a success begins anew`)
/// 5. Nothing waits for a moment that a clock set back has moved away.
///    (test: `a clock that is set back holds nothing up`)
struct WorkQueue {
    /// How what was done about a key ended.
    struct Outcome: Sendable {
        var hasFailed = false
        /// When to look again; nil: at the next change.
        var again: Timestamp?
        var expectations: [Expectation] = []
    }

    static let firstBackoff = Duration.milliseconds(5)
    static let longestBackoff = Duration.seconds(1000)
    /// How long after an expectation was not met it is looked at again without being told.
    static let patience = Duration.seconds(1)

    private struct Entry {
        var isReady = false
        var isRunning = false
        var failures = 0
        var due: Timestamp?
        var expectations: [Expectation] = []

        var isIdle: Bool { !isReady && !isRunning && failures == 0 && due == nil && expectations.isEmpty }
    }

    private let limit: Int
    private var entries: [ObjectKey: Entry] = [:]
    private var ready: [ObjectKey] = []
    private var running = 0
    private var hasHeld = false

    init(limit: Int) {
        precondition(limit > 0, "a queue nobody works at")
        self.limit = limit
    }

    var isEmpty: Bool { ready.isEmpty && running == 0 }
    /// Keys of which something is remembered.
    var count: Int { entries.count }

    mutating func add(_ key: ObjectKey) {
        guard entries[key]?.isReady != true else { return }
        entries[key, default: Entry()].isReady = true
        ready.append(key)
    }

    /// Takes the keys whose turn it is; each has to be finished.
    mutating func start(_ now: Timestamp, isMet: (Expectation) -> Bool) -> [ObjectKey] {
        addWaiting { $0 <= now }
        var started: [ObjectKey] = []
        var left: [ObjectKey] = []
        hasHeld = false
        for key in ready {
            guard running < limit, !entries[key]!.isRunning else {
                left.append(key)
                continue
            }
            entries[key]!.expectations.removeAll(where: isMet)
            guard entries[key]!.expectations.isEmpty else {
                hasHeld = true
                left.append(key)
                continue
            }
            entries[key]!.isReady = false
            entries[key]!.isRunning = true
            entries[key]!.due = nil
            running += 1
            started.append(key)
        }
        ready = left
        return started
    }

    /// The clock was set: what waits for a moment of it is looked at again, since that moment may be far away now.
    mutating func clockWasSet() {
        addWaiting { _ in true }
    }

    /// Queues the keys whose moment is one of these, in the order of their moments: what a dictionary's order would differ
    /// from run to run.
    private mutating func addWaiting(_ isWanted: (Timestamp) -> Bool) {
        let keys = entries.compactMap { key, entry in
            entry.due.flatMap { isWanted($0) ? (due: $0, key: key) : nil }
        }
        for (_, key) in keys.sorted(by: { ($0.due, $0.key) < ($1.due, $1.key) }) {
            entries[key]!.due = nil
            add(key)
        }
    }

    mutating func finish(_ key: ObjectKey, _ outcome: Outcome, _ now: Timestamp) {
        guard var entry = entries[key], entry.isRunning else { preconditionFailure("\(key) was not at work") }
        entry.isRunning = false
        running -= 1
        entry.expectations = outcome.expectations
        if outcome.hasFailed {
            entry.failures += 1
            entry.due = now.adding(Self.backoff(entry.failures))
        } else {
            entry.failures = 0
            entry.due = outcome.again
        }
        entries[key] = entry.isIdle ? nil : entry
    }

    /// When to call `start` again though nothing happens; nil: not at all.
    func wake(_ now: Timestamp) -> Timestamp? {
        let due = entries.values.lazy.filter { !$0.isRunning }.compactMap(\.due).min()
        guard hasHeld else { return due }
        let patience = now.adding(Self.patience)
        return due.map { min($0, patience) } ?? patience
    }

    static func backoff(_ failures: Int) -> Duration {
        min(longestBackoff, firstBackoff * (1 << min(failures - 1, 20)))
    }
}
