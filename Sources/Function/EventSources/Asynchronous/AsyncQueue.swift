package import Linux

/// Which accepted event is run when: oldest first within a function, functions in turn, one at a time for each order key,
/// never more at once than the limits allow. Pure: events in, actions out; the events themselves stand in the database.
///
/// Invariants
/// 1. Of events with one function and order key only the oldest unfinished one runs or waits; the later ones are held back,
///    also while it waits for a retry. (test: `a retry holds back the later events of its key and of no other`)
/// 2. Never more than `limit` events run, nor more than `functionLimit` of one function. (test: `limits hold`)
/// 3. Every accepted event is dispatched until it is finished for good. (test: `a simulated day loses nothing and keeps order`)
/// 4. A throttled function is left alone until its back-off is over; the others go on.
///    (test: `a throttled function rests and the others run`)
/// 5. One that is throttled while events of it run goes on with as many as run, and finds out about more one by one.
///    (test: `a function that is throttled beside its own events goes on with as many as run`)
package struct AsyncQueue: Sendable {
    package struct Entry: Hashable, Sendable {
        /// Rises in the order of acceptance.
        package var sequence: Int
        package var function: String
        package var orderKey: String?
        /// Not before this; nil: at once.
        package var dueAt: Timestamp?

        package init(sequence: Int, function: String, orderKey: String? = nil, dueAt: Timestamp? = nil) {
            self.sequence = sequence
            self.function = function
            self.orderKey = orderKey
            self.dueAt = dueAt
        }
    }

    package enum Event: Hashable, Sendable {
        case accepted([Entry])
        /// Gone from the database.
        case finished(Int)
        /// To be tried again at a time.
        case again(Int, at: Timestamp)
        /// To be tried again, and no event of that function before that time, unless others of it run.
        case throttled(Int, until: Timestamp)
        case wake
    }

    package enum Action: Hashable, Sendable {
        case dispatch(Int)
        /// Tell `wake` at that time.
        case wake(at: Timestamp)
    }

    private struct Line: Sendable {
        var ready = MinimumHeap<Int>()
        var running = 0
        var restsUntil: Timestamp?
        /// How many it seems to be allowed, learned from throttles; nil: none was throttled.
        var allowance: Int?
        /// Finished since the allowance was changed.
        var finished = 0
        /// When one more than the allowance is tried.
        var triesAt: Timestamp?
        var isInTurn = false
        /// Unfinished events of each order key, oldest first. The first is the one that runs or waits.
        var lanes: [String: [Int]] = [:]
        var unfinished = 0
    }

    private struct Due: Comparable, Sendable {
        var at: Timestamp
        var sequence: Int
        var function: String

        static func < (a: Due, b: Due) -> Bool { (a.at, a.sequence) < (b.at, b.sequence) }
    }

    private let limit: Int
    private let functionLimit: Int
    private var entries: [Int: Entry] = [:]
    private var lines: [String: Line] = [:]
    /// Functions that may run something, in the order of their turns.
    private var turns: [String] = []
    private var turn = 0
    /// Entries that wait (their sequence) and functions that rest or try one more (-1).
    private var waiting = MinimumHeap<Due>()
    private var wokenAt: Timestamp?
    package private(set) var running = 0

    package init(limit: Int = 256, functionLimit: Int = 64) {
        precondition(limit > 0 && functionLimit > 0, "an async queue must be allowed to run something")
        self.limit = limit
        self.functionLimit = functionLimit
    }

    /// Unfinished events, those that run included.
    package var count: Int { entries.count }

    package mutating func handle(_ event: Event, now: Timestamp) -> [Action] {
        switch event {
        case .accepted(let entries): for entry in entries { accept(entry) }
        case .finished(let sequence): finish(sequence)
        case .again(let sequence, let time):
            leave(sequence)
            entries[sequence]?.dueAt = time
            offer(sequence)
        case .throttled(let sequence, let time):
            leave(sequence)
            throttle(sequence, until: time)
            offer(sequence)
        case .wake: wokenAt = nil
        }
        promote(now)
        var actions = dispatch()
        if let next = waiting.least?.at, wokenAt.map({ next < $0 }) ?? true {
            wokenAt = next
            actions.append(.wake(at: next))
        }
        return actions
    }

    private mutating func accept(_ entry: Entry) {
        precondition(entries[entry.sequence] == nil, "event \(entry.sequence) is accepted twice")
        entries[entry.sequence] = entry
        lines[entry.function, default: Line()].unfinished += 1
        guard let key = entry.orderKey else { return offer(entry.sequence) }
        let isFirst = lines[entry.function]!.lanes[key] == nil
        lines[entry.function]!.lanes[key, default: []].append(entry.sequence)
        if isFirst { offer(entry.sequence) }
    }

    /// Lets an event run, or wait for its time.
    private mutating func offer(_ sequence: Int) {
        guard let entry = entries[sequence] else { return }
        if let time = entry.dueAt {
            waiting.insert(Due(at: time, sequence: sequence, function: entry.function))
        } else {
            lines[entry.function]!.ready.insert(sequence)
            takeTurn(entry.function)
        }
    }

    private mutating func leave(_ sequence: Int) {
        guard let function = entries[sequence]?.function else { return }
        running -= 1
        lines[function]!.running -= 1
        takeTurn(function)
    }

    private mutating func finish(_ sequence: Int) {
        guard let entry = entries[sequence] else { return }
        leave(sequence)
        entries[sequence] = nil
        lines[entry.function]!.unfinished -= 1
        lines[entry.function]!.finished += 1
        if let allowance = lines[entry.function]!.allowance, lines[entry.function]!.finished >= allowance { allowMore(entry.function) }
        if let key = entry.orderKey {
            lines[entry.function]!.lanes[key]!.removeFirst()
            if let next = lines[entry.function]!.lanes[key]!.first {
                offer(next)
            } else {
                lines[entry.function]!.lanes[key] = nil
            }
        }
    }

    private mutating func throttle(_ sequence: Int, until time: Timestamp) {
        guard let function = entries[sequence]?.function else { return }
        entries[sequence]!.dueAt = nil
        lines[function]!.allowance = max(lines[function]!.running, 1)
        lines[function]!.finished = 0
        guard lines[function]!.running == 0 else {
            // The end of one of those that run makes room; a limit that was raised shows in time.
            guard lines[function]!.triesAt == nil else { return }
            lines[function]!.triesAt = time
            return waiting.insert(Due(at: time, sequence: -1, function: function))
        }
        if let until = lines[function]!.restsUntil, until >= time { return }
        lines[function]!.restsUntil = time
        waiting.insert(Due(at: time, sequence: -1, function: function))
    }

    private mutating func allowMore(_ function: String) {
        guard let allowance = lines[function]?.allowance else { return }
        lines[function]!.allowance = allowance + 1 < functionLimit ? allowance + 1 : nil
        lines[function]!.finished = 0
        takeTurn(function)
    }

    private mutating func takeTurn(_ function: String) {
        guard lines[function]?.isInTurn == false else { return }
        lines[function]!.isInTurn = true
        turns.append(function)
    }

    /// Moves what is due from waiting to ready.
    private mutating func promote(_ now: Timestamp) {
        while let due = waiting.least, due.at <= now {
            _ = waiting.removeLeast()
            if due.sequence < 0 {
                if let time = lines[due.function]?.triesAt, time <= now {
                    lines[due.function]!.triesAt = nil
                    allowMore(due.function)
                }
                guard let until = lines[due.function]?.restsUntil, until <= now else { continue }
                lines[due.function]!.restsUntil = nil
                takeTurn(due.function)
            } else if entries[due.sequence]?.dueAt == due.at {
                entries[due.sequence]!.dueAt = nil
                offer(due.sequence)
            }
        }
    }

    private mutating func dispatch() -> [Action] {
        var actions: [Action] = []
        while running < limit, turn < turns.count {
            let function = turns[turn]
            turn += 1
            guard var line = lines.removeValue(forKey: function) else { continue }
            line.isInTurn = false
            if line.restsUntil == nil, line.running < min(functionLimit, line.allowance ?? functionLimit),
                let sequence = line.ready.removeLeast() {
                line.running += 1
                running += 1
                actions.append(.dispatch(sequence))
                if !line.ready.isEmpty {
                    line.isInTurn = true
                    turns.append(function)
                }
            }
            if line.unfinished > 0 || line.restsUntil != nil { lines[function] = line }
        }
        if turn == turns.count || turn > 1024 {
            turns.removeFirst(turn)
            turn = 0
        }
        return actions
    }
}
