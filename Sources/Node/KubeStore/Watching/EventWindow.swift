/// The last events of all resources, which watchers share so that none of them reads the database for each event.
///
/// Invariants
/// 1. Every event behind `floor` is in it, in order, without a gap. (test: `the window has all that lies behind its floor`)
/// 2. It holds no more than its limits, and always the newest event. (test: `the window keeps to its limits`)
/// 3. It holds bytes, never what somebody parsed of them, which takes ten times as much.
///    (test: `what is parsed of an event is not kept by the window`)
struct EventWindow: Sendable {
    private let countLimit: Int
    private let byteLimit: Int
    private var events = Fifo<ObjectEvent>()
    private var bytes = 0
    /// The revision before the first event.
    private(set) var floor: Int64
    /// The revision of the last event.
    var newest: Int64 { floor + Int64(events.count) }

    init(behind revision: Int64, count: Int, bytes: Int) {
        floor = revision
        countLimit = count
        byteLimit = bytes
    }

    mutating func append(_ event: ObjectEvent) {
        precondition(event.revision == newest + 1, "revision \(event.revision) follows \(newest)")
        events.append(event.unparsed)
        bytes += event.object.body.bytes.count
        while events.count > 1, events.count > countLimit || bytes > byteLimit { dropFirst() }
    }

    private mutating func dropFirst() {
        guard let event = events.popFirst() else { return }
        bytes -= event.object.body.bytes.count
        floor += 1
    }

    /// Events of a scope.
    ///
    /// - Parameters:
    ///   - position: not below `floor`.
    ///   - limit: how many at most.
    /// - Returns: them, and up to which revision they are all.
    func events(
        after position: Int64, in scope: ResourceScope, limit: Int
    ) -> (events: [ObjectEvent], position: Int64) {
        precondition(position >= floor, "the window begins behind \(floor), not behind \(position)")
        var found: [ObjectEvent] = []
        for index in Int(min(position, newest) - floor)..<events.count where scope.contains(events[index].key) {
            guard found.count < limit else { return (found, found.last!.revision) }
            found.append(events[index].unparsed)
        }
        return (found, max(position, newest))
    }
}
