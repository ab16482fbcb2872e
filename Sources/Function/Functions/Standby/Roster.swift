/// Which instance of a pool is in which state. Keeps counts and orders, decides nothing.
///
/// Invariants:
/// 1. An instance is in one state. (`an instance moves through its states and is counted in one`)
/// 2. `warming` and `ready` list exactly the instances in these states, the oldest first.
struct Roster: Sendable {
    enum State: Hashable, Sendable {
        /// The order to start it is out.
        case ordered(at: Instant)
        /// Ordered, but not wanted any more: stopped as soon as there is something to stop.
        case unwanted
        /// The program runs and has not been seen waiting for input.
        case warming(orderedAt: Instant, startedAt: Instant)
        /// It waits for its input.
        case ready(orderedAt: Instant, since: Instant)
        case assigned(CallID)
        /// The order to stop it is out.
        case stopping
    }

    private var states: [InstanceID: State] = [:]
    private var assignments: [CallID: InstanceID] = [:]
    private(set) var ordered: [InstanceID] = []
    private(set) var warming: [InstanceID] = []
    private(set) var ready: [InstanceID] = []
    private(set) var stopping = 0

    /// All that exist, whatever they do.
    var alive: Int { states.count }
    var busy: Int { assignments.count }
    var starting: Int { ordered.count + warming.count }

    subscript(id: InstanceID) -> State? { states[id] }

    func instance(of call: CallID) -> InstanceID? { assignments[call] }

    func readySince(_ id: InstanceID) -> Instant {
        guard case .ready(_, let since) = states[id] else { preconditionFailure("\(id) is not ready") }
        return since
    }

    /// Puts an instance into a state; nil: it is gone.
    mutating func move(_ id: InstanceID, to state: State?) {
        switch states[id] {
        case nil: break
        case .ordered: ordered.removeAll { $0 == id }
        case .warming: warming.removeAll { $0 == id }
        case .ready: ready.removeAll { $0 == id }
        case .assigned(let call): assignments[call] = nil
        case .unwanted, .stopping: stopping -= 1
        }
        states[id] = state
        switch state {
        case nil: break
        case .ordered: ordered.append(id)
        case .warming: warming.append(id)
        case .ready: ready.append(id)
        case .assigned(let call):
            precondition(assignments.updateValue(id, forKey: call) == nil, "\(call) has an instance already")
        case .unwanted, .stopping: stopping += 1
        }
    }
}
