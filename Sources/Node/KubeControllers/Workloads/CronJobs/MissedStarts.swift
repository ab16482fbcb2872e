/// Which start of a schedule is due.
struct MissedStarts: Equatable {
    /// More missed starts than this are told of.
    static let many: Int64 = 100

    /// The last time that has come and was not acted on; nil when none has.
    var due: Int64?
    /// When to look again; nil when the schedule has no more times.
    var next: Int64?
    var isMany = false

    /// - Parameters: seconds since 1970.
    ///   - earliest: Of the last start, or of the creation.
    ///   - deadline: How late a start may be.
    init(_ times: ScheduleTimes, since earliest: Int64, now: Int64, deadline: Int64?) {
        let start = deadline.map { max(earliest, now - min($0, now)) } ?? earliest
        guard let first = times.next(after: start) else { return }
        next = first
        guard first <= now else { return }
        due = first
        next = times.next(after: first)
        guard let second = next, second <= now else { return }
        // Instead of going through them all: as many of the first distance as fit, and on from there.
        let distance = max(1, second - first)
        let missed = (now - first) / distance + 1
        isMany = missed > Self.many
        var moment = first + max(0, missed - 2) * distance
        while let time = times.next(after: moment), time <= now {
            due = time
            moment = time
        }
        next = times.next(after: now)
    }
}
