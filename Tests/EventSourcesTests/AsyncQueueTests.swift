import Linux
import TestKit
import Testing

@testable import EventSources

@Suite struct AsyncQueueTests {
    var now = Timestamp("2026-11-29T12:00:00Z")!

    func entry(_ sequence: Int, _ function: String = "f", key: String? = nil) -> AsyncQueue.Entry {
        AsyncQueue.Entry(sequence: sequence, function: function, orderKey: key)
    }

    func dispatched(_ actions: [AsyncQueue.Action]) -> [Int] {
        actions.compactMap { if case .dispatch(let sequence) = $0 { sequence } else { nil } }
    }

    @Test func `limits hold`() {
        var queue = AsyncQueue(limit: 3, functionLimit: 2)
        let all = (1...4).map { entry($0, "a") } + (5...8).map { entry($0, "b") }
        #expect(dispatched(queue.handle(.accepted(all), now: now)) == [1, 5, 2])
        #expect(dispatched(queue.handle(.finished(1), now: now)) == [6])
        #expect(dispatched(queue.handle(.finished(5), now: now)) == [3])
        #expect(queue.running == 3)
    }

    @Test func `a retry holds back the later events of its key and of no other`() {
        var queue = AsyncQueue()
        let all = [entry(1, key: "k"), entry(2, key: "k"), entry(3, key: "other"), entry(4)]
        #expect(dispatched(queue.handle(.accepted(all), now: now)) == [1, 3, 4])
        let later = now + .seconds(60)
        #expect(queue.handle(.again(1, at: later), now: now) == [.wake(at: later)])
        #expect(dispatched(queue.handle(.accepted([entry(5, key: "k")]), now: now)) == [])
        #expect(dispatched(queue.handle(.wake, now: later)) == [1])
        #expect(dispatched(queue.handle(.finished(1), now: later)) == [2])
        #expect(dispatched(queue.handle(.finished(2), now: later)) == [5])
    }

    @Test func `a throttled function rests and the others run`() {
        var queue = AsyncQueue(limit: 1)
        #expect(dispatched(queue.handle(.accepted([entry(1, "a"), entry(2, "a"), entry(3, "b")]), now: now)) == [1])
        let later = now + .seconds(1)
        #expect(queue.handle(.throttled(1, until: later), now: now) == [.dispatch(3), .wake(at: later)])
        #expect(dispatched(queue.handle(.finished(3), now: now)) == [])
        #expect(dispatched(queue.handle(.wake, now: later)) == [1])
    }

    @Test func `a function that is throttled beside its own events goes on with as many as run`() {
        var queue = AsyncQueue()
        // Eight are allowed, and 64 are tried.
        let first = dispatched(queue.handle(.accepted((1...1000).map { entry($0, "a") }), now: now))
        #expect(first == Array(1...64))
        let later = now + .seconds(1)
        var refused = 0
        var running = Array(first.prefix(8))
        for sequence in first.dropFirst(8) { #expect(dispatched(queue.handle(.throttled(sequence, until: later), now: now)) == []) }
        // No time passes: every end lets others run.
        var ended: [Int] = []
        while let sequence = running.first {
            running.removeFirst()
            ended.append(sequence)
            var next = dispatched(queue.handle(.finished(sequence), now: now))
            #expect(!next.isEmpty || ended.count > 990)
            while let candidate = next.first {
                next.removeFirst()
                if running.count < 8 {
                    running.append(candidate)
                } else {
                    refused += 1
                    next += dispatched(queue.handle(.throttled(candidate, until: later), now: now))
                }
            }
        }
        #expect(Set(ended).count == 1000 && queue.count == 0)
        #expect(refused <= 130, "one try for each eight that end, not more: \(refused)")

        // A limit that was raised is found though nothing ends.
        _ = queue.handle(.accepted((2001...2003).map { entry($0, "b") }), now: now)
        for sequence in 2002...2003 { _ = queue.handle(.throttled(sequence, until: later), now: now) }
        #expect(dispatched(queue.handle(.wake, now: later)) == [2002])
    }

    @Test func `events of one function start in the order of their acceptance`() {
        var queue = AsyncQueue(limit: 1)
        _ = queue.handle(.accepted([entry(1)]), now: now)
        _ = queue.handle(.accepted([entry(3), entry(2)]), now: now)
        #expect(dispatched(queue.handle(.finished(1), now: now)) == [2])
    }

    @Test(arguments: UInt64(1)...20)
    func `a simulated day loses nothing and keeps order`(seed: UInt64) {
        var chance = SeededChance(seed: seed)
        var queue = AsyncQueue(limit: 5, functionLimit: 3)
        var now = now
        var running: [Int: AsyncQueue.Entry] = [:]
        var ended: [Int] = []
        var wakes: [Timestamp] = []
        var entries: [Int: AsyncQueue.Entry] = [:]
        var next = 1
        func perform(_ actions: [AsyncQueue.Action]) {
            for action in actions {
                switch action {
                case .dispatch(let sequence):
                    let entry = entries[sequence]!
                    #expect(running[sequence] == nil, "\(chance)")
                    #expect(
                        entry.orderKey == nil
                            || !running.values.contains {
                                $0.orderKey == entry.orderKey && $0.function == entry.function
                            },
                        "two of one key run, \(chance)")
                    running[sequence] = entry
                    #expect(running.count <= 5, "\(chance)")
                    #expect(running.values.count { $0.function == entry.function } <= 3, "\(chance)")
                case .wake(let time): wakes.append(time)
                }
            }
        }
        while ended.count < 300 {
            switch Int.random(in: 0..<10, using: &chance) {
            case 0...3 where next <= 300:
                let key = ["a", "b", nil].randomElement(using: &chance)!
                let entry = entry(next, ["f", "g"].randomElement(using: &chance)!, key: key)
                entries[next] = entry
                next += 1
                perform(queue.handle(.accepted([entry]), now: now))
            case 4...6:
                guard let sequence = running.keys.sorted().randomElement(using: &chance) else { continue }
                let entry = running.removeValue(forKey: sequence)!
                if let key = entry.orderKey {
                    let earlier = entries.values.filter {
                        $0.function == entry.function && $0.orderKey == key && $0.sequence < sequence
                    }
                    #expect(earlier.allSatisfy { ended.contains($0.sequence) }, "out of order, \(chance)")
                }
                ended.append(sequence)
                perform(queue.handle(.finished(sequence), now: now))
            case 7:
                guard let sequence = running.keys.sorted().randomElement(using: &chance) else { continue }
                running[sequence] = nil
                perform(
                    queue.handle(.again(sequence, at: now + .seconds(Int.random(in: 1...60, using: &chance))), now: now)
                )
            case 8:
                guard let sequence = running.keys.sorted().randomElement(using: &chance) else { continue }
                running[sequence] = nil
                perform(queue.handle(.throttled(sequence, until: now + .seconds(3)), now: now))
            default:
                now = now + .seconds(10)
                let due = wakes.filter { $0 <= now }
                wakes.removeAll { $0 <= now }
                for _ in due { perform(queue.handle(.wake, now: now)) }
            }
        }
        #expect(Set(ended).count == 300)
        #expect(queue.count == 0 && queue.running == 0)
    }
}
