import EventSources
import Linux
import Store
import Synchronization
import TestKit
import Testing

@Suite struct QueueTests {
    @Test func `a received message is invisible until its time`() async throws {
        let bench = try EventBench()
        try await bench.makeQueue("q")
        try await bench.send("a", to: "q")
        let first = try await bench.receive("q")
        #expect(first.map(\.body) == ["a"] && first[0].receiveCount == 1)
        #expect(try await bench.receive("q") == [])
        #expect(try await bench.count("q") == [0, 1, 0])
        bench.clock.advance(by: .seconds(30))
        let second = try await bench.receive("q")
        #expect(second.map(\.receiveCount) == [2])
        #expect(second[0].firstReceivedAt == first[0].firstReceivedAt)
        try await bench.delete(second, from: "q")
        #expect(try await bench.count("q") == [0, 0, 0])
        await bench.stop()
    }

    @Test func `an old receipt deletes nothing`() async throws {
        let bench = try EventBench()
        try await bench.makeQueue("q")
        try await bench.send("a", to: "q")
        let first = try await bench.receive("q")
        bench.clock.advance(by: .seconds(30))
        _ = try await bench.receive("q")
        try await bench.delete(first, from: "q")
        #expect(try await bench.count("q") == [0, 1, 0])
        let failures = try await bench.answer { bench.queues.delete(["nonsense"], from: "q", $0) }
        #expect(failures[0]?.name == "ReceiptHandleIsInvalid")
        await bench.stop()
    }

    @Test func `a delayed message comes when its time has come, also to one who waits`() async throws {
        let bench = try EventBench()
        try await bench.makeQueue("q", ["DelaySeconds": "5"])
        try await bench.send("a", to: "q")
        #expect(try await bench.receive("q") == [])
        #expect(try await bench.count("q") == [0, 0, 1])
        let waiting = Task { try await bench.receive("q", wait: 20) }
        try await Task.sleep(for: .milliseconds(50))
        bench.clock.advance(by: .seconds(5))
        #expect(try await waiting.value.map(\.body) == ["a"])
        await bench.stop()
    }

    @Test func `a receiver that waits is answered at its deadline`() async throws {
        let bench = try EventBench()
        try await bench.makeQueue("q")
        let done = Mutex(0)
        var wish = Receiving("q")
        wish.waitSeconds = 3
        bench.queues.receive(wish) { result in
            if case .success(let messages) = result { done.withLock { $0 += messages.isEmpty ? 1 : 100 } }
        }
        try await Task.sleep(for: .milliseconds(50))
        bench.clock.advance(by: .seconds(2))
        #expect(done.withLock { $0 } == 0)
        bench.clock.advance(by: .seconds(1))
        try await eventually { done.withLock { $0 } == 1 }
        await bench.stop()
    }

    @Test func `one message wakes one receiver and two wake two`() async throws {
        let bench = try EventBench()
        try await bench.makeQueue("q")
        let got = Mutex<[String]>([])
        for _ in 0..<3 {
            var wish = Receiving("q")
            wish.waitSeconds = 20
            bench.queues.receive(wish) { result in
                if case .success(let messages) = result { got.withLock { $0 += messages.map(\.body) } }
            }
        }
        try await bench.send("a", to: "q")
        try await eventually { got.withLock { $0 } == ["a"] }
        try await bench.send("b", to: "q")
        try await bench.send("c", to: "q")
        try await eventually { got.withLock { $0 } == ["a", "b", "c"] }
        await bench.stop()
    }

    @Test func `who has gone takes no message`() async throws {
        let bench = try EventBench()
        try await bench.makeQueue("q")
        var wish = Receiving("q")
        wish.waitSeconds = 20
        let number = bench.queues.receive(wish) { _ in Issue.record("answered though it has gone") }
        try await Task.sleep(for: .milliseconds(30))
        bench.queues.cancel(number)
        try await bench.send("a", to: "q")
        #expect(try await bench.receive("q").map(\.body) == ["a"])
        await bench.stop()
    }

    @Test func `messages are kept for the retention period`() async throws {
        let bench = try EventBench()
        try await bench.makeQueue("q", ["MessageRetentionPeriod": "60"])
        try await bench.send("a", to: "q")
        bench.clock.advance(by: .seconds(60))
        #expect(try await bench.receive("q") == [])
        #expect(try await bench.rows("queue_message") == 0)
        await bench.stop()
    }

    @Test func `a message with the same deduplication id is sent once`() async throws {
        let bench = try EventBench()
        try await bench.makeQueue("q.fifo", ["ContentBasedDeduplication": "true"])
        try await bench.send("a", to: "q.fifo", group: "g", id: "1")
        try await bench.send("b", to: "q.fifo", group: "g", id: "1")
        #expect(try await bench.receive("q.fifo").map(\.body) == ["a"])
        bench.clock.advance(by: .seconds(301))
        try await bench.send("c", to: "q.fifo", group: "h", id: "1")
        #expect(try await bench.receive("q.fifo").map(\.body) == ["a", "c"])
        await bench.stop()
    }

    @Test func `a group goes on once its messages are deleted`() async throws {
        let bench = try EventBench()
        try await bench.makeQueue("q.fifo")
        for body in ["1", "2", "3"] { try await bench.send(body, to: "q.fifo", group: "g") }
        try await bench.send("x", to: "q.fifo", group: "h")
        let first = try await bench.receive("q.fifo", 2)
        #expect(first.map(\.body) == ["1", "2"])
        #expect(try await bench.receive("q.fifo").map(\.body) == ["x"])
        #expect(try await bench.receive("q.fifo") == [])
        try await bench.delete([first[0]], from: "q.fifo")
        #expect(try await bench.receive("q.fifo") == [])
        try await bench.delete([first[1]], from: "q.fifo")
        #expect(try await bench.receive("q.fifo").map(\.body) == ["3"])
        await bench.stop()
    }

    @Test func `a message that was received too often goes to the dead-letter queue and its group goes on`()
        async throws
    {
        let bench = try EventBench()
        try await bench.makeQueue("dead.fifo")
        let policy = #"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead.fifo","maxReceiveCount":"2"}"#
        try await bench.makeQueue("q.fifo", ["RedrivePolicy": policy])
        for body in ["1", "2"] { try await bench.send(body, to: "q.fifo", group: "g") }
        for _ in 0..<2 {
            #expect(try await bench.receive("q.fifo", 1).map(\.body) == ["1"])
            bench.clock.advance(by: .seconds(30))
        }
        #expect(try await bench.receive("q.fifo", 1).map(\.body) == ["2"])
        let dead = try await bench.receive("dead.fifo")
        #expect(dead.map(\.body) == ["1"] && dead[0].receiveCount == 1)
        #expect(dead[0].deadLetterSource == "arn:aws:sqs:us-east-1:000000000000:q.fifo")
        await bench.stop()
    }

    @Test func `an attribute without effect is refused`() async throws {
        let bench = try EventBench()
        for (name, value) in [
            ("Policy", "{}"), ("KmsMasterKeyId", "alias/aws/sqs"), ("SqsManagedSseEnabled", "true"), ("Nonsense", "1"),
            ("VisibilityTimeout", "43201"), ("FifoQueue", "true"), ("RedrivePolicy", "{}"), ("DelaySeconds", "x"),
        ] {
            await #expect(throws: QueueFailure.self, "\(name)") { try await bench.makeQueue("q", [name: value]) }
        }
        #expect(try await bench.rows("queue") == 0)
        await bench.stop()
    }

    @Test func `messages and who has them survive a restart`() async throws {
        let first = try EventBench()
        try await first.makeQueue("q.fifo")
        for body in ["1", "2"] { try await first.send(body, to: "q.fifo", group: "g") }
        let taken = try await first.receive("q.fifo", 1)
        await first.stop()
        let second = try first.reopened()
        try await second.start()
        #expect(second.queues.known("q.fifo") != nil)
        #expect(try await second.receive("q.fifo") == [])
        try await second.delete(taken, from: "q.fifo")
        #expect(try await second.receive("q.fifo").map(\.body) == ["2"])
        await second.stop()
    }

    @Test func `a full disk sends nothing`() async throws {
        let bench = try EventBench()
        try await bench.makeQueue("q")
        try await bench.store.write { transaction throws(StoreFailure) in
            let pages = try transaction.first("PRAGMA page_count")!.integer(0)!
            try transaction.execute("PRAGMA max_page_count = \(pages + 3)")
        }
        let failure = await #expect(throws: QueueFailure.self) {
            try await bench.send(String(repeating: "x", count: 100_000), to: "q")
        }
        #expect(failure?.status == 500)
        #expect(try await bench.receive("q") == [])
        await bench.stop()
    }

    /// Receivers of chance: some delete, some let the time pass, some give back.
    @Test(arguments: UInt64(1)...6)
    func `a simulated crowd of receivers keeps every group in order`(seed: UInt64) async throws {
        var chance = SeededChance(seed: seed)
        let bench = try EventBench()
        try await bench.makeQueue("q.fifo")
        var sent: [String: [Int]] = [:]
        var done: [String: [Int]] = [:]
        var held: [ReceivedMessage] = []
        var next = 0
        for round in 0..<400 {
            switch Int.random(in: 0..<6, using: &chance) {
            case 0...1 where round < 300:
                let group = ["a", "b", "c"].randomElement(using: &chance)!
                try await bench.send("\(next)", to: "q.fifo", group: group)
                sent[group, default: []].append(next)
                next += 1
            case 2, 3:
                let new = try await bench.receive(
                    "q.fifo", Int.random(in: 1...5, using: &chance), oneGroup: Bool.random(using: &chance))
                let now = bench.clock.now
                held.removeAll { $0.visibleAt <= now }
                for message in new {
                    #expect(!held.contains { $0.group == message.group }, "a group with two receivers, \(chance)")
                }
                held += new
            case 4:
                let now = bench.clock.now
                held.removeAll { $0.visibleAt <= now }
                // The first that is held of some group, as a receiver in order does.
                guard let group = held.map({ $0.group! }).randomElement(using: &chance) else { continue }
                let message = held.first { $0.group == group }!
                try await bench.delete([message], from: "q.fifo")
                done[group, default: []].append(Int(message.body)!)
                held.removeAll { $0.id == message.id }
            default: bench.clock.advance(by: .seconds(Int.random(in: 0...40, using: &chance)))
            }
        }
        while done.values.reduce(0, { $0 + $1.count }) < next {
            bench.clock.advance(by: .seconds(31))
            for message in try await bench.receive("q.fifo") {
                done[message.group!, default: []].append(Int(message.body)!)
                try await bench.delete([message], from: "q.fifo")
            }
        }
        #expect(done == sent, "\(chance)")
        #expect(try await bench.rows("queue_group") == 0)
        await bench.stop()
    }
}
