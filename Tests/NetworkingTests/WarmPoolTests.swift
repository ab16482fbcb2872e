import Testing

@testable import Networking

@Suite struct `the warm pool` {
    private func orders(_ actions: [WarmPool<Int>.Action]) -> (made: Int, discarded: [Int]) {
        var (made, discarded) = (0, [Int]())
        for action in actions {
            switch action {
            case .make: made += 1
            case .discard(let spare): discarded.append(spare)
            }
        }
        return (made, discarded)
    }

    @Test func `a pool orders what it lacks and never more`() {
        var pool = WarmPool<Int>(target: 3)
        #expect(orders(pool.take().actions).made == 3)
        #expect(orders(pool.take().actions).made == 0)
        _ = pool.made(1)
        let next = pool.take()
        #expect(next.spare == 1)
        #expect(orders(next.actions).made == 1)
    }

    @Test func `a spare is handed out once`() {
        var pool = WarmPool<Int>(target: 2)
        for spare in 1...2 { _ = pool.made(spare) }
        #expect(Set([pool.take().spare, pool.take().spare]) == [1, 2])
        #expect(pool.take().spare == nil)
    }

    @Test func `a pool that is full gives up what is too much`() {
        var pool = WarmPool<Int>(target: 1)
        #expect(orders(pool.made(1)).discarded == [])
        #expect(orders(pool.returned(2)).discarded == [2])
    }

    @Test func `a pool that cannot be filled waits for the next request`() {
        var pool = WarmPool<Int>(target: 2)
        #expect(orders(pool.take().actions).made == 2)
        pool.failed()
        pool.failed()
        #expect(pool.readyCount == 0)
        #expect(orders(pool.take().actions).made == 2)
    }

    @Test func `a closed pool gives up everything`() {
        var pool = WarmPool<Int>(target: 2)
        _ = pool.made(1)
        #expect(orders(pool.close()).discarded == [1])
        #expect(orders(pool.made(2)).discarded == [2])
        #expect(orders(pool.take().actions).made == 0)
    }
}
