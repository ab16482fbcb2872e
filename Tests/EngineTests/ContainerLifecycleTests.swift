import Engine
import Keeper
import Linux
import Testing

@Suite struct ContainerLifecycleTests {
    let now = Timestamp(nanoseconds: 1_000)
    let started = StartReport(pid: 42, startedAt: Timestamp(nanoseconds: 900), startNanoseconds: 5, wasPrepared: false)
    let report = EndReport(
        status: .exited(3), usage: ResourceUsage(), endedAt: Timestamp(nanoseconds: 2_000), cgroup: nil,
        outOfMemory: false, lostLogBytes: 0)

    private func life(_ events: [ContainerLifecycle.Event], removes: Bool = false) throws -> ContainerLifecycle {
        var life = ContainerLifecycle(removesOnExit: removes)
        for event in events { _ = try life.handle(event, now: now) }
        return life
    }

    @Test func `a start is recorded before it is asked for`() throws {
        var life = ContainerLifecycle(removesOnExit: false)
        #expect(try life.handle(.startRequested, now: now) == [.record, .start(run: 1)])
        #expect(life.phase == .starting)
        #expect(try life.handle(.started(run: 1, started), now: now) == [])
        #expect(life.phase == .running)
    }

    @Test func `an end is recorded before it is acknowledged`() throws {
        var life = try life([.startRequested, .started(run: 1, started)])
        #expect(try life.handle(.ended(run: 1, report), now: now) == [.record, .acknowledge(run: 1)])
        #expect(life.phase == .exited)
        #expect(life.end?.exitStatus == 3)
    }

    @Test func `a container that is to be removed at its end goes with it, and its end is still known`() throws {
        var life = try life([.startRequested, .started(run: 1, started)], removes: true)
        #expect(try life.handle(.ended(run: 1, report), now: now) == [.acknowledge(run: 1), .delete])
        #expect(life.end?.exitStatus == 3)
    }

    @Test func `news of an earlier run changes nothing`() throws {
        var life = try life([
            .startRequested, .started(run: 1, started), .ended(run: 1, report), .startRequested,
            .started(run: 2, started),
        ])
        let before = life
        #expect(try life.handle(.ended(run: 1, report), now: now) == [.acknowledge(run: 1)])
        #expect(try life.handle(.graceExpired(run: 1), now: now) == [])
        #expect(try life.handle(.found(run: 1, started), now: now) == [])
        #expect(life == before)
    }

    @Test func `stopping signals, waits, and kills the tree when the grace is over`() throws {
        var life = try life([.startRequested, .started(run: 1, started)])
        let until = Timestamp(nanoseconds: now.nanoseconds + 500)
        #expect(
            try life.handle(.stopRequested(signal: 15, graceNanoseconds: 500), now: now)
                == [
                    .record, .signal(run: 1, number: 15, wholeTree: false),
                    .expectGraceToExpire(run: 1, at: until),
                ])
        #expect(
            try life.handle(.graceExpired(run: 1), now: until)
                == [.record, .signal(run: 1, number: Signal.kill, wholeTree: true)])
        #expect(try life.handle(.graceExpired(run: 1), now: until) == [])
        #expect(try life.handle(.ended(run: 1, report), now: until) == [.record, .acknowledge(run: 1)])
    }

    @Test func `a second stop may shorten the grace and not lengthen it`() throws {
        var life = try life([
            .startRequested, .started(run: 1, started), .stopRequested(signal: 15, graceNanoseconds: 500),
        ])
        let actions = try life.handle(.stopRequested(signal: 15, graceNanoseconds: 9_000), now: now)
        #expect(actions.last == .expectGraceToExpire(run: 1, at: Timestamp(nanoseconds: now.nanoseconds + 500)))
        let forced = try life.handle(.stopRequested(signal: 15, graceNanoseconds: 0), now: now)
        #expect(forced == [.record, .signal(run: 1, number: Signal.kill, wholeTree: true)])
    }

    @Test func `a stop that a dead node was asked for is carried on by the next`() throws {
        var life = try life([
            .startRequested, .started(run: 1, started), .stopRequested(signal: 15, graceNanoseconds: 500),
        ])
        let until = Timestamp(nanoseconds: now.nanoseconds + 500)
        #expect(try life.handle(.found(run: 1, started), now: until) == [.expectGraceToExpire(run: 1, at: until)])
    }

    @Test func `requests that make no sense are conflicts and change nothing`() throws {
        let running: [ContainerLifecycle.Event] = [.startRequested, .started(run: 1, started)]
        let cases: [(ContainerLifecycle, ContainerLifecycle.Event)] = [
            (try life([]), .killRequested(signal: 9, isStop: true)),
            (try life([.startRequested]), .startRequested),
            (try life([.startRequested]), .stopRequested(signal: 15, graceNanoseconds: 1)),
            (try life([.startRequested]), .removeRequested(force: true)),
            (try life(running), .startRequested),
            (try life(running), .removeRequested(force: false)),
            (try life(running + [.ended(run: 1, report)]), .killRequested(signal: 9, isStop: true)),
            (try life(running + [.removeRequested(force: true)]), .startRequested),
            (try life(running + [.removeRequested(force: true)]), .stopRequested(signal: 15, graceNanoseconds: 1)),
            (try life([.removeRequested(force: false)]), .removeRequested(force: true)),
        ]
        for (before, event) in cases {
            var life = before
            #expect(throws: NodeFailure.self, "\(before.state) \(event)") { try life.handle(event, now: now) }
            #expect(life == before)
        }
    }

    @Test func `a forced removal kills, and deletes when it has ended`() throws {
        var life = try life([.startRequested, .started(run: 1, started)])
        #expect(
            try life.handle(.removeRequested(force: true), now: now)
                == [.record, .signal(run: 1, number: Signal.kill, wholeTree: true)])
        #expect(try life.handle(.ended(run: 1, report), now: now) == [.acknowledge(run: 1), .delete])
    }

    @Test func `a failed start leaves the container as it was, with the reason`() throws {
        var life = try life([.startRequested])
        #expect(try life.handle(.startFailed(run: 1, "no such file"), now: now) == [.record])
        #expect(life.phase == .created)
        #expect(life.startError == "no such file")
        #expect(try life.handle(.startRequested, now: now) == [.record, .start(run: 2)])
    }

    @Test func `a lost keeper means that the end is unknown`() throws {
        var life = try life([.startRequested, .started(run: 1, started)])
        #expect(try life.handle(.absent, now: now) == [.record])
        #expect(life.phase == .lost)
        #expect(life.end?.exitStatus == nil)
        #expect(life.end?.keeperLost == true)
    }

    @Test func `adoption agrees with the keeper from every state`() throws {
        let running: [ContainerLifecycle.Event] = [.startRequested, .started(run: 1, started)]
        let histories: [[ContainerLifecycle.Event]] = [
            [.startRequested], running, running + [.stopRequested(signal: 15, graceNanoseconds: 9)],
            running + [.absent], running + [.removeRequested(force: true)], [.startRequested, .absent],
        ]
        for history in histories {
            var found = try life(history)
            let actions = try found.handle(.found(run: 1, started), now: now)
            #expect(found.phase.isActive, "\(history)")
            if case .removing = found.state {
                #expect(actions == [.signal(run: 1, number: Signal.kill, wholeTree: true)])
            }
            var ended = try life(history)
            let last = try ended.handle(.ended(run: 1, report), now: now)
            #expect(last.contains(.acknowledge(run: 1)), "\(history)")
            #expect(ended.end?.exitStatus == 3, "\(history)")
            var absent = try life(history)
            _ = try absent.handle(.absent, now: now)
            #expect(!absent.phase.isActive || absent.phase == .removing, "\(history)")
        }
    }

    // Restarts.

    private func life(_ policy: RestartPolicy, _ events: [ContainerLifecycle.Event]) throws -> ContainerLifecycle {
        var life = ContainerLifecycle(removesOnExit: false, restart: RestartState(policy: policy))
        for event in events { _ = try life.handle(event, now: now) }
        return life
    }

    /// When the next attempt is due, after the first failure.
    private var due: Timestamp { Timestamp(nanoseconds: now.nanoseconds + RestartState.shortestDelay) }
    private var firstRun: [ContainerLifecycle.Event] { [.startRequested, .started(run: 1, started)] }

    @Test func `an end is followed by another start when the policy says so`() throws {
        var life = try life(.always, firstRun)
        #expect(
            try life.handle(.ended(run: 1, report), now: now)
                == [.record, .acknowledge(run: 1), .expectRestart(at: due)])
        #expect(life.phase == .restarting)
        #expect(life.end?.exitStatus == 3)
        #expect(try life.handle(.restartDue(at: now), now: now) == [])
        #expect(try life.handle(.restartDue(at: due), now: due) == [.record, .start(run: 2)])
        #expect(life.restart.restarts == 1)
        #expect(try life.handle(.started(run: 2, started), now: due) == [])
        #expect(life.phase == .running)
    }

    @Test func `a start by policy that fails is tried again, one by a user is not`() throws {
        var life = try life(.always, firstRun + [.ended(run: 1, report), .restartDue(at: due)])
        let actions = try life.handle(.startFailed(run: 2, "no such file"), now: now)
        #expect(actions.count == 2 && actions.first == .record)
        #expect(life.phase == .restarting)
        #expect(life.startError == "no such file")
        var asked = try self.life(.always, [.startRequested])
        #expect(try asked.handle(.startFailed(run: 1, "no such file"), now: now) == [.record])
        #expect(asked.phase == .created)
    }

    @Test func `a stop ends the wait for the next attempt, and so does a removal`() throws {
        let waiting = try life(.always, firstRun + [.ended(run: 1, report)])
        var stopped = waiting
        #expect(try stopped.handle(.stopRequested(signal: 15, graceNanoseconds: 5), now: now) == [.record])
        #expect(stopped.phase == .exited)
        #expect(try stopped.handle(.restartDue(at: due), now: due) == [])
        var killed = waiting
        #expect(try killed.handle(.killRequested(signal: 9, isStop: true), now: now) == [.record])
        #expect(killed.phase == .exited)
        var removed = waiting
        #expect(throws: NodeFailure.self) { try removed.handle(.removeRequested(force: false), now: now) }
        #expect(try removed.handle(.removeRequested(force: true), now: now) == [.delete])
        #expect(try removed.handle(.restartDue(at: due), now: due) == [])
    }

    @Test func `a container that was stopped or killed by its user stays down`() throws {
        let stop = ContainerLifecycle.Event.stopRequested(signal: 15, graceNanoseconds: 5)
        for event in [stop, .killRequested(signal: 15, isStop: true)] {
            var life = try life(.unlessStopped, firstRun + [event])
            #expect(try life.handle(.ended(run: 1, report), now: now) == [.record, .acknowledge(run: 1)])
            #expect(life.phase == .exited)
            #expect(try life.handle(.nodeStarted, now: now) == [])
        }
        var signalled = try life(.unlessStopped, firstRun + [.killRequested(signal: 1, isStop: false)])
        #expect(try signalled.handle(.ended(run: 1, report), now: now).last == .expectRestart(at: due))
    }

    @Test func `a node that starts brings back what its policy wants, and nothing that never ran`() throws {
        var lost = try life(.unlessStopped, firstRun + [.absent])
        #expect(try lost.handle(.nodeStarted, now: now) == [.record, .start(run: 2)])
        var plain = try life(.no, firstRun + [.absent])
        #expect(try plain.handle(.nodeStarted, now: now) == [])
        var stopped = try life(
            .always, firstRun + [.stopRequested(signal: 15, graceNanoseconds: 5), .ended(run: 1, report)])
        #expect(try stopped.handle(.nodeStarted, now: now) == [.record, .start(run: 2)])
        var fresh = try life(.always, [])
        #expect(try fresh.handle(.nodeStarted, now: now) == [])
        var running = try life(.always, firstRun)
        #expect(try running.handle(.nodeStarted, now: now) == [])
    }

    @Test func `what a node that is gone had begun to start counts as lost, not as never run`() throws {
        var life = try life(.no, [.startRequested])
        #expect(try life.handle(.vanished, now: now) == [.record])
        #expect(life.phase == .lost)
        var kept = try self.life(.unlessStopped, [.startRequested])
        #expect(try kept.handle(.vanished, now: now) == [.record, .expectRestart(at: due)])
    }

    // Pausing.

    @Test func `what is paused is resumed before it can end`() throws {
        var life = try life(firstRun)
        #expect(try life.handle(.pauseRequested, now: now) == [.freeze(run: 1), .record])
        #expect(life.phase == .paused)
        var resumed = life
        #expect(try resumed.handle(.resumeRequested, now: now) == [.thaw(run: 1), .record])
        #expect(resumed.phase == .running)
        var stopped = life
        #expect(try stopped.handle(.stopRequested(signal: 15, graceNanoseconds: 5), now: now).last == .thaw(run: 1))
        var removed = life
        #expect(throws: NodeFailure.self) { try removed.handle(.removeRequested(force: false), now: now) }
        #expect(try removed.handle(.removeRequested(force: true), now: now).last == .thaw(run: 1))
        var killed = life
        #expect(try killed.handle(.killRequested(signal: 9, isStop: true), now: now).last == .thaw(run: 1))
        #expect(throws: NodeFailure.self) { try life.handle(.pauseRequested, now: now) }
        #expect(throws: NodeFailure.self) { try life.handle(.startRequested, now: now) }
        #expect(throws: NodeFailure.self) { try resumed.handle(.resumeRequested, now: now) }
    }

    @Test func `whether it is frozen is the keeper's word`() throws {
        var life = try life(firstRun)
        #expect(try life.handle(.frozen(run: 1, true), now: now) == [.record])
        #expect(life.phase == .paused)
        #expect(try life.handle(.found(run: 1, started), now: now) == [])
        #expect(life.phase == .paused)
        #expect(try life.handle(.frozen(run: 1, false), now: now) == [.record])
        #expect(life.phase == .running)
        #expect(try life.handle(.frozen(run: 1, false), now: now) == [])
    }
}
