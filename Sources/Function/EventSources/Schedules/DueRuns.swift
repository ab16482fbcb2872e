internal import Lambda
internal import Linux

/// Which runs of a schedule are to be started now, after whatever time the node was down. Pure.
///
/// Invariants (test: `missed runs are skipped, made once or all made`)
/// 1. A run that is due for less than `grace` is on time, and is made whatever the policy says.
/// 2. No run is made twice: `through` never goes back.
struct DueRuns: Hashable {
    static let grace = Duration.seconds(60)
    /// Runs of one step, so that a month of missed minutes is not one transaction.
    static let stepLimit = 500

    var runs: [Timestamp] = []
    /// Up to here everything is settled.
    var through: Timestamp
    /// The next run after `through`; nil: none.
    var next: Timestamp?
    /// There is more to do at once.
    var isPartial = false

    init(
        _ schedule: Schedule, origin: Timestamp, settledThrough last: Timestamp, missed: EventSource.Missed,
        now: Timestamp
    ) {
        through = last
        var latestMissed: Timestamp?
        var at = last
        while let time = schedule.next(after: at, origin: origin), time <= now {
            at = time
            if now - time < Self.grace || missed == .all {
                // The one run for all that were missed comes before those that are on time.
                if let run = latestMissed { runs.append(run) }
                latestMissed = nil
                runs.append(time)
            } else if missed == .once {
                latestMissed = time
            }
            through = time
            if runs.count >= Self.stepLimit {
                isPartial = true
                break
            }
        }
        if let run = latestMissed { runs.append(run) }
        next = schedule.next(after: through, origin: origin)
    }
}
