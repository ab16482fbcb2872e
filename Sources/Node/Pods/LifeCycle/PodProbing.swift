import Linux

// What checks say of containers, and what follows.
extension PodMachine {
    /// The container runs, and its hook is done.
    mutating func beginProbes(_ index: Int, _ now: Timestamp) {
        let plan = containers[index].plan
        guard let startup = plan.startup else { return markStarted(index, now) }
        begin(startup, index, now)
    }

    private mutating func markStarted(_ index: Int, _ now: Timestamp) {
        let plan = containers[index].plan
        containers[index].isStarted = true
        containers[index].isReady = plan.readiness == nil
        for probe in [plan.liveness, plan.readiness].compactMap(\.self) { begin(probe, index, now) }
    }

    /// An earlier node has seen its startup probe succeed.
    mutating func markStartedBefore(_ index: Int, _ now: Timestamp) {
        containers[index].probes[.startup] = nil
        markStarted(index, now)
    }

    private mutating func begin(_ probe: ProbePlan, _ index: Int, _ now: Timestamp) {
        guard let run = containers[index].run else { return }
        var life = ProbeLife(probe)
        life.begin(start: run.startedAt, now: now)
        containers[index].probes[probe.kind] = life
    }

    /// Begins the checks whose time has come.
    mutating func probe(_ index: Int, _ now: Timestamp) {
        guard let run = containers[index].run else { return }
        for kind in ProbeKind.allCases {
            guard let number = containers[index].probes[kind]?.start(now: now) else { continue }
            actions.append(.probe(containers[index].plan.name, attempt: run.attempt, kind, number: number))
        }
    }

    mutating func probed(
        _ name: String, _ attempt: Int, _ kind: ProbeKind, _ number: Int, _ isSuccess: Bool, _ message: String,
        _ now: Timestamp
    ) {
        guard let index = index(name, running: attempt), let life = containers[index].probes[kind],
            life.underWay == number
        else { return }
        let verdict = containers[index].probes[kind]!.take(number: number, isSuccess: isSuccess, now: now)
        if !isSuccess { note(.warning, "Unhealthy", "\(kind.rawValue) probe failed: \(message)", container: name) }
        switch (verdict, kind) {
        case (.none, _), (.passed, .liveness): break
        case (.passed, .startup):
            containers[index].probes[.startup] = nil
            markStarted(index, now)
        case (.passed, .readiness): containers[index].isReady = true
        case (.failed, .readiness): containers[index].isReady = false
        case (.failed, .startup), (.failed, .liveness): restart(index, kind, now)
        }
    }

    private mutating func restart(_ index: Int, _ kind: ProbeKind, _ now: Timestamp) {
        guard ending == nil, case .running = containers[index].stage else { return }
        let plan = containers[index].plan
        let comesBack = plan.restart != .never
        containers[index].restartsAnyway = comesBack
        let grace = plan.probe(kind)?.graceSeconds ?? self.plan.graceSeconds
        stop(
            index, by: now.adding(seconds: grace), now,
            because: "Container \(plan.name) failed \(kind.rawValue.lowercased()) probe"
                + (comesBack ? ", will be restarted" : ""))
    }
}
