import Testing

@testable import Functions

@Suite struct InstancePoolTests {
    @Test func `a call to a cold pool waits for the instance that it starts`() {
        var story = InstancePoolStory()
        #expect(story.call() == [.launch(1)])
        #expect(story.pool.counts.waiting == 1)
        #expect(story.ready(1) == [.hand(1, 1)])
        #expect(story.free(1) == [])
        #expect(story.call() == [.hand(1, 2)])
        #expect(story.pool.counts.waitedCalls == 1)
    }

    @Test func `a warm call takes the shortcut and is in the same books`() {
        var story = InstancePoolStory()
        story.call()
        story.ready(1)
        let first = story.pool.freeAtOnce(InstanceID(1), now: story.now)
        #expect(first)
        #expect(story.pool.takeAtOnce(now: story.now) == InstanceID(1))
        #expect(story.pool.takeAtOnce(now: story.now) == nil, "it has one place")
        #expect(story.pool.counts.busy == 1)
        #expect(story.pool.counts.calls == 2)
        let second = story.pool.freeAtOnce(InstanceID(1), now: story.now)
        #expect(second)
        #expect(story.pool.counts.idle == 1)
    }

    @Test func `a call goes to the instance that was used last, so that the others fade`() {
        var story = InstancePoolStory()
        story.call(3)
        story.ready(1, 2, 3)
        story.free(2)
        story.free(1)
        story.free(3)
        for _ in 0..<5 {
            #expect(story.call().first == .hand(3, story.lastCall))
            story.free(3)
        }
    }

    @Test func `calls are served in the order in which they came`() {
        var story = InstancePoolStory { $0.waitingCallsLimit = 100 }
        story.room = 2
        story.call(10)
        var served: [CallID] = []
        func note(_ actions: [InstancePoolAction]) {
            for case .hand(_, let call) in actions { served.append(call) }
        }
        note(story.ready(1, 2))
        for round in 0..<5 { note(story.free(UInt64(round % 2 + 1))) }
        note(story.free(1))
        note(story.free(2))
        note(story.free(1))
        #expect(served == (1...10).map { CallID($0) })
    }

    @Test func `a start whose call was served otherwise stays as a warm instance`() {
        var story = InstancePoolStory()
        story.call()
        story.ready(1)
        #expect(story.call() == [.launch(2)])
        #expect(story.free(1) == [.hand(1, 2)])
        #expect(story.ready(2) == [], "nobody stops it")
        #expect(story.pool.counts.idle == 1)
        #expect(story.call() == [.hand(2, 3)])
    }

    @Test func `a call does not start an instance when one in use is free sooner`() {
        var story = InstancePoolStory()
        story.call()
        story.now = story.now + .milliseconds(40)
        story.ready(1)
        story.now = story.now + .milliseconds(1)
        story.free(1)
        // A start takes 40 ms, a call 1 ms.
        #expect(story.call(3) == [.hand(1, 2)])
        #expect(story.pool.counts.waiting == 2)
        // This one takes much longer than usual: the others get instances of their own.
        #expect(story.wait(.milliseconds(41)) == [.launch(2), .launch(3)])
    }

    @Test func `an instance has no more calls than places`() {
        var story = InstancePoolStory { $0.places = 3 }
        #expect(story.call(7) == [.launch(1), .launch(2), .launch(3)])
        #expect(story.ready(1) == [.hand(1, 1), .hand(1, 2), .hand(1, 3)])
        #expect(story.ready(2) == [.hand(2, 4), .hand(2, 5), .hand(2, 6)])
        #expect(story.ready(3) == [.hand(3, 7)])
        story.free(1)
        #expect(story.call() == [.hand(1, 8)], "the one that was used last, and none that is idle")
        story.free(3)
        #expect(story.pool.counts.idle == 1)
        story.free(2)
        #expect(story.call() == [.hand(2, 9)], "one in use before one that could go")
    }

    @Test func `a fresh instance serves one call`() {
        var story = InstancePoolStory { $0.isFresh = true }
        #expect(story.call() == [.launch(1)])
        #expect(story.ready(1) == [.hand(1, 1)])
        // The next one is prepared ahead, soon after.
        #expect(story.wait(.milliseconds(5)) == [.launch(2)])
        story.ready(2)
        #expect(story.free(1) == [.stop(1)])
        #expect(story.ended(1) == [])
        #expect(story.call() == [.hand(2, 2)])
        #expect(story.pool.counts.waitedCalls == 1)
    }

    @Test func `no more fresh instances are prepared than may be`() {
        var story = InstancePoolStory {
            $0.isFresh = true
            $0.preparedLimit = 2
        }
        story.call(10)
        story.ready(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
        for id in 1...10 {
            story.free(UInt64(id))
            story.ended(UInt64(id))
        }
        story.wait(.milliseconds(100))
        #expect(story.pool.counts.starting + story.pool.counts.idle == 2)
    }

    @Test func `one call more than may wait is refused`() {
        var story = InstancePoolStory { $0.waitingCallsLimit = 2 }
        story.room = 0
        #expect(story.call(3).compactMap(\.refusal) == [.tooManyWaiting(limit: 2)])
    }

    @Test func `a call past its deadline is refused`() {
        var story = InstancePoolStory()
        #expect(story.call(deadline: story.now).compactMap(\.refusal) == [.deadlinePassed])
        story.call(deadline: story.now + .milliseconds(20))
        story.call()
        #expect(story.wait(.milliseconds(19)).compactMap(\.refusal) == [])
        #expect(story.wait(.milliseconds(1)).compactMap(\.refusal) == [.deadlinePassed])
        #expect(story.wait(.seconds(30)).compactMap(\.refusal) == [.waitedTooLong(.seconds(30))])
        #expect(story.pool.counts.waiting == 0)
    }

    @Test func `failed starts are answered, and tried again after growing pauses`() {
        var story = InstancePoolStory { $0.failuresLimit = 2 }
        story.room = 1
        story.call(3)
        // A failure answers one call. The next one is tried at once.
        #expect(story.fails(1).compactMap(\.failedCall) == [1])
        story.now = story.now + .milliseconds(1)
        story.room = 9
        #expect(story.tell(.timer).compactMap(\.launched) == [2], "one at a time")
        // The second in a row: everybody hears it, and then there is a pause.
        #expect(story.fails(2).compactMap(\.failedCall) == [2, 3])
        #expect(story.call().compactMap(\.failedCall) == [4], "answered with what is known")
        story.wait(.milliseconds(199))
        #expect(story.call().compactMap(\.failedCall) == [5])
        story.wait(.milliseconds(1))
        #expect(story.call() == [.launch(3)])
        #expect(story.fails(3).compactMap(\.failedCall) == [6])
        story.wait(.milliseconds(399))
        #expect(story.call().compactMap(\.failedCall) == [7])
        story.wait(.milliseconds(1))
        #expect(story.call() == [.launch(4)])
        // A success forgets it all.
        #expect(story.ready(4) == [.hand(4, 8)])
        #expect(story.call(2) == [.launch(5), .launch(6)])
    }

    @Test func `a failure that no retry cures answers everybody at once`() {
        var story = InstancePoolStory()
        story.call(3)
        #expect(story.fails(1, isPermanent: true).compactMap(\.failedCall) == [1])
        #expect(story.fails(2, isPermanent: true).compactMap(\.failedCall) == [2])
        #expect(story.fails(3, isPermanent: true).compactMap(\.failedCall) == [3])
        #expect(story.call().compactMap(\.failedCall) == [4])
        story.wait(.seconds(10))
        #expect(story.call() == [.launch(4)])
    }

    @Test func `calls wait for instances that work, whatever becomes of another start`() {
        var story = InstancePoolStory()
        story.call()
        story.ready(1)
        story.call()
        #expect(story.fails(2).compactMap(\.failedCall) == [])
        #expect(story.free(1).first == .hand(1, 2))
    }

    @Test func `an instance that ends before it is ready has failed`() {
        var story = InstancePoolStory()
        story.call()
        let actions = story.ended(1, "was killed by signal 9")
        #expect(actions.compactMap(\.failedCall) == [1])
        guard case .fail(_, let failure) = actions.first else { return }
        #expect(failure.errorType == "Runtime.ExitError")
        #expect(failure.errorMessage == "the instance was killed by signal 9 before it was ready")
    }

    @Test func `a program that does not wait is prepared less and less often`() {
        var story = InstancePoolStory { $0.isFresh = true }
        story.call()
        story.ready(1)
        story.free(1)
        story.ended(1)
        // It ends as soon as it runs, whether or not it has a call.
        var launched = 0
        for _ in 0..<1000 {
            for case .launch(let id, _) in story.wait(.milliseconds(10)) {
                launched += 1
                story.tell(.instanceReady(id))
                story.now = story.now + .milliseconds(1)
                story.tell(.instanceEnded(id, "exited with status 0"))
            }
        }
        #expect(launched < 20)
        // A call starts one all the same.
        #expect(story.call().compactMap(\.launched).count == 1)
    }

    @Test func `a call that an ending instance has not taken is the next one of another`() {
        var story = InstancePoolStory()
        story.call(2)
        story.ready(1, 2)
        story.room = 0
        story.call(2)
        story.free(1)
        #expect(story.actions == [.hand(1, 3)])
        let actions = story.tell(.callReturned(CallID(9), InstanceID(1), deadline: nil))
        #expect(actions == [.stop(1)])
        #expect(story.free(2) == [.hand(2, 9)])
        #expect(story.free(2) == [.hand(2, 4)])
    }

    @Test func `a provisioned instance that ends is replaced`() {
        var story = InstancePoolStory()
        #expect(
            story.tell(.provision(2)) == [
                .launch(InstanceID(1), isProvisioned: true), .launch(InstanceID(2), isProvisioned: true),
            ])
        #expect(story.pool.provisioning == Provisioning(requested: 2, allocated: 2, available: 0, state: .inProgress))
        story.ready(1, 2)
        #expect(story.pool.provisioning == Provisioning(requested: 2, allocated: 2, available: 2, state: .ready))
        story.wait(.seconds(3600))
        #expect(story.pool.counts.idle == 2, "they do not fade")
        #expect(story.ended(1) == [.launch(InstanceID(3), isProvisioned: true)])
        story.ready(3)
        // They serve first; what else was needed fades.
        story.call(3)
        story.ready(4)
        for id: UInt64 in [2, 3, 4] { story.free(id) }
        #expect(story.wait(.seconds(3000)) == [.stop(4)])
        #expect(story.tell(.provision(0)).count == 2, "there is no demand for them")
    }

    @Test func `a promise that cannot be kept has failed and says why`() {
        var story = InstancePoolStory()
        story.tell(.provision(1))
        for id: UInt64 in [1, 2, 3] {
            story.now = story.now + .milliseconds(1)
            story.fails(id)
        }
        #expect(story.pool.provisioning.state == .failed)
        #expect(story.pool.provisioning.reason == "Runtime.ExitError: exit status 1")
        #expect(story.wait(.seconds(1)).first == .launch(InstanceID(4), isProvisioned: true), "it is tried again")
        story.ready(4)
        #expect(story.pool.provisioning.state == .ready)
    }

    @Test func `a pool shrinks to nothing when nobody calls`() {
        var story = InstancePoolStory()
        story.call(8)
        story.ready(1, 2, 3, 4, 5, 6, 7, 8)
        for id in 1...8 { story.free(UInt64(id)) }
        #expect(story.wait(.seconds(119)) == [])
        #expect(story.wait(.seconds(1)).count == 4)
        #expect(story.wait(.seconds(120)).count == 2)
        #expect(story.wait(.seconds(120)).count == 1)
        #expect(story.wait(.seconds(599)) == [])
        #expect(story.wait(.seconds(1)) == [.stop(8)], "the one that was used last")
        for id in 1...8 { story.ended(UInt64(id)) }
        #expect(story.pool.isForgettable(now: story.now))
    }

    @Test func `an old instance takes no more calls`() {
        var story = InstancePoolStory { $0.recycleAge = .seconds(60) }
        story.call()
        story.ready(1)
        story.now = story.now + .seconds(61)
        #expect(story.free(1) == [.stop(1)])
        // An idle one goes by itself, a provisioned one when its successor is there.
        story.call()
        story.ready(2)
        story.free(2)
        #expect(story.wait(.seconds(60)) == [.stop(2)])
        story.tell(.provision(1))
        story.ready(3)
        #expect(story.wait(.seconds(60)).compactMap(\.launched) == [4])
        #expect(story.ready(4) == [.stop(3)])
    }

    @Test func `an idle instance is given up when its memory is wanted, the one used longest ago first`() {
        var story = InstancePoolStory()
        story.call(2)
        story.ready(1, 2)
        story.free(1)
        story.now = story.now + .seconds(1)
        story.free(2)
        #expect(story.tell(.evict) == [.stop(1)])
        #expect(story.tell(.evict) == [.stop(2)])
        #expect(story.tell(.evict) == [])
    }

    @Test func `an instance whose memory is wanted elsewhere takes no other call`() {
        var story = InstancePoolStory()
        story.room = 1
        story.call(2)
        story.ready(1)
        #expect(story.tell(.instanceFreed(InstanceID(1), isReclaimed: true)) == [.stop(1)])
        #expect(story.pool.appetite == 1, "its call still wants one")
    }

    @Test func `a drained pool serves what was accepted and is gone`() {
        var story = InstancePoolStory()
        story.room = 2
        story.call(4)
        story.ready(1, 2)
        #expect(story.tell(.drain) == [])
        #expect(story.free(1) == [.hand(1, 3)])
        #expect(story.free(2) == [.hand(2, 4)])
        #expect(story.free(1) == [.stop(1)])
        #expect(story.free(2) == [.stop(2)])
        story.ended(1)
        #expect(!story.pool.isEmpty)
        story.ended(2)
        #expect(story.pool.isEmpty)
    }

    @Test func `a closed pool refuses who waits and lets who runs go on`() {
        var story = InstancePoolStory()
        story.room = 1
        story.call(2)
        story.ready(1)
        #expect(story.tell(.close).compactMap(\.refusal) == [.closed])
        #expect(story.call().compactMap(\.refusal) == [.closed])
        #expect(story.free(1) == [.stop(1)])
        story.ended(1)
        #expect(story.pool.isEmpty)
    }
}
