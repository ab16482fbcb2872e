import Testing

@testable import Functions

@Suite struct StandbyPoolTests {
    @Test func `a pool starts its minimum of copies, no more at once than it may`() {
        var story = PoolStory(PoolConfiguration(minimum: 3, maximum: 8, startsAtOnce: 2))
        #expect(story.tell(.timer) == [.start(1), .start(2)])
        #expect(story.tell(.started(1)) == [])
        #expect(story.tell(.ready(1)) == [.start(3)])
        story.makeReady(2, 3)
        #expect(story.pool.counts.ready == 3)
        #expect(story.tell(.timer) == [])
    }

    @Test func `a call takes the copy that has waited longest, and it is replaced`() throws {
        var story = PoolStory(PoolConfiguration(minimum: 2, maximum: 8))
        story.tell(.timer)
        story.makeReady(1)
        story.wait(.milliseconds(5))
        story.makeReady(2)
        let actions = story.tell(.call(7))
        #expect(actions.first?.pair == [1, 7])
        #expect(actions.dropFirst() == [.start(3)])
        #expect(
            try #require(actions.first?.handOver)
                == HandOver(queued: .zero, wasReady: true, startedIn: .zero))
        #expect(story.pool.counts.coldCalls == 0)
    }

    @Test func `an instance is never given twice`() {
        var story = PoolStory(PoolConfiguration(minimum: 1, maximum: 1))
        story.tell(.timer)
        story.makeReady(1)
        #expect(story.tell(.call(1)).first?.pair == [1, 1])
        #expect(story.tell(.call(2)) == [])
        // A look at it that was under way when it was given away.
        #expect(story.tell(.ready(1)) == [])
        #expect(story.tell(.ended(1)) == [.start(2)])
        story.tell(.started(2))
        #expect(story.actions.compactMap(\.pair) == [[2, 2]])
    }

    @Test func `twenty calls share four places in the order in which they came`() {
        var story = PoolStory(PoolConfiguration(minimum: 1, maximum: 4, startsAtOnce: 4))
        story.tell(.timer)
        story.makeReady(1)
        var started: Set<UInt64> = [1]
        var busy: [UInt64] = []
        var served: [UInt64] = []
        func note(_ actions: [PoolAction]) -> [UInt64] {
            for pair in actions.compactMap(\.pair) {
                busy.append(pair[0])
                served.append(pair[1])
            }
            return actions.compactMap { if case .start(let id) = $0 { id.number } else { nil } }
        }
        var ordered: [UInt64] = []
        for call in 1...20 { ordered += note(story.tell(.call(UInt64(call)))) }
        while served.count < 20 || !busy.isEmpty {
            #expect(story.pool.roster.alive <= 4)
            if let id = ordered.first {
                ordered.removeFirst()
                #expect(started.insert(id).inserted)
                ordered += note(story.tell(.started(id)))
            } else {
                ordered += note(story.tell(.ended(busy.removeFirst())))
            }
        }
        #expect(served == Array(1...20))
        #expect(story.pool.counts.refusedCalls == 0)
    }

    @Test func `the first call waits until the program is known to wait`() {
        var story = PoolStory(PoolConfiguration(minimum: 1, maximum: 4))
        #expect(story.tell(.call(1)) == [.start(1), .start(2)])
        #expect(story.tell(.started(1), .started(2)) == [])
        story.wait(.milliseconds(20))
        let actions = story.tell(.ready(2))
        #expect(actions.first?.pair == [2, 1])
        #expect(actions.first?.handOver?.queued == .milliseconds(20))
        #expect(actions.first?.handOver?.startedIn == .milliseconds(20))
        #expect(story.pool.counts.coldCalls == 1)
    }

    @Test func `a call may take a copy that is still starting`() {
        var story = PoolStory(PoolConfiguration(minimum: 1, maximum: 4))
        story.tell(.timer)
        story.makeReady(1)
        story.tell(.call(1))
        story.tell(.started(2))
        let actions = story.tell(.call(2))
        #expect(actions.first?.pair == [2, 2])
        #expect(actions.first?.handOver?.wasReady == false)
        #expect(story.pool.counts.coldCalls == 1)
    }

    @Test func `one call more than may wait is refused`() throws {
        var configuration = PoolConfiguration(minimum: 0, maximum: 1)
        configuration.waitingCallsLimit = 2
        var story = PoolStory(configuration)
        #expect(story.tell(.call(1), .call(2)).compactMap(\.refusal) == [])
        let refusal = try #require(story.tell(.call(3)).first?.refusal)
        #expect(refusal.kind == .tooManyWaiting)
        #expect(refusal.sentence.contains("2 calls wait for an instance already"))
        // Who leaves makes room.
        story.tell(.leaves(1))
        #expect(story.tell(.call(4)).compactMap(\.refusal) == [])
    }

    @Test func `without room to wait a ready copy still serves a call`() {
        var configuration = PoolConfiguration(minimum: 1, maximum: 2)
        configuration.waitingCallsLimit = 0
        var story = PoolStory(configuration)
        story.tell(.timer)
        #expect(story.tell(.call(1)).first?.refusal?.kind == .tooManyWaiting)
        story.makeReady(1)
        #expect(story.tell(.call(2)).first?.pair == [1, 2])
    }

    @Test func `a call that waited too long is refused`() throws {
        var configuration = PoolConfiguration(minimum: 0, maximum: 1)
        configuration.waitingTimeLimit = .seconds(5)
        var story = PoolStory(configuration)
        story.tell(.call(1))
        story.wait(.seconds(3))
        story.tell(.call(2))
        story.wait(.seconds(2))
        #expect(try #require(story.timer) <= story.now)
        let refusal = try #require(story.tell(.timer).first?.refusal)
        #expect(refusal.kind == .waitedTooLong)
        #expect(story.pool.counts.waiting == 1)
        story.wait(.seconds(3))
        #expect(try #require(story.timer) <= story.now)
        #expect(story.tell(.timer).compactMap(\.refusal).count == 1)
    }

    @Test func `a caller that leaves ends its program, and its end is no failure`() {
        var story = PoolStory(PoolConfiguration(minimum: 1, maximum: 4))
        story.tell(.timer)
        story.makeReady(1)
        story.tell(.call(1))
        #expect(story.tell(.leaves(1)) == [.stop(1)])
        #expect(story.tell(.leaves(1)) == [])
        story.tell(.ended(1))
        #expect(story.pool.counts.failedInstances == 0)
        #expect(story.tell(.leaves(1)) == [])
    }
}

@Suite struct StandbyPoolSizeTests {
    @Test func `a burst is remembered, and fades by halves down to the minimum`() throws {
        var configuration = PoolConfiguration(minimum: 1, maximum: 16, startsAtOnce: 16)
        configuration.idleTimeout = .seconds(30)
        configuration.longestWait = .seconds(3600)
        var story = PoolStory(configuration)
        story.tell(.timer)
        story.makeReady(1)
        for call in 1...8 { story.tell(.call(UInt64(call))) }
        for id in 2...8 { story.tell(.started(UInt64(id))) }
        for id in 1...8 { story.tell(.ended(UInt64(id))) }
        for id in 9...40 where story.pool.roster[InstanceID(UInt64(id))] != nil { story.makeReady(UInt64(id)) }
        let afterBurst = story.pool.counts.ready
        #expect(afterBurst >= 8)
        var sizes: [Int] = []
        while sizes.last != 1, sizes.count < 6 {
            story.wait(.seconds(30))
            #expect(try #require(story.timer) <= story.now)
            for case .stop(let id) in story.tell(.timer) { story.tell(.ended(id.number)) }
            sizes.append(story.pool.counts.ready)
        }
        #expect(sizes.first == afterBurst / 2)
        #expect(sizes.last == 1)
        #expect(sizes == sizes.sorted(by: >))
        #expect(story.pool.counts.failedInstances == 0)
    }

    @Test func `a copy that was taken is replaced when its call has ended, or after a while`() throws {
        var configuration = PoolConfiguration(minimum: 2, maximum: 8)
        configuration.refillDelay = .milliseconds(20)
        configuration.lastRefillDelay = .milliseconds(2)
        var story = PoolStory(configuration, replacesAtOnce: false)
        story.tell(.timer)
        story.makeReady(1, 2)
        #expect(story.tell(.call(1)).compactMap(\.pair) == [[1, 1]])
        #expect(story.tell(.ended(1)) == [.start(3)])
        story.makeReady(3)
        // One of two: the other can serve meanwhile.
        #expect(story.tell(.call(2)).count == 1)
        #expect(try #require(story.timer) == story.now + .milliseconds(20))
        story.wait(.milliseconds(20))
        #expect(story.tell(.timer) == [.start(4)])
        story.makeReady(4)
        #expect(story.tell(.call(3)).count == 1)
        story.wait(.milliseconds(10))
        // The last one: the earlier time counts.
        #expect(story.tell(.call(4)).count == 1)
        #expect(try #require(story.timer) == story.now + .milliseconds(2))
        // A call that finds none waits for nothing else.
        #expect(story.tell(.call(5)) == [.start(5), .start(6)])
    }

    @Test func `a minimum that is kept for a time only shrinks to nothing and comes back with a call`() throws {
        var configuration = PoolConfiguration(minimum: 2, maximum: 4)
        configuration.keepsMinimumFor = .seconds(100)
        configuration.longestWait = .seconds(3600)
        var story = PoolStory(configuration)
        story.tell(.timer)
        story.makeReady(1, 2)
        story.wait(.seconds(100))
        #expect(try #require(story.timer) <= story.now)
        #expect(story.tell(.timer) == [.stop(1), .stop(2)])
        story.tell(.ended(1), .ended(2))
        #expect(story.pool.isEmpty)
        #expect(story.tell(.call(1)) == [.start(3), .start(4)])
    }

    @Test func `a copy that is not wanted any more is stopped when its start is through`() {
        var story = PoolStory(PoolConfiguration(minimum: 2, maximum: 4))
        #expect(story.tell(.timer) == [.start(1), .start(2)])
        story.tell(.started(1))
        #expect(story.tell(.close) == [.stop(1)])
        #expect(!story.pool.isFinished)
        #expect(story.tell(.started(2)) == [.stop(2)])
        story.tell(.ended(1), .ended(2))
        #expect(story.pool.isFinished)
    }

    @Test func `a copy that waited too long is replaced before it is stopped`() throws {
        var configuration = PoolConfiguration(minimum: 1, maximum: 2)
        configuration.longestWait = .seconds(600)
        var story = PoolStory(configuration)
        story.tell(.timer)
        story.makeReady(1)
        story.wait(.seconds(600))
        #expect(try #require(story.timer) <= story.now)
        #expect(story.tell(.timer) == [.start(2)])
        story.tell(.started(2))
        #expect(story.tell(.ready(2)) == [.stop(1)])
    }

    @Test func `where there is no place beside an old copy it is stopped first`() {
        var configuration = PoolConfiguration(minimum: 2, maximum: 2)
        configuration.longestWait = .seconds(600)
        var story = PoolStory(configuration)
        story.tell(.timer)
        story.makeReady(1, 2)
        story.wait(.seconds(600))
        // One after the other: the second serves until the first has a successor.
        #expect(story.tell(.timer) == [.stop(1)])
        #expect(story.tell(.timer) == [])
        #expect(story.tell(.ended(1)) == [.start(3)])
        story.tell(.started(3))
        #expect(story.tell(.ready(3)) == [.stop(2)])
    }

    @Test func `a lowered maximum stops copies that wait and spares those in use`() {
        var story = PoolStory(PoolConfiguration(minimum: 4, maximum: 8, startsAtOnce: 4))
        story.tell(.timer)
        story.makeReady(1, 2, 3, 4)
        story.tell(.call(1))
        story.makeReady(5)
        let stopped = story.tell(.configurationChanged(PoolConfiguration(minimum: 1, maximum: 2)))
        #expect(stopped.count == 3)
        #expect(!stopped.contains(.stop(1)))
        #expect(story.pool.counts.busy == 1)
        #expect(story.pool.counts.ready == 1)
    }

    @Test func `a drained pool serves who waits and refuses who comes`() {
        var story = PoolStory(PoolConfiguration(minimum: 1, maximum: 1))
        story.tell(.timer)
        story.makeReady(1)
        story.tell(.call(1), .call(2))
        #expect(story.tell(.drain) == [])
        #expect(story.tell(.call(3)).first?.refusal?.kind == .closed)
        #expect(story.tell(.ended(1)) == [.start(2)])
        #expect(story.tell(.started(2)).first?.pair == [2, 2])
        #expect(!story.pool.isFinished)
        #expect(story.tell(.ended(2)) == [])
        #expect(story.pool.isFinished)
    }
}

@Suite struct StandbyPoolFailureTests {
    @Test func `failures are answered with growing pauses`() throws {
        var configuration = PoolConfiguration(minimum: 2, maximum: 8)
        configuration.firstPause = .milliseconds(100)
        configuration.longestPause = .milliseconds(350)
        var story = PoolStory(configuration)
        #expect(story.tell(.timer) == [.start(1), .start(2)])
        story.tell(.started(1), .started(2))
        // Both were ordered before the first of them failed: one failure.
        #expect(story.tell(.ended(1)) == [])
        #expect(story.tell(.ended(2)) == [])
        for (id, pause) in [(3, 100), (4, 200), (5, 350), (6, 350)] {
            story.wait(.milliseconds(pause) - .nanoseconds(1))
            #expect(story.tell(.timer) == [])
            story.wait(.nanoseconds(1))
            #expect(try #require(story.timer) <= story.now)
            #expect(story.tell(.timer) == [.start(UInt64(id))])
            #expect(story.tell(.started(UInt64(id))) == [])
            #expect(story.tell(.ended(UInt64(id))) == [])
        }
    }

    @Test func `a program that does not read its input is not kept trying while calls wait`() throws {
        var story = PoolStory(PoolConfiguration(minimum: 0, maximum: 8, startsAtOnce: 1))
        var refusals: [PoolError] = []
        story.tell(.call(1))
        for id in 1...3 {
            story.tell(.started(UInt64(id)))
            refusals += story.tell(.ended(UInt64(id))).compactMap(\.refusal)
            story.wait(.milliseconds(id == 3 ? 0 : 100 * id))
            story.tell(.timer)
        }
        let refusal = try #require(refusals.first)
        #expect(refusals.count == 1)
        #expect(refusal.kind == .cannotStandBy)
        #expect(
            refusal.sentence == "call cat: it ended with status 0 before reading its input, 3 times in a row: "
                + "it cannot be kept on standby. Use --rung container.")
        // The next call hears it at once; one that comes after the pause is another attempt.
        #expect(story.tell(.call(2)).first?.refusal?.kind == .cannotStandBy)
        story.wait(.milliseconds(400))
        #expect(story.tell(.call(3)) == [.start(4)])
        story.tell(.started(4))
        #expect(story.tell(.ready(4)).first?.pair == [4, 3])
        // A success: one failure is a first one again.
        #expect(story.tell(.ended(4)) == [.start(5)])
        story.tell(.instanceFailedToStart(InstanceID(5), reason: "no memory"))
        #expect(story.pool.recovery.failures == 1)
        #expect(story.pool.counts.lastFailure == "cat could not be started: no memory")
    }

    @Test func `a waiting copy that is killed is replaced after a pause`() throws {
        var story = PoolStory(PoolConfiguration(minimum: 1, maximum: 2))
        story.tell(.timer)
        story.makeReady(1)
        #expect(story.tell(.instanceEnded(InstanceID(1), how: "was killed by SIGKILL")) == [])
        #expect(story.tell(.call(1)) == [])
        story.wait(.milliseconds(100))
        #expect(story.tell(.timer) == [.start(2)])
        // Not before it was seen waiting: the last one failed.
        #expect(story.tell(.started(2)) == [])
        #expect(story.tell(.ready(2)).first?.pair == [2, 1])
    }

    @Test func `a program that waits long before it ends does not become suspect`() {
        var configuration = PoolConfiguration(minimum: 1, maximum: 2)
        configuration.longestPause = .seconds(30)
        var story = PoolStory(configuration)
        story.tell(.timer)
        for id in 1...10 {
            story.makeReady(UInt64(id))
            story.wait(.seconds(31))
            story.tell(.ended(UInt64(id)))
            story.wait(.milliseconds(100))
            #expect(story.tell(.timer) == [.start(UInt64(id + 1))])
        }
    }

    @Test func `a copy that is never seen waiting is stopped and counts as failed`() throws {
        var configuration = PoolConfiguration(minimum: 1, maximum: 2)
        configuration.startTimeLimit = .seconds(10)
        var story = PoolStory(configuration)
        story.tell(.timer)
        story.tell(.started(1))
        story.wait(.seconds(10))
        #expect(try #require(story.timer) <= story.now)
        #expect(story.tell(.timer) == [.stop(1)])
        #expect(story.pool.recovery.failures == 1)
        #expect(try #require(story.pool.counts.lastFailure).contains("was not seen waiting for input within"))
    }

    @Test func `a copy that cannot be watched is stopped and counts as failed`() {
        var story = PoolStory(PoolConfiguration(minimum: 1, maximum: 2))
        story.tell(.timer)
        story.tell(.started(1))
        #expect(story.tell(.readinessUnknown(InstanceID(1), reason: "EPERM")) == [.stop(1)])
        #expect(story.pool.counts.lastFailure == "cat cannot be watched: EPERM")
        story.tell(.ended(1))
        #expect(story.pool.counts.failedInstances == 1)
    }
}
