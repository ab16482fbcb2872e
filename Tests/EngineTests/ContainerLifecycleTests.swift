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
            (try life([]), .killRequested(signal: 9)),
            (try life([.startRequested]), .startRequested),
            (try life([.startRequested]), .stopRequested(signal: 15, graceNanoseconds: 1)),
            (try life([.startRequested]), .removeRequested(force: true)),
            (try life(running), .startRequested),
            (try life(running), .removeRequested(force: false)),
            (try life(running + [.ended(run: 1, report)]), .killRequested(signal: 9)),
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
}
