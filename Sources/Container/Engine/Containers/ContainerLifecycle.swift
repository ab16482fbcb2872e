package import Keeper
package import Linux
import Sandbox

/// The life of one container as a pure state machine: events in, actions out.
///
/// Invariants
/// 1. A start is recorded before the keeper is asked: whatever a dead node had begun, the next one knows of.
///    (test: `a start is recorded before it is asked for`)
/// 2. An end is recorded before the keeper may forget it. (test: `an end is recorded before it is acknowledged`)
/// 3. Events of a run that is over change nothing but are acknowledged. (test: `news of an earlier run changes nothing`)
/// 4. After a stop no policy starts it again; what a policy waits for is known to `RestartState` alone.
///    (test: `a stop ends the wait for the next attempt, and so does a removal`)
/// 5. Whatever the state, the keeper's word that a program runs, ended or is unknown leads to a state that agrees.
///    (test: `adoption agrees with the keeper from every state`)
package struct ContainerLifecycle: Hashable, Sendable {
    /// One run: the keeper's sandbox `<id>.<number>`.
    package struct Run: Hashable, Sendable {
        package var number: Int
        /// nil: the keeper's answer was never seen.
        package var start: StartReport?

        package init(number: Int, start: StartReport?) {
            self.number = number
            self.start = start
        }
    }

    package enum State: Hashable, Sendable {
        /// Never started, or the last start failed for this reason.
        case created(startError: String?)
        case starting(run: Int)
        case running(Run)
        /// Frozen: nothing in it runs until it is resumed.
        case paused(Run)
        /// Signalled; at `killAt` the whole tree is killed. nil: it has been.
        case stopping(Run, killAt: Timestamp?)
        case exited(Run, ContainerEnd)
        /// The keeper died with it.
        case lost(Run, ContainerEnd)
        /// Killed in order to be removed.
        case removing(Run)
        /// Gone; how its last run ended is for those who still wait for it.
        case removed(ContainerEnd?)
    }

    package enum Event: Hashable, Sendable {
        case startRequested
        /// The time that `expectRestart` named has come.
        case restartDue(at: Timestamp)
        /// This node has just taken over, and the container does not run.
        case nodeStarted
        case started(run: Int, StartReport)
        case startFailed(run: Int, String)
        case ended(run: Int, EndReport)
        case stopRequested(signal: Int32, graceNanoseconds: Int)
        case graceExpired(run: Int)
        /// - Parameter isStop: whether the signal is meant to end it, so that no policy starts it again.
        case killRequested(signal: Int32, isStop: Bool)
        case pauseRequested
        case resumeRequested
        /// The freezer did not do it, or the keeper says how it is.
        case frozen(run: Int, Bool)
        case policyChanged(RestartPolicy)
        case removeRequested(force: Bool)
        /// The keeper lists it as running.
        case found(run: Int, StartReport)
        /// The keeper does not know of it.
        case absent
        /// The same of one that a node which is gone had begun to start: whether it ever ran is not known.
        case vanished
    }

    package enum Action: Hashable, Sendable {
        /// Writes the record; if that fails, a start or an acknowledgement that follows is left out.
        case record
        case start(run: Int)
        case signal(run: Int, number: Int32, wholeTree: Bool)
        case expectGraceToExpire(run: Int, at: Timestamp)
        case freeze(run: Int)
        case thaw(run: Int)
        /// Send `restartDue` then.
        case expectRestart(at: Timestamp)
        case acknowledge(run: Int)
        /// Removes the record and the logs.
        case delete
    }

    package private(set) var state: State
    /// The number of the latest run; 0 before the first.
    package private(set) var runs: Int
    package let removesOnExit: Bool
    /// Whether and when it is started again.
    package private(set) var restart: RestartState
    /// Whether the start under way is a policy's and not a user's.
    private var startsByPolicy = false

    package init(
        state: State = .created(startError: nil), runs: Int = 0, removesOnExit: Bool,
        restart: RestartState = RestartState(policy: .no)
    ) {
        self.state = state
        self.runs = runs
        self.removesOnExit = removesOnExit
        self.restart = restart
    }

    /// Moves on; a refused request changes nothing.
    ///
    /// - Throws: `NodeFailure` of kind `conflict` for a request that the state does not allow.
    package mutating func handle(_ event: Event, now: Timestamp) throws(NodeFailure) -> [Action] {
        switch event {
        case .startRequested: try startByUser(now)
        case .restartDue(let time): startByPolicy(.waitOver(at: time), now)
        case .nodeStarted: runs == 0 ? [] : startByPolicy(.nodeStarted(failed: hasFailed), now)
        case .started(let run, let report), .found(let run, let report): found(run, report, now)
        case .startFailed(let run, let reason): startFailed(run, reason, now)
        case .ended(let run, let report): ended(run, report, now)
        case .stopRequested(let signal, let grace): try stop(signal, grace, now)
        case .graceExpired(let run): graceExpired(run)
        case .killRequested(let signal, let isStop): try kill(signal, isStop, now)
        case .pauseRequested: try pause()
        case .resumeRequested: try resume()
        case .frozen(let run, let isFrozen): frozen(run, isFrozen)
        case .policyChanged(let policy): changePolicy(policy, now)
        case .removeRequested(let force): try remove(force)
        case .absent: absent(now)
        case .vanished: vanished(now)
        }
    }

    /// The phase as users see it.
    package var phase: ContainerPhase {
        switch state {
        case .created where restart.waitsUntil != nil, .exited where restart.waitsUntil != nil,
            .lost where restart.waitsUntil != nil:
            .restarting
        case .created: .created
        case .starting: .starting
        case .running: .running
        case .paused: .paused
        case .stopping: .stopping
        case .exited: .exited
        case .lost: .lost
        case .removing, .removed: .removing
        }
    }

    /// The run that is under way or was the last one.
    package var run: Run? {
        switch state {
        case .created, .removed: nil
        case .starting(let number): Run(number: number, start: nil)
        case .running(let run), .paused(let run), .stopping(let run, _), .exited(let run, _), .lost(let run, _),
            .removing(let run):
            run
        }
    }

    /// How the last run ended.
    package var end: ContainerEnd? {
        switch state {
        case .exited(_, let end), .lost(_, let end): end
        case .removed(let end): end
        default: nil
        }
    }

    package var startError: String? { if case .created(let error) = state { error } else { nil } }

    /// Whether the last run, or the last attempt at one, ended badly.
    private var hasFailed: Bool { startError != nil || end?.exitStatus != 0 }

    // Requests.

    private mutating func startByUser(_ now: Timestamp) throws(NodeFailure) -> [Action] {
        let actions = try start()
        startsByPolicy = false
        _ = restart.handle(.startedByUser, now: now)
        return actions
    }

    /// Starts it if the policy says so: a timer of an earlier wait does nothing.
    private mutating func startByPolicy(_ event: RestartState.Event, _ now: Timestamp) -> [Action] {
        guard !phase.isActive, phase != .removing, restart.handle(event, now: now) == .start else { return [] }
        guard let actions = try? start() else { return [] }
        startsByPolicy = true
        return actions
    }

    private mutating func start() throws(NodeFailure) -> [Action] {
        switch state {
        case .created, .exited, .lost:
            runs += 1
            state = .starting(run: runs)
            return [.record, .start(run: runs)]
        case .starting: throw Self.conflict("is being started")
        case .running, .stopping: throw Self.conflict("is running already")
        case .paused: throw Self.conflict("is paused; resume it with unpause")
        case .removing, .removed: throw Self.conflict("is being removed")
        }
    }

    private mutating func stop(_ signal: Int32, _ grace: Int, _ now: Timestamp) throws(NodeFailure) -> [Action] {
        switch state {
        case .running(let run):
            _ = restart.handle(.stopRequested, now: now)
            return stopping(run, signal, grace, now)
        case .paused(let run):
            _ = restart.handle(.stopRequested, now: now)
            // What is frozen sees no signal, not even SIGKILL with cgroup v1, before it goes on.
            return stopping(run, signal, grace, now) + [.thaw(run: run.number)]
        case .stopping(let run, let killAt):
            // A second request may shorten the grace of the first, not lengthen it.
            guard let killAt else { return [] }
            let sooner = min(grace, max(0, killAt.nanoseconds - now.nanoseconds))
            return stopping(run, signal, sooner, now)
        case .created, .exited, .lost:
            return restart.handle(.stopRequested, now: now) == .cancelWait ? [.record] : []
        case .starting: throw Self.conflict("is being started; try again when it runs")
        case .removing, .removed: throw Self.conflict("is being removed")
        }
    }

    private mutating func stopping(_ run: Run, _ signal: Int32, _ grace: Int, _ now: Timestamp) -> [Action] {
        if grace == 0 || signal == Signal.kill {
            state = .stopping(run, killAt: nil)
            return [.record, .signal(run: run.number, number: Signal.kill, wholeTree: true)]
        }
        let killAt = Timestamp(nanoseconds: now.nanoseconds + grace)
        state = .stopping(run, killAt: killAt)
        return [
            .record, .signal(run: run.number, number: signal, wholeTree: false),
            .expectGraceToExpire(run: run.number, at: killAt),
        ]
    }

    private mutating func kill(_ signal: Int32, _ isStop: Bool, _ now: Timestamp) throws(NodeFailure) -> [Action] {
        var actions: [Action] = []
        switch state {
        case .running(let run), .stopping(let run, _):
            actions = [.signal(run: run.number, number: signal, wholeTree: signal == Signal.kill)]
        case .paused(let run):
            state = .running(run)
            actions = [
                .signal(run: run.number, number: signal, wholeTree: signal == Signal.kill), .thaw(run: run.number),
            ]
        case .created, .exited, .lost:
            guard phase == .restarting else { throw Self.conflict("is not running") }
        case .starting: throw Self.conflict("is being started; try again when it runs")
        case .removing, .removed: throw Self.conflict("is being removed")
        }
        guard isStop, !restart.isStopped else { return actions }
        _ = restart.handle(.stopRequested, now: now)
        return [.record] + actions
    }

    private mutating func pause() throws(NodeFailure) -> [Action] {
        switch state {
        case .running(let run):
            state = .paused(run)
            return [.freeze(run: run.number), .record]
        case .paused: throw Self.conflict("is paused already")
        default: throw Self.conflict("is not running")
        }
    }

    private mutating func resume() throws(NodeFailure) -> [Action] {
        guard case .paused(let run) = state else { throw Self.conflict("is not paused") }
        state = .running(run)
        return [.thaw(run: run.number), .record]
    }

    private mutating func frozen(_ number: Int, _ isFrozen: Bool) -> [Action] {
        guard number == runs else { return [] }
        switch (state, isFrozen) {
        case (.running(let run), true): state = .paused(run)
        case (.paused(let run), false): state = .running(run)
        case (.stopping, true), (.removing, true): return [.thaw(run: number)]
        default: return []
        }
        return [.record]
    }

    private mutating func changePolicy(_ policy: RestartPolicy, _ now: Timestamp) -> [Action] {
        _ = restart.handle(.policyChanged(policy), now: now)
        return [.record]
    }

    private mutating func remove(_ force: Bool) throws(NodeFailure) -> [Action] {
        switch state {
        case .created, .exited, .lost:
            guard force || phase != .restarting else {
                throw Self.conflict("is restarting: stop it first, or remove it with --force")
            }
            state = .removed(end)
            return [.delete]
        case .running(let run), .stopping(let run, _):
            guard force else { throw Self.conflict("is running: stop it first, or remove it with --force") }
            state = .removing(run)
            return [.record, .signal(run: run.number, number: Signal.kill, wholeTree: true)]
        case .paused(let run):
            guard force else { throw Self.conflict("is paused: resume and stop it first, or remove it with --force") }
            state = .removing(run)
            return [
                .record, .signal(run: run.number, number: Signal.kill, wholeTree: true), .thaw(run: run.number),
            ]
        case .starting: throw Self.conflict("is being started; try again when it runs")
        case .removing: return []
        case .removed: throw Self.conflict("was removed")
        }
    }

    // The keeper's word.

    /// It runs: the answer to our start, or what the keeper listed.
    private mutating func found(_ number: Int, _ report: StartReport, _ now: Timestamp) -> [Action] {
        guard number == runs else { return [] }
        let run = Run(number: number, start: report)
        switch state {
        case .starting, .running:
            state = .running(run)
            return []
        case .paused:
            state = .paused(run)
            return []
        case .created, .lost:
            // It was thought not to run. What runs counts.
            state = .running(run)
            return [.record]
        case .stopping(_, let killAt?):
            // The node that was asked to stop it may have died before the grace was over, or before the signal.
            state = .stopping(run, killAt: killAt)
            return [.expectGraceToExpire(run: number, at: killAt)]
        case .stopping(_, nil), .removing:
            return [.signal(run: number, number: Signal.kill, wholeTree: true)]
        case .exited, .removed: return []
        }
    }

    private mutating func startFailed(_ number: Int, _ reason: String, _ now: Timestamp) -> [Action] {
        guard case .starting(number) = state else { return [] }
        if removesOnExit {
            state = .removed(nil)
            return [.delete]
        }
        state = .created(startError: reason)
        // A user hears of it and decides; a policy tries again.
        return startsByPolicy ? afterEnd([.record], ran: 0, failed: true, now) : [.record]
    }

    private mutating func ended(_ number: Int, _ report: EndReport, _ now: Timestamp) -> [Action] {
        guard number == runs else { return [.acknowledge(run: number)] }
        switch state {
        case .starting, .running, .paused, .stopping, .created, .lost:
            if removesOnExit {
                state = .removed(ContainerEnd(report))
                return [.acknowledge(run: number), .delete]
            }
            let run = run ?? Run(number: number, start: nil)
            let end = ContainerEnd(report)
            state = .exited(run, end)
            let actions: [Action] = [.record, .acknowledge(run: number)]
            return afterEnd(actions, ran: Self.span(run, end), failed: end.exitStatus != 0, now)
        case .removing:
            state = .removed(ContainerEnd(report))
            return [.acknowledge(run: number), .delete]
        case .exited, .removed: return [.acknowledge(run: number)]
        }
    }

    /// What is done at an end anyhow, and the next attempt if the policy wants one.
    private mutating func afterEnd(_ actions: [Action], ran: Int, failed: Bool, _ now: Timestamp) -> [Action] {
        guard case .wait(let time)? = restart.handle(.ended(ranNanoseconds: ran, failed: failed), now: now) else {
            return actions
        }
        return actions + [.expectRestart(at: time)]
    }

    /// How long a run took; 0 where its start was not seen.
    private static func span(_ run: Run, _ end: ContainerEnd) -> Int {
        run.start.map { max(0, end.endedAt.nanoseconds - $0.startedAt.nanoseconds) } ?? 0
    }

    private mutating func graceExpired(_ number: Int) -> [Action] {
        guard case .stopping(let run, .some) = state, run.number == number else { return [] }
        state = .stopping(run, killAt: nil)
        return [.record, .signal(run: number, number: Signal.kill, wholeTree: true)]
    }

    /// No keeper knows of it: it does not run.
    private mutating func absent(_ now: Timestamp) -> [Action] {
        let unknown = ContainerEnd(exitStatus: nil, endedAt: now, keeperLost: true)
        switch state {
        case .created, .exited, .lost, .removed: return []
        case .removing:
            state = .removed(unknown)
            return [.delete]
        case .starting(let run):
            return startFailed(run, "the start was interrupted: the node or the keeper ended before it was done", now)
        case .running(let run), .paused(let run), .stopping(let run, _):
            if removesOnExit {
                state = .removed(unknown)
                return [.delete]
            }
            state = .lost(run, unknown)
            return afterEnd([.record], ran: Self.span(run, unknown), failed: true, now)
        }
    }

    private mutating func vanished(_ now: Timestamp) -> [Action] {
        guard case .starting(let number) = state else { return absent(now) }
        let unknown = ContainerEnd(exitStatus: nil, endedAt: now, keeperLost: true)
        if removesOnExit {
            state = .removed(unknown)
            return [.delete]
        }
        state = .lost(Run(number: number, start: nil), unknown)
        return afterEnd([.record], ran: 0, failed: true, now)
    }

    private static func conflict(_ sentence: String) -> NodeFailure { NodeFailure(.conflict, "it \(sentence)") }
}

extension ContainerEnd {
    /// What the keeper reported, in the API's words.
    package init(_ report: EndReport) {
        var signal: Int32?
        if case .signaled(let number, _) = report.status { signal = number }
        self.init(
            exitStatus: report.status.shellStatus, signal: signal, endedAt: report.endedAt,
            outOfMemory: report.outOfMemory,
            userMicroseconds: report.cgroup?.cpuUserMicroseconds ?? report.usage.userMicroseconds,
            systemMicroseconds: report.cgroup?.cpuSystemMicroseconds ?? report.usage.systemMicroseconds,
            peakMemoryBytes: report.cgroup?.memoryPeakBytes ?? report.usage.peakResidentBytes,
            lostLogBytes: report.lostLogBytes)
    }
}
