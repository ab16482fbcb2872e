/// Puts together what the processes of a traced subtree do: deeds in, `DeepFacts` for each process out.
///
/// Pure. Everything stands once, in the order in which it was first seen.
struct DeepCollector: Sendable {
    fileprivate struct Process: Sendable {
        var facts = DeepFacts()
        var files: [String: Int] = [:]
        var seen: Set<String> = []
        var sockets: [Int: (family: String, type: String)] = [:]
        var given: [String: String] = [:]
        var parent: Int32?
    }

    private var processes: [Int32: Process] = [:]
    private let keepsValues: Bool

    /// - Parameter keepsValues: whether values of variables are kept, which may be secret.
    init(keepsValues: Bool = false) { self.keepsValues = keepsValues }

    mutating func forked(_ child: Int32, from parent: Int32) {
        var process = Process()
        process.parent = parent
        // The child's descriptors are its parent's; its environment is, too, until an exec gives it one.
        process.sockets = processes[parent]?.sockets ?? [:]
        process.given = processes[parent]?.given ?? [:]
        processes[child] = process
    }

    /// A program begins with this environment and these descriptors.
    mutating func executed(
        _ pid: Int32, environment: [(name: String, value: String)]?, descriptors: [InheritedDescriptor]
    ) {
        var process = processes[pid] ?? Process()
        if let environment {
            let given = Dictionary(environment.map { ($0.name, $0.value) }) { first, _ in first }
            if let parent = process.parent, processes[parent] != nil { processes[parent]!.noteChanges(to: given) }
            process.given = given
            for (name, value) in environment {
                process.once("environment " + name) { $0.environmentGiven.append(name) }
                if keepsValues { process.facts.environmentValues[name] = value }
            }
        }
        for descriptor in descriptors {
            process.once("descriptor \(descriptor.number) \(descriptor.target)") {
                $0.inheritedDescriptors.append(descriptor)
            }
            for deed in CallDeeds.terminal(descriptor.target) { process.add(deed, self: pid) }
        }
        processes[pid] = process
    }

    mutating func add(_ deeds: [Deed], by pid: Int32) {
        guard !deeds.isEmpty else { return }
        for deed in deeds { processes[pid, default: Process()].add(deed, self: pid) }
    }

    /// What a process that is about to end has done.
    mutating func take(_ pid: Int32) -> DeepFacts? { processes.removeValue(forKey: pid)?.facts }
}

extension DeepCollector.Process {
    fileprivate mutating func once(_ key: String, _ change: (inout DeepFacts) -> Void) {
        if seen.insert(key).inserted { change(&facts) }
    }

    fileprivate mutating func noteChanges(to child: [String: String]) {
        let names = Set(child.keys).union(given.keys).filter { child[$0] != given[$0] }
        for name in names.sorted() { once("changed " + name) { $0.environmentChangedForChildren.append(name) } }
    }

    fileprivate mutating func add(_ deed: Deed, self pid: Int32) {
        switch deed {
        case .file(let path, let actions): add(path, actions)
        case .socket(let descriptor, let family, let type): sockets[descriptor] = (family, type)
        case .useOfSocket(let descriptor, let action, let address):
            let socket = sockets[descriptor]
            let use = SocketUse(
                family: address?.family ?? socket?.family ?? "?", type: socket?.type ?? "",
                address: address?.text ?? "",
                action: action)
            once("socket \(use)") { $0.sockets.append(use) }
        case .identity(let text): once("identity " + text) { $0.identityChanges.append(text) }
        case .shared(let text): once("shared " + text) { $0.sharedMemory.append(text) }
        case .terminal(let text): once("terminal " + text) { $0.terminals.append(text) }
        case .signal(let name, let target):
            // raise(3) and abort(3) are the process's own affair.
            guard target != Int(pid) else { return }
            let text = target < 0 ? "\(name) to group \(-target)" : "\(name) to \(target)"
            once("signal " + text) { $0.signalsSent.append(text) }
        case .notable(let name): facts.notableCalls[name, default: 0] += 1
        }
    }

    private mutating func add(_ path: String, _ actions: [FileUse.Action]) {
        guard let at = files[path] else {
            files[path] = facts.files.count
            facts.files.append(FileUse(path: path, actions: actions))
            return
        }
        for action in actions where !facts.files[at].actions.contains(action) { facts.files[at].actions.append(action) }
    }
}
