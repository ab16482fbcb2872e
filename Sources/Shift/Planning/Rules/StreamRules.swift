import Observation

// What tracing showed of descriptors, terminals and sockets.

extension PlanningRule {
    static let terminal = PlanningRule("terminal") { subject in
        guard let deep = subject.program.deep else {
            return [
                Finding(
                    "terminal", .unknown, [.service, .standby, .runtime],
                    "whether it talks to a terminal is not known: \(askForTracing)")
            ]
        }
        let inherited = deep.inheritedDescriptors.filter { isTerminal($0.target) }.map {
            "descriptor \($0.number): \($0.target)"
        }
        guard !deep.terminals.isEmpty || !inherited.isEmpty else { return [] }
        return [
            Finding(
                "terminal", .blocker, [.service, .standby, .runtime],
                "it has a terminal, and nobody sits at a function",
                evidence: deep.terminals + inherited)
        ]
    }

    private static func isTerminal(_ target: String) -> Bool {
        target.hasPrefix("/dev/pts/") || target.hasPrefix("/dev/tty") || target == "/dev/console"
    }

    static let inheritedDescriptors = PlanningRule("inherited descriptors") { subject in
        guard let deep = subject.program.deep else {
            return [
                Finding(
                    "inherited descriptors", .unknown, .isolated,
                    "whether it is given descriptors beside the standard streams is not known: \(askForTracing)")
            ]
        }
        let others = deep.inheritedDescriptors.filter { $0.number > 2 }
        func shown(_ all: [InheritedDescriptor]) -> [String] { all.map { "\($0.number): \($0.target)" } }
        let used = others.filter { $0.isUsed == true }
        if !used.isEmpty {
            return [
                Finding(
                    "inherited descriptors", .blocker, .isolated,
                    "it uses descriptors that its caller left open for it; they do not reach another place",
                    evidence: shown(used))
            ]
        }
        let unclear = others.filter { $0.isUsed == nil }
        guard !unclear.isEmpty else { return [] }
        return [
            Finding(
                "inherited descriptors", .unknown, .isolated,
                "its caller left descriptors open; whether it uses them was not followed", evidence: shown(unclear))
        ]
    }

    /// A standby waits in its first read of standard input.
    static let standardInput = PlanningRule("standard input") { subject in
        guard let deep = subject.program.deep else {
            return [
                Finding(
                    "standard input", .unknown, [.standby],
                    "whether it reads standard input is not known: \(askForTracing)")
            ]
        }
        guard let input = deep.inheritedDescriptors.first(where: { $0.number == 0 }) else {
            return [
                Finding(
                    "standard input", .blocker, [.standby],
                    "it is given no standard input, so that nothing could wake a standby")
            ]
        }
        switch input.isUsed {
        case true: return []
        case false:
            return [
                Finding(
                    "standard input", .blocker, [.standby],
                    "it does not read standard input, so that a standby would not wait")
            ]
        default:
            return [
                Finding("standard input", .unknown, [.standby], "whether it reads standard input was not followed")
            ]
        }
    }

    static let sockets = PlanningRule("sockets") { subject in
        guard let deep = subject.program.deep else {
            return [
                Finding("sockets", .unknown, .isolated, "whether it uses the network is not known: \(askForTracing)")
            ]
        }
        func shown(_ uses: [SocketUse]) -> [String] {
            uses.map { [$0.action.rawValue, $0.family, $0.address].filter { !$0.isEmpty }.joined(separator: " ") }
        }
        var findings: [Finding] = []
        let serving = deep.sockets.filter { [.listen, .accept].contains($0.action) }
        if !serving.isEmpty {
            findings.append(
                Finding(
                    "sockets", .blocker, .functions,
                    "it waits for connections of its own, and nobody can reach a function's",
                    evidence: shown(serving)))
        }
        let calling = deep.sockets.filter { [.connect, .send].contains($0.action) }
        let network = calling.filter { $0.family.hasPrefix("inet") }
        if !network.isEmpty {
            findings.append(
                Finding(
                    "sockets", .blocker, .functions, "it uses the network, and a function has only its own loopback",
                    evidence: shown(network)))
            findings.append(
                Finding("sockets", .condition, [.container, .service], "it needs a network", evidence: shown(network)))
        }
        let local = calling.filter { $0.family == "unix" && !$0.address.isEmpty }
        if !local.isEmpty {
            findings.append(
                Finding(
                    "sockets", .condition, .isolated,
                    "it talks to services of the machine, whose sockets have to be bound into its place",
                    evidence: shown(local)))
        }
        let other = deep.sockets.filter { !["unix", "inet", "inet6"].contains($0.family) }
        if !other.isEmpty {
            findings.append(
                Finding(
                    "sockets", .condition, .isolated,
                    "it asks the kernel through sockets; inside it sees its own network only",
                    evidence: shown(other)))
        }
        return findings
    }
}
