import Linux

// What a pod starts, and when.
extension PodMachine {
    mutating func startWhatMay(_ now: Timestamp) {
        guard preparation == .done else { return prepare(now) }
        for index in containers.indices where containers[index].stage == .idle && mayRun(containers[index].plan) {
            start(index, now)
        }
    }

    private mutating func prepare(_ now: Timestamp) {
        switch preparation {
        case .none: break
        case .failed(let until) where until <= now: break
        case .failed, .asked, .done: return
        }
        preparation = .asked
        actions.append(.prepare)
    }

    mutating func prepared(_ addresses: [String]) {
        guard preparation == .asked else { return }
        preparation = .done
        prepareProblem = nil
        self.addresses = addresses
    }

    mutating func prepareFailed(_ problem: String, _ now: Timestamp) {
        guard preparation == .asked else { return }
        prepareProblem = problem
        prepareFailures += 1
        // As the kubelet's volume manager: half a second, doubling up to about two minutes.
        let milliseconds = min(500 << min(prepareFailures - 1, 8), 122_000)
        preparation = .failed(until: now.adding(milliseconds: milliseconds))
    }

    /// Whether it is this container's turn.
    func mayRun(_ plan: ContainerPlan) -> Bool {
        switch plan.role {
        // What hangs before the main containers is debugged, too.
        case .ephemeral: return true
        case .main: return hasInitialized
        case .initial, .sidecar:
            for before in containers where before.plan.role == .initial || before.plan.role == .sidecar {
                if before.plan.name == plan.name { return true }
                if hasInitialized { continue }
                if !hasPassed(before) { return false }
            }
            return false
        }
    }

    /// Whether what comes after this init container may start.
    private func hasPassed(_ life: ContainerLife) -> Bool {
        life.plan.role == .sidecar ? life.isUp || life.nextAttempt > 0 && hasMainBegun : life.hasSucceeded
    }

    /// Whether a main container was ever started: from then on init containers do not run again.
    var hasMainBegun: Bool { containers.contains { $0.plan.role == .main && ($0.nextAttempt > 0 || $0.isActive) } }

    /// Whether all init containers have done what they are for.
    package var hasInitialized: Bool {
        hasMainBegun
            || containers.allSatisfy { life in
                switch life.plan.role {
                case .initial: life.hasSucceeded
                case .sidecar: life.isUp
                case .main, .ephemeral: true
                }
            }
    }

    private mutating func start(_ index: Int, _ now: Timestamp) {
        var life = containers[index]
        defer { containers[index] = life }
        let name = life.plan.name
        if let noted = life.pullNotedAt, noted <= now {
            life.pullNotedAt = nil
            let message = life.waiting?.message ?? ""
            life.waiting = (
                "ImagePullBackOff", "Back-off pulling image \"\(life.plan.image)\": ErrImagePull: \(message)"
            )
            note(.normal, "BackOff", "Back-off pulling image \"\(life.plan.image)\"", container: name)
            note(.warning, "Failed", "Error: ImagePullBackOff", container: name)
        }
        if let notBefore = life.notBefore, notBefore > now { return }
        if let ended = life.ended {
            if life.plan.role == .initial, hasMainBegun { return }
            guard life.restartsAnyway || life.plan.restarts(after: ended.exitCode) else { return }
            guard life.waiting?.reason == "CrashLoopBackOff" || isFree(&life, ended, now) else { return }
            life.crashes.advance(after: ended.finishedAt, now: now)
        }
        life.notBefore = nil
        if life.waiting?.reason == "CrashLoopBackOff" { life.waiting = nil }
        life.restartsAnyway = false
        life.stage = .starting(life.nextAttempt)
        actions.append(.start(name, attempt: life.nextAttempt))
    }

    /// Whether no pause holds the next attempt up; else the pause is noted.
    private mutating func isFree(_ life: inout ContainerLife, _ ended: Termination, _ now: Timestamp) -> Bool {
        // An end that lies ahead is one before the clock was set back.
        let due = life.crashes.due(after: min(ended.finishedAt, now))
        guard due > now else { return true }
        let place = "\(plan.name)_\(plan.namespace)(\(plan.uid))"
        life.notBefore = due
        life.waiting = (
            "CrashLoopBackOff",
            "back-off \(BackOff.text(life.crashes.seconds)) restarting failed container=\(life.plan.name) pod=\(place)"
        )
        note(
            .warning, "BackOff", "Back-off restarting failed container \(life.plan.name) in pod \(place)",
            container: life.plan.name)
        return false
    }

    /// What a start needed may be there now: those that were missing something try again.
    mutating func forgetProblems() {
        if case .failed = preparation { preparation = .none }
        for index in containers.indices where containers[index].waiting?.reason == "CreateContainerConfigError" {
            containers[index].notBefore = nil
        }
    }

    // Answers.

    mutating func started(_ name: String, _ run: ContainerRun, _ now: Timestamp) {
        guard let index = index(name), containers[index].stage == .starting(run.attempt) else { return }
        take(run, index)
        containers[index].pulls = BackOff()
        if containers[index].plan.hasPostStart {
            containers[index].isHooking = true
            actions.append(.postStart(name, attempt: run.attempt))
        } else {
            beginProbes(index, now)
        }
    }

    /// A run is under way.
    mutating func take(_ run: ContainerRun, _ index: Int) {
        var life = containers[index]
        if let ended = life.ended { life.previous = ended }
        life.ended = nil
        life.waiting = nil
        life.pullNotedAt = nil
        life.nextAttempt = run.attempt + 1
        life.image = run.image
        life.imageID = run.imageID
        life.id = run.id
        life.stage = .running(run)
        life.isStarted = false
        life.isReady = false
        life.probes = [:]
        containers[index] = life
    }

    mutating func startFailed(_ name: String, _ attempt: Int, _ failure: StartFailure, _ now: Timestamp) {
        guard let index = index(name), containers[index].stage == .starting(attempt) else { return }
        var life = containers[index]
        defer { containers[index] = life }
        life.stage = .idle
        switch failure {
        case .pull(let message):
            life.pulls.advance(after: now, now: now)
            life.notBefore = now.adding(seconds: life.pulls.seconds)
            life.pullNotedAt = now.adding(seconds: 1)
            life.waiting = ("ErrImagePull", message)
        case .image(let reason, let message):
            life.notBefore = now.adding(seconds: Self.retrySeconds)
            life.waiting = (reason, message)
        case .config(let message):
            life.notBefore = now.adding(seconds: Self.retrySeconds)
            life.waiting = ("CreateContainerConfigError", message)
        case .create(let message):
            life.notBefore = now.adding(seconds: Self.retrySeconds)
            life.waiting = ("CreateContainerError", message)
        case .run(let message, let end):
            if let ended = life.ended { life.previous = ended }
            life.ended = end
            life.nextAttempt = attempt + 1
            life.waiting = ("RunContainerError", message)
        }
    }

    /// Between two attempts at what only others can mend: as often as the kubelet looks.
    static let retrySeconds = 10

    mutating func ended(_ name: String, _ attempt: Int, _ end: Termination) {
        guard let index = index(name) else { return }
        switch containers[index].stage {
        case .running(let run) where run.attempt == attempt, .stopping(let run, _) where run.attempt == attempt: break
        default: return
        }
        var life = containers[index]
        life.stage = .idle
        life.ended = end
        life.isReady = false
        life.isStarted = false
        life.isHooking = false
        life.probes = [:]
        containers[index] = life
    }

    mutating func postStartDone(_ name: String, _ attempt: Int, _ failure: String?, _ now: Timestamp) {
        guard let index = index(name, running: attempt), containers[index].isHooking else { return }
        containers[index].isHooking = false
        guard let failure else { return beginProbes(index, now) }
        note(.warning, "FailedPostStartHook", failure, container: name)
        guard case .running = containers[index].stage else { return }
        stop(index, by: now.adding(seconds: plan.graceSeconds), now, because: "FailedPostStartHook")
    }
}
