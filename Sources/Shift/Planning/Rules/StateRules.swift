import Observation

// What tracing showed of files, memory and processes.

extension PlanningRule {
    /// What is written there is gone with the call, or is no file.
    private static let passing = ["/tmp/", "/var/tmp/", "/dev/", "/proc/", "/sys/", "/run/user/"]

    static let localState = PlanningRule("local state") { subject in
        guard let deep = subject.program.deep else {
            return [
                Finding(
                    "local state", .unknown, .isolated,
                    "whether it keeps files on the local disk is not known: \(askForTracing)")
            ]
        }
        let changed = deep.files.filter(\.isChanged).map(\.path)
        let lasting = changed.filter { path in !passing.contains { path.hasPrefix($0) } }
        var findings: [Finding] = []
        if !lasting.isEmpty {
            findings = [
                Finding(
                    "local state", .blocker, .functions,
                    "it changes \(count(lasting.count, "file")) on the local disk, which a function's next instance would not see",
                    evidence: lasting),
                Finding(
                    "local state", .condition, [.container, .service],
                    "what it writes needs a volume or a bind at the same path", evidence: lasting),
            ]
        }
        let temporary = changed.filter { $0.hasPrefix("/tmp/") || $0.hasPrefix("/var/tmp/") }
        if !temporary.isEmpty {
            findings.append(
                Finding(
                    "local state", .condition, .isolated,
                    "it writes temporary files: a place of its own for them must be enough, and nobody else may look for them",
                    evidence: temporary))
        }
        return findings
    }

    static let sharedMemory = PlanningRule("shared memory") { subject in
        guard let deep = subject.program.deep else {
            return [
                Finding("shared memory", .unknown, .isolated, "whether it shares memory is not known: \(askForTracing)")
            ]
        }
        let shared = deep.sharedMemory.filter { $0 != "anonymous" }
        guard !shared.isEmpty else { return [] }
        return [
            Finding(
                "shared memory", .blocker, .isolated, "it shares memory with other processes of the machine",
                evidence: shared)
        ]
    }

    static let signals = PlanningRule("signals") { subject in
        guard let deep = subject.program.deep else { return [] }
        guard !deep.signalsSent.isEmpty else { return [] }
        return [
            Finding(
                "signals", .blocker, .isolated,
                "it sends signals to processes other than its own, which it would not see from inside",
                evidence: deep.signalsSent)
        ]
    }

    /// Calls that tell of a daemon rather than of power over the machine.
    private static let sessionCalls: Set = ["setsid", "setpgid", "setpgrp"]

    static let notableCalls = PlanningRule("notable calls") { subject in
        guard let deep = subject.program.deep, !deep.notableCalls.isEmpty else { return [] }
        func shown(_ names: [String]) -> [String] {
            names.sorted().map { "\($0), \(count(deep.notableCalls[$0]!, "time"))" }
        }
        let session = deep.notableCalls.keys.filter { sessionCalls.contains($0) }
        let strong = deep.notableCalls.keys.filter { !sessionCalls.contains($0) }
        var findings: [Finding] = []
        if !strong.isEmpty {
            findings.append(
                Finding(
                    "notable calls", .blocker, .isolated, "it makes system calls that act on the machine",
                    evidence: shown(strong)))
        }
        if !session.isEmpty {
            findings.append(
                Finding(
                    "notable calls", .condition, .isolated,
                    "it begins a session or process group: what it leaves running ends with its sandbox",
                    evidence: shown(session)))
        }
        return findings
    }

    static let descendants = PlanningRule("children") { subject in
        let children = subject.program.children.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        guard !children.isEmpty else { return [] }
        return [
            Finding(
                "children", .condition, .isolated, "it starts other programs, which have to come along",
                evidence: children.map { "\($0.key), \(count($0.value, "time"))" })
        ]
    }
}
