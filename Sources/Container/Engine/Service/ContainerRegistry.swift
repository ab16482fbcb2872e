import Synchronization

/// Which containers there are, by id and by name.
///
/// Invariant: a name is reserved in the same step in which it is looked up, so that of two containers that want one
/// name one is refused. (test: `of two containers that want one name one is refused`)
final class ContainerRegistry: Sendable {
    private struct State {
        var workers: [String: ContainerWorker] = [:]
        var ids: [String: String] = [:]
        var chance: any RandomNumberGenerator & Sendable
    }

    private let state: Mutex<State>

    init(chance: any RandomNumberGenerator & Sendable) { state = Mutex(State(chance: chance)) }

    /// Adds a container under a fresh id and the name asked for, or one that is made up.
    func add(
        named name: String?, _ make: (_ id: String, _ name: String) -> ContainerWorker
    ) throws(NodeFailure) -> ContainerWorker {
        try state.withLock { state throws(NodeFailure) in
            if let name, let id = state.ids[name] {
                throw NodeFailure(.conflict, "--name \"\(name)\": container \(id.prefix(12)) has this name")
            }
            let ids = state.ids
            let id = ContainerNames.id(&state.chance)
            let name = name ?? ContainerNames.name(&state.chance) { ids[$0] != nil }
            let worker = make(id, name)
            state.workers[id] = worker
            state.ids[name] = id
            return worker
        }
    }

    /// Adds what was found on disk; false when the name is taken by another record.
    func add(_ record: ContainerRecord, _ make: () -> ContainerWorker) -> Bool {
        state.withLock { state in
            guard state.ids[record.name] == nil, state.workers[record.id] == nil else { return false }
            state.ids[record.name] = record.id
            state.workers[record.id] = make()
            return true
        }
    }

    /// Keeps a name for a container that is to have it.
    func reserve(_ name: String, for id: String) throws(NodeFailure) {
        try state.withLock { state throws(NodeFailure) in
            if let other = state.ids[name] {
                throw NodeFailure(
                    .conflict, "the container name \"\(name)\" is already in use by container \(other.prefix(12))")
            }
            state.ids[name] = id
        }
    }

    func release(_ name: String, of id: String) {
        state.withLock { state in if state.ids[name] == id { state.ids[name] = nil } }
    }

    func remove(_ record: ContainerRecord) {
        state.withLock { state in
            state.workers[record.id] = nil
            state.ids[record.name] = nil
        }
    }

    var all: [ContainerWorker] { state.withLock { Array($0.workers.values) } }

    func worker(id: String) -> ContainerWorker? { state.withLock { $0.workers[id] } }

    /// The container that a user means: by id, name or the beginning of an id.
    func find(_ text: String) throws(NodeFailure) -> ContainerWorker {
        let found = state.withLock { state -> [ContainerWorker] in
            if let worker = state.workers[text] { return [worker] }
            if let id = state.ids[text], let worker = state.workers[id] { return [worker] }
            guard !text.isEmpty else { return [] }
            return state.workers.filter { $0.key.hasPrefix(text) }.map(\.value)
        }
        switch found.count {
        case 1: return found[0]
        case 0: throw NodeFailure(.notFound, "there is no container \"\(text)\"; \"forkless ps -a\" lists all")
        default: throw NodeFailure(.badRequest, "\(found.count) containers have ids that begin with \"\(text)\": write more of it")
        }
    }
}
