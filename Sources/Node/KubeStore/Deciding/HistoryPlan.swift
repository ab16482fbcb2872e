/// Decides how much history is given up: what is older than an age, and what is more than a number of events.
///
/// Ages are counted on a clock that nobody sets: at each decision the newest revision is noted with the time, and what was
/// newest `age` ago may go. A store that was just opened knows no ages yet and waits that long. Kubernetes compacts the
/// same way (storage/etcd3/compact.go), by age alone.
///
/// Invariants
/// 1. What is younger than `age` goes only when there are more than `events`. (test: `young history stays`)
/// 2. The revision never falls, and is never beyond the newest. (test: `a plan is never behind nor beyond the store`)
package struct HistoryPlan: Sendable {
    package struct Limits: Hashable, Sendable {
        /// Events that are kept at most.
        package var events: Int64
        /// How long an event is kept at most, give or take the time between two decisions. Kubernetes: 5 minutes.
        package var age: Duration

        package init(events: Int64 = 20_000, age: Duration = .seconds(300)) {
            self.events = events
            self.age = age
        }
    }

    private struct Mark: Sendable {
        var revision: Int64
        var time: Duration
    }

    private let limits: Limits
    private var marks: [Mark] = []

    package init(_ limits: Limits = Limits()) { self.limits = limits }

    /// - Parameter time: since any fixed moment; does not go back.
    /// - Returns: the revision to compact to; nil when nothing is to be given up.
    package mutating func decide(_ history: HistoryBounds, at time: Duration) -> Int64? {
        marks.append(Mark(revision: history.newest, time: time))
        let aged = marks.lastIndex { $0.time <= time - limits.age }
        var target = history.newest - limits.events
        if let aged {
            target = max(target, marks[aged].revision)
            marks.removeFirst(aged)
        }
        return target > history.compacted ? target : nil
    }
}
