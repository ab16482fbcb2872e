/// Calls of one order key run one after the other, in the order in which they came; others beside them.
///
/// Pure: it says whose turn it is. A lane is there only while a call of its key is.
///
/// Invariants (with their tests in OrderLanesTests):
/// 1. At most one call of a key has its turn. (`calls of one key take turns in the order of their arrival`)
/// 2. A lane that nobody is in takes no memory. (`a lane is gone with its last call`)
/// 3. At most `limit` calls of a key wait. (`more calls of a key than may wait are refused`)
struct OrderLanes {
    enum Turn: Hashable {
        /// It may run now.
        case now
        /// It waits for those before it.
        case later
        /// As many wait as may.
        case full
    }

    private struct Lane {
        var running: CallID
        var waiting: [CallID] = []
    }

    private var lanes: [FunctionKey: Lane] = [:]
    let limit: Int

    init(limit: Int) { self.limit = limit }

    var count: Int { lanes.count }
    var waiting: Int { lanes.values.reduce(0) { $0 + $1.waiting.count } }

    mutating func enter(_ call: CallID, _ key: FunctionKey) -> Turn {
        guard let index = lanes.index(forKey: key) else {
            lanes[key] = Lane(running: call)
            return .now
        }
        guard lanes.values[index].waiting.count < limit else { return .full }
        lanes.values[index].waiting.append(call)
        return .later
    }

    /// A call that had its turn is over.
    ///
    /// - Returns: whose turn it is now.
    mutating func leave(_ call: CallID, _ key: FunctionKey) -> CallID? {
        guard let index = lanes.index(forKey: key), lanes.values[index].running == call else {
            preconditionFailure("\(call) leaves a lane in which it did not run")
        }
        guard !lanes.values[index].waiting.isEmpty else {
            lanes.remove(at: index)
            return nil
        }
        let next = lanes.values[index].waiting.removeFirst()
        lanes.values[index].running = next
        return next
    }

    /// A call that waits does not wait any more.
    mutating func withdraw(_ call: CallID, _ key: FunctionKey) { lanes[key]?.waiting.removeAll { $0 == call } }
}
