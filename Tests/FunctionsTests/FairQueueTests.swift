import TestKit
import Testing

@testable import Functions

@Suite struct FairQueueTests {
    /// Pools of one instance size that always want more, and what they have got.
    struct Contest {
        var budget: MemoryBudget
        var queue = FairQueue(patience: .seconds(1))
        var now = Instant(nanoseconds: 0)
        var needs: [Int: Int] = [:]
        var held: [Int: Int] = [:]

        mutating func turn() -> FairQueue.Turn { queue.turn(budget, now: now) }

        init(totalMB: Int) { budget = MemoryBudget(totalMB: totalMB) }

        mutating func want(_ pool: Int, _ needMB: Int, urgency: InstanceAppetite = .calls) {
            needs[pool] = needMB
            queue.claim(
                FairQueue.Claim(
                    pool: pool, function: "f\(pool)", needMB: needMB, poolHeldMB: held[pool, default: 0] * needMB,
                    since: now,
                    urgency: urgency))
        }

        /// Grants while there is memory.
        mutating func fill() -> [Int] {
            var granted: [Int] = []
            while case .grant(let pool) = queue.turn(budget, now: now) {
                budget.take(needs[pool]!, for: "f\(pool)")
                held[pool, default: 0] += 1
                granted.append(pool)
                want(pool, needs[pool]!)
                now = now + .microseconds(1)
            }
            return granted
        }

        mutating func giveBack(_ pool: Int) {
            budget.give(needs[pool]!, of: "f\(pool)")
            held[pool]! -= 1
            want(pool, needs[pool]!)
        }

        mutating func yields(_ pool: Int) -> Bool {
            queue.shouldYield(pool: pool, function: "f\(pool)", memoryMB: needs[pool]!, budget, now: now)
        }
    }

    @Test func `several that wait get one instance each in turn`() {
        var contest = Contest(totalMB: 600)
        for pool in 1...3 { contest.want(pool, 100) }
        #expect(contest.fill() == [1, 2, 3, 1, 2, 3])
        #expect(contest.budget.usedMB == 600)
    }

    @Test func `a burst of one function does not starve another`() {
        var contest = Contest(totalMB: 1000)
        contest.want(1, 100)
        #expect(contest.fill().count == 10)
        // Another one comes: what the first frees goes to it, until it has its share.
        contest.want(2, 100)
        var given = 0
        while contest.yields(1) {
            contest.giveBack(1)
            #expect(contest.fill() == [2])
            given += 1
        }
        #expect(given == 5)
    }

    @Test func `two functions share the memory evenly, and leave each other alone then`() {
        var contest = Contest(totalMB: 1000)
        contest.want(1, 100)
        contest.want(2, 300)
        _ = contest.fill()
        while contest.yields(1) { contest.giveBack(1) }
        _ = contest.fill()
        // What stays free is less than an instance of the one that is next in turn.
        #expect(contest.budget.freeMB < 300)
        #expect(contest.held[2]! == 1 || contest.held[2]! == 2)
        let yields = (contest.yields(1), contest.yields(2))
        #expect(yields == (false, false))
    }

    @Test func `who has nothing gets an instance after a while, however large it is`() {
        var contest = Contest(totalMB: 1000)
        contest.want(1, 100)
        _ = contest.fill()
        contest.want(2, 900)
        var frees = 0
        // Its fair share would be less than it needs: at first only that is left to it.
        while contest.yields(1) {
            contest.giveBack(1)
            frees += 1
            #expect(contest.fill() == [])
        }
        #expect(frees < 9)
        contest.now = contest.now + .seconds(1)
        while contest.yields(1) {
            contest.giveBack(1)
            if contest.fill() == [2] { break }
        }
        #expect(contest.held == [1: 1, 2: 1])
    }

    @Test func `who has nothing and needs little passes one that waits for much`() {
        var contest = Contest(totalMB: 1000)
        contest.want(1, 300)
        #expect(contest.fill() == [1, 1, 1])
        contest.queue.withdraw(1)
        contest.want(2, 900)
        contest.want(3, 50)
        contest.now = contest.now + .seconds(5)
        #expect(contest.turn() == .grant(pool: 3))
    }

    @Test func `what is prepared ahead comes after what is needed`() {
        var contest = Contest(totalMB: 200)
        contest.want(1, 100, urgency: .ahead)
        contest.want(2, 100, urgency: .promised)
        contest.want(3, 100)
        #expect(contest.turn() == .grant(pool: 3))
        contest.queue.withdraw(3)
        #expect(contest.turn() == .grant(pool: 2))
        // A promise that finds no memory makes nobody yield, and blocks no call.
        contest.want(2, 500, urgency: .promised)
        guard case .makeRoom(let claim, let missing) = contest.turn() else {
            Issue.record("nothing is done for the promise")
            return
        }
        #expect(claim.pool == 2 && missing == 300)
        contest.needs[4] = 100
        let yields = contest.yields(4)
        #expect(!yields)
        contest.want(3, 100)
        #expect(contest.turn() == .grant(pool: 3))
        // And what is prepared ahead takes nothing from anybody.
        contest.queue.withdraw(2)
        contest.queue.withdraw(3)
        contest.want(1, 300, urgency: .ahead)
        #expect(contest.turn() == .nobody)
    }

    @Test func `never is more memory given than there is`() {
        for seed in 1...100 {
            var chance = SeededChance(seed: UInt64(seed))
            var contest = Contest(totalMB: Int.random(in: 200...2000, using: &chance))
            for pool in 1...5 { contest.needs[pool] = Int.random(in: 10...200, using: &chance) }
            for _ in 0..<300 {
                contest.now = contest.now + .milliseconds(Int.random(in: 0...300, using: &chance))
                let pool = Int.random(in: 1...5, using: &chance)
                if Bool.random(using: &chance) {
                    contest.want(pool, contest.needs[pool]!)
                } else if contest.held[pool, default: 0] > 0 {
                    contest.giveBack(pool)
                }
                _ = contest.fill()
                let sum = contest.held.reduce(0) { $0 + $1.value * contest.needs[$1.key]! }
                #expect(contest.budget.usedMB == sum && sum <= contest.budget.totalMB, "\(chance)")
            }
        }
    }

    @Test func `everybody who waits is served in the end, whatever they need`() {
        for seed in 1...50 {
            var chance = SeededChance(seed: UInt64(seed))
            var contest = Contest(totalMB: 1000)
            for pool in 1...6 { contest.want(pool, Int.random(in: 1...10, using: &chance) * 100) }
            var everServed: Set<Int> = []
            for _ in 0..<2000 where everServed.count < 6 {
                everServed.formUnion(contest.fill())
                contest.now = contest.now + .milliseconds(100)
                // A call of somebody ends; its pool keeps the instance for its next call, unless it has to yield.
                let busy = contest.held.filter { $0.value > 0 }.keys.sorted()
                guard let pool = busy.randomElement(using: &chance), contest.yields(pool) else { continue }
                contest.giveBack(pool)
            }
            #expect(everServed.count == 6, "\(chance)")
        }
    }
}
