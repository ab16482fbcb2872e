import EventSources
import Functions
import JSON
import Lambda
import Linux
import TestKit
import Testing

@testable import EventSources

@Suite(.serialized) struct MappingTests {
    static let arn = "arn:aws:sqs:us-east-1:000000000000:q"
    /// `printf 'Hello from SQS!' | md5sum`
    static let helloDigest = "7b270e59b47ff90a553787216d55d91d"

    func bench(
        _ queue: String = "q", _ attributes: [String: String] = [:], _ script: @escaping ScriptedInvoker.Script
    ) async throws -> EventBench {
        let bench = try EventBench(invoker: ScriptedInvoker(script))
        try await bench.start()
        try await bench.makeQueue(queue, attributes)
        return bench
    }

    static func bodies(_ call: FunctionCall) -> [String] {
        (try? JSONParser.parse(call.payload))?["Records"]?.array?.compactMap { $0["body"]?.string } ?? []
    }

    static func ids(_ call: FunctionCall, of bodies: Set<String>) -> String {
        let records = (try? JSONParser.parse(call.payload))?["Records"]?.array ?? []
        let items = records.filter { bodies.contains($0["body"]!.string!) }.map {
            #"{"itemIdentifier":"\#($0["messageId"]!.string!)"}"#
        }
        return #"{"batchItemFailures":[\#(items.joined(separator: ","))]}"#
    }

    @Test func `messages come in batches and are deleted after success`() async throws {
        let bench = try await bench { call, _ in .success(of: call) }
        for number in 1...7 { try await bench.send("\(number)", to: "q") }
        bench.mappings.put(try mapping(Self.arn) { $0.batchSize = 3 })
        try await eventually { try await bench.rows("queue_message") == 0 }
        #expect(bench.invoker.calls.map { Self.bodies($0).count }.sorted() == [1, 3, 3])
        #expect(bench.invoker.calls.allSatisfy { $0.source == "sqs" && $0.orderKey == nil })
        // It is told after the messages are gone.
        try await eventually { bench.mappings.lastResult(of: "m1") == "OK" }
        await bench.stop()
    }

    @Test func `the event is the one that Lambda sends`() async throws {
        let bench = try await bench { call, _ in .success(of: call) }
        var message = NewMessage("Hello from SQS!")
        message.attributes = [
            "n": MessageAttribute(type: "Number", text: "1"), "b": MessageAttribute(type: "Binary", bytes: [1, 2]),
        ]
        let sent = message
        let result = try await bench.answer { bench.queues.send([sent], to: "q", $0) }
        bench.mappings.put(try mapping(Self.arn))
        try await eventually { bench.invoker.calls.count == 1 }
        let record = try #require(try JSONParser.parse(bench.invoker.calls[0].payload)["Records"]?[0])
        #expect(record["messageId"]?.string == (try result[0].get().id))
        // The fields of the sample that ships with aws-sam-cli 1.170.0 (samcli/lib/generated_sample_events/events/sqs), in its order.
        let fields = [
            "messageId", "receiptHandle", "body", "attributes", "messageAttributes", "md5OfBody", "eventSource",
            "eventSourceARN",
            "awsRegion",
        ]
        #expect(record.object?.keys.filter { $0 != "md5OfMessageAttributes" } == fields)
        #expect(
            Set(record["attributes"]?.object?.keys ?? []) == [
                "ApproximateReceiveCount", "SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp",
            ])
        #expect(record["md5OfBody"]?.string == Self.helloDigest)
        #expect(record["eventSource"]?.string == "aws:sqs" && record["eventSourceARN"]?.string == Self.arn)
        #expect(record["awsRegion"]?.string == "us-east-1")
        #expect(record["attributes", "ApproximateReceiveCount"]?.string == "1")
        #expect(record["attributes", "SentTimestamp"]?.string == "1795953600000")
        #expect(record["messageAttributes", "n", "stringValue"]?.string == "1")
        #expect(record["messageAttributes", "n", "dataType"]?.string == "Number")
        #expect(record["messageAttributes", "b", "binaryValue"]?.string == "AQI=")
        await bench.stop()
    }

    @Test func `a batch that fails is not deleted`() async throws {
        let bench = try await bench { call, number in number == 1 ? .functionError(of: call) : .success(of: call) }
        try await bench.send("1", to: "q")
        bench.mappings.put(try mapping(Self.arn))
        try await eventually { bench.mappings.lastResult(of: "m1") == "PROBLEM: Function call failed" }
        #expect(try await bench.count("q") == [0, 1, 0])
        bench.clock.advance(by: .seconds(30))
        try await eventually { try await bench.rows("queue_message") == 0 }
        #expect(bench.invoker.calls.map(\.attempt) == [1, 2])
        await bench.stop()
    }

    @Test func `only the items that failed come again`() async throws {
        let bench = try await bench { call, number in
            number == 1
                ? .success(of: call, Self.ids(call, of: ["2"])) : .success(of: call, #"{"batchItemFailures":[]}"#)
        }
        for number in 1...3 { try await bench.send("\(number)", to: "q") }
        bench.mappings.put(try mapping(Self.arn) { $0.reportsItemFailures = true })
        try await eventually { try await bench.rows("queue_message") == 1 }
        bench.clock.advance(by: .seconds(30))
        try await eventually { try await bench.rows("queue_message") == 0 }
        #expect(bench.invoker.calls.map(Self.bodies) == [["1", "2", "3"], ["2"]])
        await bench.stop()
    }

    @Test func `what follows a failed message of a group stays in order`() async throws {
        let bench = try await bench("q.fifo") { call, number in
            number == 1 ? .success(of: call, Self.ids(call, of: ["2"])) : .success(of: call, "{}")
        }
        for number in 1...4 { try await bench.send("\(number)", to: "q.fifo", group: "g") }
        bench.mappings.put(try mapping(Self.arn + ".fifo") { $0.reportsItemFailures = true })
        try await eventually { try await bench.rows("queue_message") == 3 }
        bench.clock.advance(by: .seconds(30))
        try await eventually { try await bench.rows("queue_message") == 0 }
        // The one that failed comes alone, those behind it have lost no attempt.
        #expect(bench.invoker.calls.map(Self.bodies) == [["1", "2", "3", "4"], ["2"], ["3", "4"]])
        #expect(bench.invoker.calls.map(\.orderKey) == ["g", "g", "g"])
        #expect(bench.invoker.calls.map(\.attempt) == [1, 2, 1])
        await bench.stop()
    }

    @Test func `a poison message is found, parked, and its group goes on`() async throws {
        let policy = #"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead.fifo","maxReceiveCount":3}"#
        let bench = try EventBench(
            invoker: ScriptedInvoker { call, _ in
                Self.bodies(call).contains("poison") ? .functionError(of: call) : .success(of: call)
            })
        try await bench.start()
        try await bench.makeQueue("dead.fifo")
        try await bench.makeQueue("q.fifo", ["RedrivePolicy": policy])
        for body in ["1", "2", "poison", "3"] { try await bench.send(body, to: "q.fifo", group: "g") }
        bench.mappings.put(try mapping(Self.arn + ".fifo"))
        try await eventually {
            // What a call has must not become visible under it: less than the time-out goes by, and never while one is
            // under way.
            try await bench.untilIdle()
            bench.clock.advance(by: .seconds(29))
            return try await bench.count("q.fifo") == [0, 0, 0]
        }
        #expect(try await bench.receive("dead.fifo").map(\.body) == ["poison"])
        let succeeded = bench.invoker.calls.map(Self.bodies).filter { !$0.contains("poison") }.flatMap(\.self)
        #expect(succeeded == ["1", "2", "3"])
        await bench.stop()
    }

    @Test func `each group of a FIFO queue runs in order and groups run beside each other`() async throws {
        let bench = try await bench("q.fifo") { _, _ in nil }
        for number in 1...3 {
            for group in ["a", "b"] { try await bench.send("\(group)\(number)", to: "q.fifo", group: group) }
        }
        bench.mappings.put(try mapping(Self.arn + ".fifo") { $0.batchSize = 2 })
        try await eventually { bench.invoker.heldCount == 2 }
        #expect(Set(bench.invoker.calls.map(Self.bodies)) == [["a1", "a2"], ["b1", "b2"]])
        bench.invoker.release()
        try await eventually { bench.invoker.heldCount == 2 }
        bench.invoker.release()
        try await eventually { try await bench.rows("queue_message") == 0 }
        await bench.stop()
    }

    @Test func `a batch stays invisible while its call is under way`() async throws {
        let bench = try await bench { _, _ in nil }
        try await bench.send("1", to: "q")
        bench.mappings.put(try mapping(Self.arn))
        try await eventually { bench.invoker.heldCount == 1 }
        for _ in 0..<10 {
            bench.clock.advance(by: .seconds(14))
            try await eventually("it is invisible beyond the next move") {
                try await bench.firstVisible() > bench.clock.now + .seconds(14)
            }
            // Seen by a reader once it is committed; the next move is planned by the writer right after that.
            _ = try await bench.count("q")
        }
        #expect(bench.invoker.calls.count == 1)
        bench.invoker.release()
        try await eventually { try await bench.rows("queue_message") == 0 }
        await bench.stop()
    }

    @Test func `a throttled batch comes back later and uses up no receive`() async throws {
        let bench = try await bench { call, number in number == 1 ? .throttled : .success(of: call) }
        try await bench.send("1", to: "q")
        bench.mappings.put(try mapping(Self.arn))
        try await eventually { bench.mappings.lastResult(of: "m1")?.hasPrefix("PROBLEM: TooManyRequests") == true }
        bench.clock.advance(by: .seconds(1))
        try await eventually { try await bench.rows("queue_message") == 0 }
        #expect(bench.invoker.calls.map(\.attempt) == [1, 1])
        await bench.stop()
    }

    @Test func `a function with a key gets messages one by one`() async throws {
        let bench = try await bench { call, _ in .success(of: call) }
        bench.functions.put("f") { $0.settings.key = .message }
        for number in 1...3 { try await bench.send("\(number)", to: "q") }
        bench.mappings.put(try mapping(Self.arn))
        try await eventually { try await bench.rows("queue_message") == 0 }
        #expect(bench.invoker.calls.count == 3)
        #expect(
            Set(bench.invoker.calls.map(\.messageID)).count == 3 && !bench.invoker.calls.map(\.messageID).contains(nil))
        await bench.stop()
    }

    @Test func `a message that no filter wants is deleted`() async throws {
        let bench = try await bench { call, _ in .success(of: call) }
        for body in [#"{"n":1}"#, #"{"n":5}"#, "no JSON"] { try await bench.send(body, to: "q") }
        bench.mappings.put(try mapping(Self.arn) { $0.filters = [#"{"body":{"n":[{"numeric":[">",2]}]}}"#] })
        try await eventually { try await bench.rows("queue_message") == 0 }
        #expect(bench.invoker.calls.map(Self.bodies) == [[#"{"n":5}"#]])
        await bench.stop()
    }

    @Test func `a window gathers messages until it is over`() async throws {
        let bench = try await bench { call, _ in .success(of: call) }
        bench.mappings.put(try mapping(Self.arn) { $0.windowSeconds = 5 })
        try await bench.send("1", to: "q")
        try await eventually { try await bench.count("q") == [0, 1, 0] }
        bench.clock.advance(by: .seconds(2))
        try await bench.send("2", to: "q")
        try await eventually { try await bench.count("q") == [0, 2, 0] }
        #expect(bench.invoker.calls.isEmpty)
        // The window may begin as late as at the first move: that is when the poller hears what it has received.
        bench.clock.advance(by: .seconds(6))
        try await eventually { bench.invoker.calls.count == 1 }
        #expect(Self.bodies(bench.invoker.calls[0]) == ["1", "2"])
        await bench.stop()
    }

    @Test func `no more batches run than the mapping allows`() async throws {
        let bench = try await bench { _, _ in nil }
        for number in 1...6 { try await bench.send("\(number)", to: "q") }
        bench.mappings.put(try mapping(Self.arn) { ($0.batchSize, $0.maximumConcurrency) = (1, 2) })
        try await eventually { bench.invoker.heldCount == 2 }
        for _ in 0..<5 {
            try await Task.sleep(for: .milliseconds(20))
            bench.invoker.release()
        }
        try await eventually {
            bench.invoker.release()
            return try await bench.rows("queue_message") == 0
        }
        #expect(bench.invoker.peak == 2)
        await bench.stop()
    }

    @Test func `a mapping that is switched off takes nothing`() async throws {
        let bench = try await bench { call, _ in .success(of: call) }
        bench.mappings.put(try mapping(Self.arn))
        try await Task.sleep(for: .milliseconds(30))
        bench.mappings.put(try mapping(Self.arn) { $0.isEnabled = false })
        try await bench.send("1", to: "q")
        try await Task.sleep(for: .milliseconds(50))
        #expect(bench.invoker.calls.isEmpty)
        bench.mappings.put(try mapping(Self.arn))
        try await eventually { bench.invoker.calls.count == 1 }
        bench.mappings.remove("m1")
        await bench.stop()
    }

    @Test func `a report that names strangers fails the batch`() async throws {
        let messages: [ReceivedMessage] = []
        #expect(BatchVerdict.failed(Array(#"{"batchItemFailures":[{"itemIdentifier":"x"}]}"#.utf8), messages) == nil)
        #expect(BatchVerdict.failed(Array(#"{"batchItemFailures":[{"itemIdentifier":""}]}"#.utf8), messages) == nil)
        #expect(BatchVerdict.failed(Array(#"{"batchItemFailures":"x"}"#.utf8), messages) == nil)
        #expect(BatchVerdict.failed(Array("no".utf8), messages) == nil)
        for empty in ["", "null", "{}", #"{"batchItemFailures":null}"#, #"{"batchItemFailures":[]}"#] {
            #expect(BatchVerdict.failed(Array(empty.utf8), messages) == [], "\(empty)")
        }
    }

    @Test func `a mapping that cannot work is refused`() async throws {
        let bench = try await bench { call, _ in .success(of: call) }
        bench.functions.put("f") { $0.timeoutSeconds = 60 }
        let cases: [(String, (inout EventSourceMapping) -> Void)] = [
            (Self.arn, { _ in }), ("arn:aws:sqs:us-east-1:000000000000:missing", { _ in }),
            ("arn:forkless:schedule:us-east-1:000000000000:cron(1 2 3)", { _ in }),
            ("arn:forkless:directory:us-east-1:000000000000:/x?pattern=[a", { _ in }),
            ("arn:forkless:directory:us-east-1:000000000000:/x", { $0.batchSize = 10 }),
        ]
        for (arn, change) in cases {
            let failure = #expect(throws: LambdaFailure.self, "\(arn)") {
                try bench.mappings.check(try mapping(arn, change))
            }
            #expect(failure?.status == 400)
        }
        bench.functions.put("f") { $0.timeoutSeconds = 30 }
        try bench.mappings.check(try mapping(Self.arn))
        await bench.stop()
    }
}
