import Linux

// How a pod ends what runs in it: clients first, then the main containers, then the sidecars in reverse order.
extension PodMachine {
    /// What a program has at least between its signal and its end by force, as the kubelet has it; where memory runs
    /// out nothing is added to the second that there is.
    private var leastGraceSeconds: Int { isEvicted ? 0 : 2 }

    mutating func endWhatRuns(_ now: Timestamp) {
        guard !containers.contains(where: \.isActive) else { return stopInOrder(now) }
        guard tearDown == .done else {
            // What is being made ready is given back when it is there.
            if tearDown == .none, preparation != .asked {
                tearDown = .asked
                actions.append(.tearDown)
            }
            return
        }
        guard isDeleted else { return }
        isFinished = true
        actions.append(.finish)
    }

    private mutating func stopInOrder(_ now: Timestamp) {
        if ending != .completed || isDeleted {
            guard isClosed(now) else { return }
        }
        let end = deadline ?? now.adding(seconds: plan.graceSeconds)
        let others = containers.indices.filter { containers[$0].plan.role != .sidecar && containers[$0].isActive }
        for index in others { stop(index, by: end, now, because: nil) }
        guard others.isEmpty, let last = containers.indices.last(where: { containers[$0].isActive }) else { return }
        stop(last, by: end, now, because: nil)
    }

    /// Whether clients cannot reach it any more.
    private mutating func isClosed(_ now: Timestamp) -> Bool {
        guard withdrawal == .none else { return withdrawal == .done || deadline.map { $0 <= now } ?? false }
        withdrawal = .asked
        // Most of the time is the programs' own.
        let end = deadline ?? now
        let share = max(0, end.nanoseconds - now.nanoseconds) / 3
        actions.append(.withdraw(deadline: Timestamp(nanoseconds: now.nanoseconds + share)))
        return false
    }

    /// Begins to end a container that runs.
    mutating func stop(_ index: Int, by deadline: Timestamp, _ now: Timestamp, because message: String?) {
        guard case .running(let run) = containers[index].stage else { return }
        let life = containers[index]
        let name = life.plan.name
        note(.normal, "Killing", message ?? "Stopping container \(name)", container: name)
        // Who wants it gone at once has said so; a signal is sent all the same.
        let least = isDeleted ? min(1, leastGraceSeconds) : leastGraceSeconds
        let killAt = max(deadline, now.adding(seconds: least))
        let hasHook = life.plan.hasPreStop && !life.isHooking
        containers[index].stage = .stopping(run, .init(step: hasHook ? .hook : .signalled, killAt: killAt))
        containers[index].probes[.startup] = nil
        containers[index].probes[.liveness] = nil
        actions.append(
            hasHook
                ? .preStop(name, attempt: run.attempt)
                : .signal(name, attempt: run.attempt, life.plan.stopSignal))
    }

    mutating func preStopDone(_ name: String, _ attempt: Int, _ now: Timestamp) {
        guard let index = index(name, running: attempt),
            case .stopping(let run, let stopping) = containers[index].stage,
            stopping.step == .hook
        else { return }
        signal(index, run, killAt: max(stopping.killAt, now.adding(seconds: leastGraceSeconds)))
    }

    private mutating func signal(_ index: Int, _ run: ContainerRun, killAt: Timestamp) {
        containers[index].stage = .stopping(run, .init(step: .signalled, killAt: killAt))
        actions.append(.signal(containers[index].plan.name, attempt: run.attempt, containers[index].plan.stopSignal))
    }

    /// The next step of a container that is to end, when its time has come.
    mutating func stopFurther(_ index: Int, _ now: Timestamp) {
        guard case .stopping(let run, var stopping) = containers[index].stage, stopping.killAt <= now else { return }
        switch stopping.step {
        case .hook: signal(index, run, killAt: now.adding(seconds: leastGraceSeconds))
        case .signalled:
            stopping.step = .killed
            containers[index].stage = .stopping(run, stopping)
            actions.append(.kill(containers[index].plan.name, attempt: run.attempt))
        case .killed: break
        }
    }

    // A changed spec.

    /// Takes over what may change in a pod that there is: images, deadlines, ephemeral containers.
    mutating func change(to plan: PodPlan, _ now: Timestamp) {
        self.plan = plan
        for container in plan.all {
            guard let index = index(container.name) else {
                if container.role == .ephemeral { containers.append(ContainerLife(container)) }
                continue
            }
            let before = containers[index].plan
            containers[index].plan = container
            guard before.image != container.image else { continue }
            containers[index].notBefore = nil
            guard ending == nil, case .running = containers[index].stage else { continue }
            containers[index].restartsAnyway = true
            stop(
                index, by: now.adding(seconds: plan.graceSeconds), now,
                because: "Container \(container.name) definition changed, will be restarted")
        }
    }
}
