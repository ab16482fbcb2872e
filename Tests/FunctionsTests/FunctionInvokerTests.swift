import HTTPServing
import Lambda
import Linux
import Metering
import Store
import Synchronization
import TestKit
import Testing

@testable import Functions

@Suite struct FunctionInvokerTests {
    static func keyed(_ change: (inout FunctionSettings) -> Void = { _ in }) -> DeployedFunction {
        PlaneBench.function {
            $0.key = .header("Idempotency-Key")
            change(&$0)
        }
    }

    static func call(_ function: DeployedFunction, _ payload: String, key: String, id: String = "r") -> FunctionCall {
        PlaneBench.call(function, payload, id: id) { $0.headers = ["idempotency-key": key] }
    }

    @Test func `a call off the loop hops to it and is answered`() async {
        let bench = PlaneBench()
        let outcome = await bench.invoke(PlaneBench.call(PlaneBench.function(), "hello"))
        #expect(outcome.text == "hello")
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `who is answered finds the call in the ledger`() async throws {
        let bench = PlaneBench()
        func found(_ call: FunctionCall) async -> Int {
            await withCheckedContinuation { continuation in
                bench.invoker.invoke(call) { [ledger = bench.ledger] _ in continuation.resume(returning: ledger.all.count) }
            }
        }
        #expect(await found(PlaneBench.call(PlaneBench.function())) == 1)
        // One that is refused as well.
        #expect(await found(PlaneBench.call(PlaneBench.function(memoryMB: 1 << 20))) == 2)
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `every call is in the ledger once`() async throws {
        let bench = PlaneBench()
        let function = PlaneBench.function { $0.recordsPayloads = true }
        _ = await bench.invoke(PlaneBench.call(function, "one", id: "1") { $0.arrivedAt.nanoseconds -= 5_000_000 })
        await bench.script { $0.answer = { FakeLauncher.error($0) } }
        _ = await bench.invoke(PlaneBench.call(function, "two", id: "2") { $0.attempt = 3 })
        try await bench.invoker.setReserved("f", 0)
        _ = await bench.invoke(PlaneBench.call(function, "three", id: "3"))
        try await eventually { bench.ledger.all.count == 3 }
        let calls = bench.ledger.all
        #expect(calls.map(\.requestID) == ["1", "2", "3"])
        #expect(calls.map(\.outcome) == [.success, .functionError("E"), .refused("TooManyRequestsException")])
        #expect(calls[0].payloadBytes == 3 && calls[0].answerBytes == 3)
        // sha256sum of "one".
        #expect(calls[0].payloadDigest == "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed")
        #expect(calls[0].answerDigest == calls[0].payloadDigest)
        #expect(calls[0].recordedPayload == Array("one".utf8) && calls[0].recordedAnswer == Array("one".utf8))
        #expect(calls[0].queueMicroseconds >= 5000, "from its arrival at the door")
        #expect(calls[0].source == "invoke" && calls[1].attempt == 3)
        #expect(calls[2].instance == nil && calls[2].start == .none && calls[2].payloadBytes == 5)
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `a caller that records itself gets the whole record, and the ledger none`() async {
        let bench = PlaneBench()
        let outcome = await bench.invoke(PlaneBench.call(PlaneBench.function(), "x") { $0.recordsItself = true })
        #expect(outcome.answer?.isRecorded == false)
        #expect(outcome.answer?.call.payloadDigest.count == 64 && outcome.answer?.call.answerDigest.count == 64)
        #expect(bench.ledger.all.isEmpty)
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `what cannot be recorded is not run`() async {
        let bench = PlaneBench()
        bench.ledger.refuse(StoreFailure(.full, "the disk is full"))
        let outcome = await bench.invoke(PlaneBench.call(PlaneBench.function()))
        #expect(outcome.failure?.name == "ServiceException")
        #expect(outcome.failure?.message.contains("the disk is full") == true)
        #expect(await bench.look { $0.served.isEmpty })
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `a large payload is digested elsewhere and answered all the same`() async throws {
        let bench = PlaneBench()
        let payload = String(repeating: "x", count: 1 << 20)
        let outcome = await bench.invoke(Self.call(Self.keyed(), payload, key: "k"))
        #expect(outcome.text == payload)
        #expect(await bench.invoke(Self.call(Self.keyed(), payload, key: "k")).answer?.isReplayed == true)
        #expect(await bench.invoke(PlaneBench.call(PlaneBench.function("g"), payload)).text == payload)
        try await eventually { bench.ledger.all.count == 3 }
        #expect(Set(bench.ledger.all.map(\.payloadDigest)).count == 1)
        let isClean = await bench.close()
        #expect(isClean)
    }

    // MARK: Keys

    @Test func `a repeated key replays the first answer`() async throws {
        let bench = PlaneBench()
        let function = Self.keyed()
        let first = await bench.invoke(Self.call(function, "pay 1", key: "k", id: "a"))
        #expect(first.answer?.isReplayed == false && first.answer?.isRecorded == true)
        let again = await bench.invoke(Self.call(function, "pay 1", key: "k", id: "b"))
        #expect(again.text == "pay 1" && again.answer?.contentType == "application/json")
        #expect(again.answer?.isReplayed == true && again.answer?.call.outcome == .replayed)
        #expect(await bench.look { $0.served } == ["pay 1"])
        // A new revision is the same function with the same effect.
        var deployed = function
        deployed.revision = "2"
        #expect(await bench.invoke(Self.call(deployed, "pay 1", key: "k")).answer?.isReplayed == true)
        #expect(await bench.invoke(Self.call(function, "pay 2", key: "l")).answer?.isReplayed == false)
        try await eventually { bench.ledger.all.count == 4 }
        #expect(bench.ledger.all.map(\.key) == ["k", "k", "k", "l"])
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `the answer is in the book before the caller hears it`() async {
        let bench = PlaneBench()
        _ = await bench.invoke(Self.call(Self.keyed(), "x", key: "k", id: "a"))
        #expect(bench.keys.log == ["begin f/k a", "complete f/k a"])
        #expect(bench.ledger.all.count == 1)
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `another payload under a key is a conflict, before and after the answer`() async {
        let bench = PlaneBench()
        await bench.script { $0.callTime = { _ in .milliseconds(10) } }
        let function = Self.keyed()
        let outcomes = await bench.invokeAll([
            Self.call(function, "pay 1", key: "k"), Self.call(function, "pay 2", key: "k"),
        ])
        #expect(outcomes[0].text == "pay 1")
        #expect(outcomes[1].failure?.name == "IdempotencyKeyConflictException" && outcomes[1].failure?.status == 409)
        let later = await bench.invoke(Self.call(function, "pay 3", key: "k"))
        #expect(later.failure?.name == "IdempotencyKeyConflictException")
        #expect(await bench.look { $0.served } == ["pay 1"])
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `a call with the key of one under way gets its answer`() async throws {
        let bench = PlaneBench()
        await bench.script { $0.callTime = { _ in .milliseconds(10) } }
        let outcomes = await bench.invokeAll((0..<20).map { Self.call(Self.keyed(), "pay", key: "k", id: "\($0)") })
        #expect(outcomes.allSatisfy { $0.text == "pay" })
        #expect(outcomes.map { $0.answer?.isReplayed } == [false] + Array(repeating: true, count: 19))
        #expect(await bench.look { $0.served } == ["pay"])
        try await eventually { bench.ledger.all.count == 20 }
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `an error of the function is not kept, and who waited hears it`() async {
        let bench = PlaneBench()
        await bench.script {
            $0.callTime = { _ in .milliseconds(10) }
            $0.answer = { FakeLauncher.error($0) }
        }
        let function = Self.keyed()
        let outcomes = await bench.invokeAll([
            Self.call(function, "pay", key: "k"), Self.call(function, "pay", key: "k"),
        ])
        #expect(outcomes.map { $0.answer?.functionError } == ["Unhandled", "Unhandled"])
        #expect(bench.keys.marks == 0)
        await bench.script { $0.answer = { FakeLauncher.echo($0) } }
        let again = await bench.invoke(Self.call(function, "pay", key: "k"))
        #expect(again.text == "pay" && again.answer?.isReplayed == false)
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `a call that was not run leaves no key, and the next one that waits runs`() async throws {
        let bench = PlaneBench()
        let function = Self.keyed()
        try await bench.invoker.setReserved("f", 0)
        let refused = await bench.invoke(Self.call(function, "pay", key: "k", id: "a"))
        #expect(refused.failure?.name == "TooManyRequestsException")
        #expect(bench.keys.marks == 0 && bench.keys.log == ["begin f/k a", "giveUp f/k a"])
        try await bench.invoker.setReserved("f", nil)
        #expect(await bench.invoke(Self.call(function, "pay", key: "k", id: "b")).answer?.isReplayed == false)

        // The first is refused at its deadline while it waits for an instance; the second has none and is run.
        await bench.script { $0.start = { _ in .ready(after: .milliseconds(60)) } }
        var waiting = function
        waiting.revision = "2"
        waiting.settings.deadlineHeader = "Deadline"
        let soon = (Clock.now().nanoseconds / 1_000_000) + 30
        var first = Self.call(waiting, "pay", key: "l", id: "c")
        first.headers["deadline"] = "\(soon)"
        let outcomes = await bench.invokeAll([first, Self.call(waiting, "pay", key: "l", id: "d")])
        #expect(outcomes[0].failure?.name == "DeadlineExceededException")
        #expect(outcomes[1].text == "pay" && outcomes[1].answer?.isReplayed == false)
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `a book that cannot be read or written is an error, and never a second effect`() async {
        let bench = PlaneBench()
        bench.keys.fail(StoreFailure(.full, "the disk is full"))
        let outcome = await bench.invoke(Self.call(Self.keyed(), "pay", key: "k"))
        #expect(outcome.failure?.name == "ServiceException")
        #expect(await bench.look { $0.served.isEmpty })
        bench.keys.fail(nil)
        await bench.script {
            $0.answer = { invocation in
                bench.keys.fail(StoreFailure(.full, "the disk is full"))
                return FakeLauncher.echo(invocation)
            }
        }
        let ran = await bench.invoke(Self.call(Self.keyed(), "pay", key: "k"))
        #expect(ran.failure?.message.contains("it ran, but its answer could not be recorded") == true)
        let still = await bench.invoke(Self.call(Self.keyed(), "pay", key: "k"))
        #expect(still.failure?.name == "ServiceException")
        // As soon as the disk has room again, the first answer is there.
        bench.keys.fail(nil)
        let again = await bench.invoke(Self.call(Self.keyed(), "pay", key: "k"))
        #expect(again.text == "pay" && again.answer?.isReplayed == true)
        #expect(await bench.look { $0.served } == ["pay"])
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `a mark that could not be taken back does not block its key for ever`() async {
        let bench = PlaneBench()
        await bench.script {
            $0.answer = { invocation in
                bench.keys.fail(StoreFailure(.full, "the disk is full"))
                return FakeLauncher.error(invocation)
            }
        }
        let function = Self.keyed()
        let first = await bench.invoke(Self.call(function, "pay", key: "k"))
        #expect(first.failure?.message.contains("it ran, but its answer could not be recorded") == true)
        bench.keys.fail(nil)
        await bench.script { $0.answer = { FakeLauncher.echo($0) } }
        #expect(await bench.invoke(Self.call(function, "pay", key: "k")).text == "pay", "an error is not kept")
        #expect(bench.keys.marks == 0)
        let isClean = await bench.close()
        #expect(isClean)
    }

    // MARK: Order

    @Test func `calls of one order key never overlap`() async throws {
        let bench = PlaneBench()
        await bench.script { $0.callTime = { _ in .milliseconds(1) } }
        let function = PlaneBench.function { $0.order = .path("$.account") }
        let calls = (0..<60).map { number in
            let sources = ["invoke", "async", "sqs"]
            return PlaneBench.call(function, #"{"account": \#(number % 3), "n": \#(number)}"#, id: "\(number)") {
                $0.source = sources[number / 3 % 3]
                // What a queue says goes before the settings, with the same names.
                if number / 3 % 3 == 2 { $0.orderKey = "\(number % 3)" }
            }
        }
        let outcomes = await bench.invokeAll(calls)
        #expect(outcomes.allSatisfy { $0.text != nil })
        let (served, overlaps) = await bench.look { ($0.served, $0.overlaps) }
        for account in 0..<3 {
            let own = served.filter { $0.contains("\"account\": \(account),") }
            #expect(own == calls.map { String(decoding: $0.payload, as: UTF8.self) }.filter { own.contains($0) })
        }
        func account(_ text: String) -> Character? { text.dropFirst(#"{"account": "#.count).first }
        #expect(overlaps.allSatisfy { account($0.0) != account($0.1) })
        #expect(!overlaps.isEmpty, "others run beside them")
        #expect(bench.ledger.all.allSatisfy { ["0", "1", "2"].contains($0.orderKey) })
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `a call that waits for its turn is refused at its deadline`() async throws {
        let bench = PlaneBench(
            invoking: {
                var settings = InvokerSettings()
                settings.waitingLimit = 3
                return settings
            }())
        await bench.script { $0.callTime = { _ in .seconds(3600) } }
        let function = PlaneBench.function {
            $0.order = .header("Account")
            $0.deadlineHeader = "Deadline"
        }
        // All five have come by then: one that comes after its deadline takes no place from those that wait.
        let soon = Clock.now().nanoseconds / 1_000_000 + 3000
        let calls = (0..<5).map { number in
            PlaneBench.call(function, "\(number)") {
                $0.headers = ["account": "7"]
                if number == 1 { $0.headers["deadline"] = "\(soon)" }
            }
        }
        async let all = bench.invokeAll(calls)
        try await eventually("the refusal at the deadline") {
            bench.ledger.all.contains { $0.outcome == .refused("DeadlineExceededException") }
        }
        await bench.script { $0.finishCalls() }
        let outcomes = await all
        #expect(
            outcomes.map { $0.failure?.name }
                == [nil, "DeadlineExceededException", nil, nil, "TooManyRequestsException"])
        #expect(await bench.look { $0.served } == ["0", "2", "3"])
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `nothing is left of calls that have ended`() async throws {
        let ledger = FakeLedger()
        let loops = ServingLoops(count: 1)
        let loop = loops.loops[0]
        let launcher = FakeLauncher()
        let plane = FunctionPlane(on: loop, launcher: launcher, PlaneSettings(memoryMB: 1024, processors: 2))
        let worker = LoopBound(CallWorker(plane, ledger, FakeKeys(ledger), InvokerSettings()), on: loop)
        let function = PlaneBench.function {
            $0.key = .header("Key")
            $0.order = .header("Account")
        }
        let box = OutcomeBox(300)
        loop.execute {
            for number in 0..<300 {
                let call = PlaneBench.call(function, "\(number % 100)") {
                    $0.headers = ["key": "\(number % 100)", "account": "\(number % 7)"]
                }
                worker.value.invoke(call) { box.set(number, $0) }
            }
        }
        #expect(await box.all().allSatisfy { $0.text != nil })
        #expect(await loop.run { worker.value.isIdle })
        let done = Mutex(false)
        loop.execute { worker.value.plane.close(grace: .seconds(1)) { done.withLock { $0 = true } } }
        try await eventually { done.withLock { $0 } }
        await loops.shutDown()
    }

    // MARK: Deadlines and streams

    @Test func `a deadline that has passed is refused before anything is started`() async {
        let bench = PlaneBench()
        let function = PlaneBench.function { $0.deadlineHeader = "Deadline" }
        let outcome = await bench.invoke(PlaneBench.call(function) { $0.headers = ["deadline": "1700000000000"] })
        #expect(outcome.failure?.name == "DeadlineExceededException" && outcome.failure?.status == 408)
        let bad = await bench.invoke(PlaneBench.call(function) { $0.headers = ["deadline": "tomorrow"] })
        #expect(bad.failure?.name == "InvalidParameterValueException")
        #expect(await bench.look { $0.instances.isEmpty })
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `the deadline goes with the call to its instance`() async {
        let bench = PlaneBench()
        let seen = Mutex<Instant?>(nil)
        await bench.script {
            $0.answer = { invocation in
                seen.withLock { $0 = invocation.deadline }
                return FakeLauncher.echo(invocation)
            }
        }
        let function = PlaneBench.function { $0.deadlineHeader = "Deadline" }
        let at = Clock.now().nanoseconds / 1_000_000 + 60_000
        _ = await bench.invoke(PlaneBench.call(function) { $0.headers = ["deadline": "\(at)"] })
        let left = seen.withLock { $0 }.map { $0 - Instant(nanoseconds: Clock.monotonicNanoseconds()) }
        #expect(left.map { $0 > .seconds(30) && $0 <= .seconds(60) } == true)
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `a streamed answer is counted, digested, and replayed as it was`() async throws {
        let bench = PlaneBench()
        let function = Self.keyed()
        let streams = [StreamRecord(), StreamRecord()]
        for (index, stream) in streams.enumerated() {
            var call = Self.call(function, "abc", key: "k", id: "\(index)")
            call.stream = AnswerStream(
                begin: { stream.note("\($0.isReplayed ? "replays" : "begins") \($0.contentType)") },
                part: { stream.note(String(decoding: $0, as: UTF8.self)) })
            let answer = await bench.invoke(call).answer
            #expect(answer?.payload == [] && answer?.isReplayed == (index == 1))
        }
        #expect(streams[0].all == ["begins text/plain", "a", "b", "c"])
        #expect(streams[1].all == ["replays text/plain", "abc"])
        try await eventually { bench.ledger.all.count == 2 }
        #expect(bench.ledger.all.map(\.answerBytes) == [3, 3])
        #expect(bench.ledger.all[0].answerDigest == bench.ledger.all[1].answerDigest)
        // sha256sum of "abc".
        #expect(bench.ledger.all[0].answerDigest == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        let isClean = await bench.close()
        #expect(isClean)
    }
}

/// What a stream has been given.
final class StreamRecord: Sendable {
    private let notes = Mutex<[String]>([])

    var all: [String] { notes.withLock { $0 } }
    func note(_ text: String) { notes.withLock { $0.append(text) } }
}
