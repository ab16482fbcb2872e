import EventSources
import Functions
import Glibc
import JSON
import Lambda
import Linux
import Metering
import Store
import Synchronization
import TestKit
import Testing

@Suite(.serialized) struct AsyncEventsTests {
    @Test func `an event is in the database before its caller hears of it`() async throws {
        let bench = try EventBench(invoker: ScriptedInvoker { _, _ in nil })
        try await bench.start()
        try await bench.accept("1")
        #expect(try await bench.rows("async_event") == 1)
        try await eventually { bench.invoker.heldCount == 1 }
        bench.invoker.release()
        try await eventually { try await bench.rows("async_event") == 0 }
        // It is counted once the database has told of it.
        try await eventually { bench.events.counters.succeeded == 1 }
        await bench.stop()
    }

    @Test func `a full disk accepts nothing`() async throws {
        let bench = try EventBench()
        try await bench.start()
        try await bench.store.write { transaction throws(StoreFailure) in
            let pages = try transaction.first("PRAGMA page_count")!.integer(0)!
            try transaction.execute("PRAGMA max_page_count = \(pages + 3)")
        }
        let big = String(repeating: "x", count: 100_000)
        let failure = await #expect(throws: LambdaFailure.self) { try await bench.accept(big) }
        #expect(failure?.status == 500)
        #expect(try await bench.rows("async_event") == 0)
        try await bench.accept("small")
        try await eventually { bench.invoker.payloads == ["small"] }
        await bench.stop()
    }

    @Test func `a payload of a megabyte is accepted and a byte more is not`() async throws {
        let bench = try EventBench()
        try await bench.start()
        try await bench.accept(String(repeating: "x", count: 1 << 20))
        let failure = await #expect(throws: LambdaFailure.self) {
            try await bench.accept(String(repeating: "x", count: 1 << 20 + 1))
        }
        #expect(failure?.name == "RequestTooLargeException" && failure?.status == 413)
        await bench.stop()
    }

    @Test func `a function that fails is tried three times and its event goes to both destinations`() async throws {
        let bench = try EventBench(invoker: ScriptedInvoker { call, _ in .functionError(of: call) })
        bench.functions.set("f") {
            $0.onFailure = .directory(bench.directory.path("failed"))
            $0.deadLetter = .queue("dead")
        }
        try await bench.start()
        try await bench.makeQueue("dead")
        try await bench.accept(#"{"a":1}"#)
        try await eventually { bench.events.counters.retried == 1 }
        bench.clock.advance(by: .seconds(59))
        #expect(bench.invoker.calls.count == 1)
        bench.clock.advance(by: .seconds(1))
        try await eventually { bench.events.counters.retried == 2 }
        bench.clock.advance(by: .seconds(120))
        try await eventually { bench.events.counters.failed == 1 }
        #expect(bench.invoker.calls.map(\.attempt) == [1, 2, 3])
        try await eventually { try await bench.outbox.pending().count == 0 }

        let name = "id-%7B%22a%22%3A1%7D.json"
        #expect(try Files.list(bench.directory.path("failed")) == [name])
        let record = try JSONParser.parse(try Files.read(bench.directory.path("failed/" + name)))
        #expect(record["version"]?.string == "1.0")
        #expect(record["timestamp"]?.string == "2026-11-29T12:03:00.000Z")
        #expect(record["requestContext", "condition"]?.string == "RetriesExhausted")
        #expect(
            record["requestContext", "functionArn"]?.string
                == "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST")
        #expect(record["requestContext", "approximateInvokeCount"]?.integer == 3)
        #expect(record["requestPayload", "a"]?.integer == 1)
        #expect(record["responseContext", "functionError"]?.string == "Unhandled")
        #expect(record["responseContext", "statusCode"]?.integer == 200)
        #expect(record["responseContext", "executedVersion"]?.string == "$LATEST")
        #expect(record["responsePayload", "errorType"]?.string == "Bad")

        let letters = try await bench.receive("dead")
        #expect(letters.map(\.body) == [#"{"a":1}"#])
        #expect(letters[0].attributes["ErrorMessage"] == MessageAttribute(type: "String", text: "no luck"))
        #expect(letters[0].attributes["RequestID"]?.type == "String")
        await bench.stop()
    }

    @Test func `success goes to another function`() async throws {
        let bench = try EventBench(functions: KnownFunctions(["f", "next"]))
        bench.functions.set("f") { $0.onSuccess = .function(FunctionReference(name: "next")) }
        try await bench.start()
        try await bench.accept("1")
        try await eventually { bench.invoker.calls.count == 2 }
        let second = bench.invoker.calls[1]
        #expect(second.function.name == "next" && second.source == "destination")
        let record = try JSONParser.parse(second.payload)
        #expect(record["requestContext", "condition"]?.string == "Success")
        #expect(record["responsePayload"]?.string == "ok")
        await bench.stop()
    }

    @Test func `a throttled event waits and is run, and one that is too old goes to its destination unrun`()
        async throws
    {
        let bench = try EventBench(
            invoker: ScriptedInvoker { call, number in number < 3 ? .throttled : .success(of: call) })
        try await bench.start()
        try await bench.accept("1")
        try await eventually { bench.events.counters.postponed == 1 }
        bench.clock.advance(by: .seconds(1))
        try await eventually { bench.events.counters.postponed == 2 }
        bench.clock.advance(by: .seconds(2))
        try await eventually { bench.events.counters.succeeded == 1 }
        #expect(bench.invoker.calls.map(\.attempt) == [1, 1, 1])

        bench.functions.set("f") { settings in
            settings.maximumAgeSeconds = 60
            settings.onFailure = .directory(bench.directory.path("old"))
        }
        bench.invoker.use { _, _ in .throttled }
        try await bench.accept("2")
        try await eventually { bench.events.counters.postponed == 3 }
        bench.clock.advance(by: .seconds(100))
        try await eventually { bench.events.counters.tooOld == 1 }
        try await eventually { (try? Files.list(bench.directory.path("old"))) == ["id-2.json"] }
        await bench.stop()
    }

    @Test func `an outcome that cannot be written is written later and not run again`() async throws {
        let bench = try EventBench(invoker: ScriptedInvoker { _, _ in nil })
        bench.functions.set("f") { $0.onSuccess = .directory(bench.directory.path("done")) }
        try await bench.start()
        try await bench.accept("1")
        try await eventually { bench.invoker.heldCount == 1 }
        try await bench.store.write { transaction throws(StoreFailure) in
            let pages = try transaction.first("PRAGMA page_count")!.integer(0)!
            try transaction.execute("PRAGMA max_page_count = \(pages)")
        }
        bench.invoker.release { .success(of: $0, "\"" + String(repeating: "x", count: 200_000) + "\"") }
        try await Task.sleep(for: .milliseconds(50))
        #expect(bench.events.counters.succeeded == 0)
        try await bench.store.write { transaction throws(StoreFailure) in
            try transaction.execute("PRAGMA max_page_count = 1000000")
        }
        bench.clock.advance(by: .seconds(2))
        try await eventually { bench.events.counters.succeeded == 1 }
        #expect(bench.invoker.calls.count == 1)
        await bench.stop()
    }

    @Test func `an order that the function's settings name holds for events`() async throws {
        let bench = try EventBench(invoker: ScriptedInvoker { _, _ in nil })
        bench.functions.put("f") { $0.settings.order = .path("$.account") }
        try await bench.start()
        for payload in [#"{"account":"a","n":1}"#, #"{"account":"a","n":2}"#, #"{"account":"b","n":3}"#] {
            try await bench.accept(payload)
        }
        try await eventually { bench.invoker.heldCount == 2 }
        // Each is read by whichever of the database's readers is free: one may overtake the other.
        #expect(Set(bench.invoker.calls.map(\.orderKey)) == ["a", "b"])
        bench.invoker.release()
        try await eventually { bench.invoker.calls.count == 3 }
        bench.invoker.release()
        try await eventually { try await bench.rows("async_event") == 0 }
        await bench.stop()
    }

    @Test func `events of a function that is gone end and are not lost silently`() async throws {
        let bench = try EventBench()
        bench.functions.set("f") { $0.deadLetter = .directory(bench.directory.path("dead")) }
        try await bench.start()
        let call = try bench.call("1")
        bench.functions.remove("f")
        try await bench.events.accept(call)
        try await eventually { bench.events.counters.failed == 1 }
        try await eventually { (try? Files.list(bench.directory.path("dead"))) == ["id-1.json"] }
        await bench.stop()
    }

    @Test func `events wait over a restart and their retries keep their time`() async throws {
        let first = try EventBench(invoker: ScriptedInvoker { call, _ in .functionError(of: call) })
        try await first.start()
        try await first.accept("1", order: "k")
        try await first.accept("2", order: "k")
        try await eventually { first.events.counters.retried == 1 }
        await first.stop()
        let second = try first.reopened()
        try await second.start()
        try await Task.sleep(for: .milliseconds(30))
        #expect(second.invoker.calls.isEmpty)
        second.clock.advance(by: .seconds(60))
        try await eventually { second.events.counters.succeeded == 2 }
        #expect(second.invoker.payloads == ["1", "2"])
        #expect(second.invoker.calls[0].attempt == 2)
        await second.stop()
    }

    @Test func `two thousand events are accepted by callbacks`() async throws {
        let bench = try EventBench(invoker: ScriptedInvoker())
        try await bench.start()
        let accepted = Mutex(0)
        for number in 0..<2000 {
            bench.events.accept(try bench.call("\(number)")) { result in
                if case .success = result { accepted.withLock { $0 += 1 } }
            }
        }
        try await eventually(within: .seconds(60)) { accepted.withLock { $0 } == 2000 }
        try await eventually(within: .seconds(60)) { try await bench.rows("async_event") == 0 }
        #expect(Set(bench.invoker.payloads).count == 2000)
        await bench.stop()
    }

    /// The child accepts 10,000 events of ten keys, says so, and is killed while they run. What it has run stands in a file to
    /// which each run appends before it answers, as an effect outside of the database would.
    @Test func `ten thousand events survive kill -9`() async throws {
        let directory = try TemporaryDirectory("events")
        setenv("FORKLESS_TEST_EVENTS", directory.path, 1)
        await #expect(processExitsWith: .signal(SIGKILL)) {
            let path = String(cString: getenv("FORKLESS_TEST_EVENTS"))
            try await DyingNode.run(in: path)
        }
        unsetenv("FORKLESS_TEST_EVENTS")
        let before = try DyingNode.effects(directory.path("effects"))
        #expect(before.count >= 500 && before.count < 10_000)
        let log = try Files.open(directory.path("effects"), O_WRONLY | O_APPEND)
        let shared = SharedFD(consume log)
        let bench = try EventBench(
            in: directory, invoker: ScriptedInvoker { call, _ in DyingNode.effect(call, shared.raw) })
        try await bench.start()
        try await eventually(within: .seconds(120)) { try await bench.rows("async_event") == 0 }
        let effects = try DyingNode.effects(directory.path("effects"))
        #expect(Set(effects).count == 10_000, "every accepted event was run")
        // In order for each key; an event that was running at the death comes again, and nothing behind it came before.
        for key in 0..<10 {
            var seen: [Int] = []
            for number in effects where number % 10 == key && number != seen.last { seen.append(number) }
            #expect(seen == Array(stride(from: key, to: 10_000, by: 10)))
        }
        await bench.stop()
    }
}

/// A node that accepts events and dies.
enum DyingNode {
    static func run(in path: String) async throws {
        let store = try StateDatabase(path: path + "/node.db", migrations: EventSourceTables.migrations)
        let functions = KnownFunctions()
        // The day on which the node is started again.
        let clock = ManualDay()
        let fd = SharedFD(try Files.open(path + "/effects", O_WRONLY | O_CREAT | O_APPEND, mode: 0o600))
        let count = Mutex(0)
        let invoker = ScriptedInvoker { call, number in
            let outcome = effect(call, fd.raw)
            if number == 1000 { kill(getpid(), SIGKILL) }
            return outcome
        }
        let queues = DurableQueues(store: store, place: QueuePlace(region: "us-east-1"), clock: clock)
        let outbox = Outbox(store: store, queues: queues, clock: clock)
        let events = AsyncEvents(
            store: store, invoker: invoker, functions: functions, outbox: outbox, clock: clock,
            orderKey: { $0.orderKey })
        for number in 0..<10_000 {
            var call = FunctionCall(
                requestID: "\(number)", function: try functions.function(at: KnownFunctions.arn("f")),
                invokedARN: KnownFunctions.arn("f"), payload: Array("\(number)".utf8), source: "async", trace: "",
                arrivedAt: clock.now)
            call.orderKey = "\(number % 10)"
            events.accept(call) { result in
                if case .success = result { count.withLock { $0 += 1 } }
            }
        }
        try await eventually(within: .seconds(60)) { count.withLock { $0 } == 10_000 }
        try await events.start()
        try await Task.sleep(for: .seconds(120))
    }

    static func effect(_ call: FunctionCall, _ fd: CInt) -> InvocationOutcome {
        try? Files.writeAll(call.payload + [10], to: fd)
        return .success(of: call)
    }

    static func effects(_ path: String) throws -> [Int] {
        String(decoding: try Files.read(path), as: UTF8.self).split(separator: "\n").compactMap { Int($0) }
    }
}
