import KubeObjects
import KubeStore
import Linux
import Testing

@testable import KubeControllers

@Suite struct WorkQueueTests {
    private let start = Timestamp("2026-03-01T12:00:00Z")!
    private let a = Resource.pods.key(namespace: "default", "a")
    private let b = Resource.pods.key(namespace: "default", "b")

    private func all(_: KubeControllers.Expectation) -> Bool { true }

    @Test func `a key is queued once, and keys go in their order`() {
        var queue = WorkQueue(limit: 2)
        for key in [b, a, b, a] { queue.add(key) }
        #expect(queue.start(start, isMet: all) == [b, a])
        #expect(queue.start(start, isMet: all) == [])
    }

    @Test func `a key that changes while it is at work is looked at again afterwards`() {
        var queue = WorkQueue(limit: 2)
        queue.add(a)
        #expect(queue.start(start, isMet: all) == [a])
        queue.add(a)
        #expect(queue.start(start, isMet: all) == [])
        queue.finish(a, .init(), start)
        #expect(queue.start(start, isMet: all) == [a])
    }

    @Test func `as many keys are at work as the limit says`() {
        var queue = WorkQueue(limit: 1)
        queue.add(a)
        queue.add(b)
        #expect(queue.start(start, isMet: all) == [a])
        queue.finish(a, .init(), start)
        #expect(queue.start(start, isMet: all) == [b])
    }

    @Test func `failures back off, and a success begins anew`() {
        var queue = WorkQueue(limit: 1)
        var now = start
        queue.add(a)
        for expected in [5, 10, 20, 40] {
            #expect(queue.start(now, isMet: all) == [a])
            queue.finish(a, .init(hasFailed: true), now)
            #expect(queue.start(now, isMet: all) == [])
            #expect(queue.wake(now) == now.adding(.milliseconds(expected)))
            now = queue.wake(now)!
        }
        #expect(queue.start(now, isMet: all) == [a])
        queue.finish(a, .init(), now)
        #expect(queue.wake(now) == nil)
        queue.add(a)
        _ = queue.start(now, isMet: all)
        queue.finish(a, .init(hasFailed: true), now)
        #expect(queue.wake(now) == now.adding(.milliseconds(5)))
        #expect(WorkQueue.backoff(100) == .seconds(1000))
    }

    @Test func `a clock that is set back holds nothing up`() {
        var queue = WorkQueue(limit: 2)
        queue.add(a)
        queue.add(b)
        #expect(queue.start(start, isMet: all) == [a, b])
        queue.finish(a, .init(hasFailed: true), start)
        queue.finish(b, .init(again: start.adding(seconds: 10)), start)
        let earlier = start.adding(seconds: -86_400)
        #expect(queue.start(earlier, isMet: all) == [])
        queue.clockWasSet()
        #expect(Set(queue.start(earlier, isMet: all)) == [a, b])
        queue.finish(a, .init(hasFailed: true), earlier)
        #expect(queue.wake(earlier) == earlier.adding(.milliseconds(10)))
    }

    @Test func `a change does not wait for the end of the back-off`() {
        var queue = WorkQueue(limit: 1)
        queue.add(a)
        _ = queue.start(start, isMet: all)
        queue.finish(a, .init(hasFailed: true), start)
        queue.add(a)
        #expect(queue.start(start, isMet: all) == [a])
    }

    @Test func `a key waits for its expectations`() {
        var queue = WorkQueue(limit: 2)
        queue.add(a)
        _ = queue.start(start, isMet: all)
        queue.finish(a, .init(expectations: [.written(.pods, b, revision: 7)]), start)
        queue.add(a)
        #expect(queue.start(start) { _ in false } == [])
        // Nobody may tell that it was met.
        #expect(queue.wake(start) == start.adding(WorkQueue.patience))
        #expect(queue.start(start, isMet: all) == [a])
    }

    @Test func `a time to look again comes`() {
        var queue = WorkQueue(limit: 1)
        queue.add(a)
        _ = queue.start(start, isMet: all)
        let moment = start.adding(seconds: 30)
        queue.finish(a, .init(again: moment), start)
        #expect(queue.start(start, isMet: all) == [])
        #expect(queue.wake(start) == moment)
        #expect(queue.start(moment, isMet: all) == [a])
    }

    @Test func `keys that are due go in the order of their moments`() {
        var queue = WorkQueue(limit: 100)
        let keys = (0..<50).map { Resource.pods.key(namespace: "default", "pod-\($0)") }
        for key in keys { queue.add(key) }
        _ = queue.start(start, isMet: all)
        for (number, key) in keys.enumerated() {
            queue.finish(key, .init(again: start.adding(seconds: Int64(100 - number))), start)
        }
        #expect(queue.start(start.adding(seconds: 100), isMet: all) == keys.reversed())
    }

    @Test func `a queue remembers nothing of keys that are done`() {
        var queue = WorkQueue(limit: 1)
        for number in 0..<100 {
            let key = Resource.pods.key(namespace: "default", "pod-\(number)")
            queue.add(key)
            _ = queue.start(start, isMet: all)
            queue.finish(key, .init(), start)
        }
        #expect(queue.isEmpty)
        #expect(queue.count == 0)
    }
}
