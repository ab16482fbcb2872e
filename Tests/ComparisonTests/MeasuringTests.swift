import Linux
import Synchronization
import TestKit
import Testing

@testable import Comparison

/// A rung without a machine: what a call does is said.
struct MadeUpRung: ComparedRung {
    var label: RungLabel
    var setUp = "made up"
    var billing = CostEstimate.Billing.perCall(isFunction: false)
    var steps = DeploymentSteps(deploy: ["put it there"], rollBack: ["take it away"])
    var readiness: ComparisonError?
    var answer: @Sendable ([UInt8]) async throws(ComparisonError) -> CallSample
    var closed = Mutexed()

    /// Whether it was closed, whoever has a copy of the rung.
    final class Mutexed: Sendable {
        let value = Mutex(0)
    }

    init(_ name: String, _ answer: @escaping @Sendable ([UInt8]) async throws(ComparisonError) -> CallSample) {
        label = RungLabel(name: name, title: name)
        self.answer = answer
    }

    static func good(_ name: String, _ change: @escaping @Sendable ([UInt8]) -> [UInt8] = { $0 }) -> MadeUpRung {
        MadeUpRung(name) { input in
            CallSample(startNanoseconds: 1000, callNanoseconds: 2000, cpuMicroseconds: 7, output: change(input))
        }
    }

    static func failing(_ name: String, _ kind: FailureKind) -> MadeUpRung {
        MadeUpRung(name) { _ in
            CallSample(
                startNanoseconds: 0, callNanoseconds: 5000, cpuMicroseconds: nil, output: [],
                failure: CallFault(kind, "it \(kind.words)"))
        }
    }

    func prepare() async throws(ComparisonError) { if let readiness { throw readiness } }
    func call(_ input: [UInt8], limit: Int) async throws(ComparisonError) -> CallSample { try await answer(input) }
    func idleBytes() async -> Reading<Int> { .measured(4096) }
    func busyBytes(_ input: [UInt8]) async -> Reading<Int> { .measured(1 << 20) }
    func hold(_ count: Int) async throws(ComparisonError) -> any HeldInstances { MadeUpInstances(count: count) }
    func probe(_ environment: [String]) async throws(ComparisonError) -> [UInt8] {
        throw ComparisonError("nothing is probed")
    }
    func close() async { closed.value.withLock { $0 += 1 } }
}

struct MadeUpInstances: HeldInstances {
    var count: Int
    var method: String { "counted" }
    func memoryBytes() async -> Reading<Int> { .measured(count << 20) }
    func killOne() async throws(ComparisonError) -> Int { Clock.monotonicNanoseconds() }
    func release() async {}
}

@Suite struct OpenLoadTests {
    private func arrivals(_ times: [Int], stream: Int = 0) -> [WorkloadArrival] {
        times.enumerated().map { WorkloadArrival(nanoseconds: $1, call: WorkloadCall(stream: stream, number: $0)) }
    }

    /// Every call is begun, however long the machine stands still.
    private static let patient = OpenLoad.Settings(leastPatience: 60_000_000_000)
    private static let sample = CallSample(startNanoseconds: 0, callNanoseconds: 0, cpuMicroseconds: nil, output: [])

    @Test func `a stall is charged to every call that arrived in it`() async throws {
        let times = ArrivalSchedule.constant(perSecond: 100).arrivals(forNanoseconds: 200_000_000)
        // The first call begins with the load or after it, and this test may have been stopped before: 300 ms count
        // from there.
        let began = Mutex<Int?>(nil)
        // Nothing ends before 300 ms, and then one call after the other.
        let point = try await OpenLoad.run(
            arrivals(times), duration: 200_000_000, limits: [nil], OpenLoad.Settings(inFlight: 1)
        ) { _ async throws(ComparisonError) in
            let end = began.withLock { began in
                let first = began ?? Clock.monotonicNanoseconds()
                began = first
                return first + 300_000_000
            }
            while Clock.monotonicNanoseconds() < end { try? await Task.sleep(for: .milliseconds(5)) }
            return Self.sample
        }.all
        #expect(point.calls == 20 && point.offeredPerSecond == 100)
        // The last call was to begin at 190 ms, and no call ended before 300 ms.
        #expect(point.latency.minimum >= 109_000_000)
        #expect(point.latency.maximum >= 299_000_000)
        #expect(point.achievedPerSecond < 67)
    }

    @Test func `every arrival is a call`() async throws {
        let times = ArrivalSchedule.poisson(perSecond: 4000, seed: 5).arrivals(forNanoseconds: 100_000_000)
        let seen = Mutex<Set<Int>>([])
        let point = try await OpenLoad.run(arrivals(times), duration: 100_000_000, limits: [nil], Self.patient) {
            call async throws(ComparisonError) in
            seen.withLock { _ = $0.insert(call.number) }
            if call.number % 10 == 0 { throw ComparisonError("no way") }
            return Self.sample
        }.all
        #expect(seen.withLock { $0.count } == times.count && point.calls == times.count)
        #expect(point.failures.kinds.first?.kind == .unreachable)
        #expect(point.failures.total == (times.count + 9) / 10)
    }

    @Test func `no more calls of a stream run at once than may`() async throws {
        let now = Mutex([0, 0])
        let most = Mutex([0, 0])
        let mixed = (arrivals([Int](repeating: 0, count: 12)) + arrivals([Int](repeating: 0, count: 12), stream: 1))
        let (all, streams) = try await OpenLoad.run(
            mixed, duration: 50_000_000, limits: [3, nil], OpenLoad.Settings(inFlight: 8)
        ) {
            call async throws(ComparisonError) in
            let running = now.withLock { now in
                now[call.stream] += 1
                return now
            }
            most.withLock { $0 = [max($0[0], running[0]), max($0[1], running[1])] }
            try? await Task.sleep(for: .milliseconds(2))
            now.withLock { $0[call.stream] -= 1 }
            return Self.sample
        }
        #expect(all.calls == 24 && streams.map(\.calls) == [12, 12])
        #expect(most.withLock { $0[0] } <= 3 && most.withLock { $0[1] } <= 8)
    }

    @Test(.timeLimit(.minutes(1))) func `a stream that is full delays no other`() async throws {
        let others = 20
        let mixed = arrivals([0, 0, 0]) + arrivals([Int](repeating: 0, count: others), stream: 1)
        let seen = MadeUpRung.Mutexed()
        // The first call of the one stream does not end before all calls of the other have been made.
        let (all, streams) = try await OpenLoad.run(
            mixed, duration: 50_000_000, limits: [1, nil], Self.patient
        ) {
            call async throws(ComparisonError) in
            if call.stream == 1 {
                seen.value.withLock { $0 += 1 }
                return Self.sample
            }
            do {
                try await eventually(within: .seconds(40)) { seen.value.withLock { $0 } == others }
            } catch { throw ComparisonError("\(error)") }
            return Self.sample
        }
        #expect(streams.map(\.calls) == [3, others] && all.failures.isEmpty)
        #expect(seen.value.withLock { $0 } == others)
    }

    @Test func `calls that wait for their turn for too long are not begun`() async throws {
        let begun = MadeUpRung.Mutexed()
        let point = try await OpenLoad.run(
            arrivals([0, 0, 0]), duration: 1_000_000, limits: [1], OpenLoad.Settings(leastPatience: 0)
        ) {
            _ async throws(ComparisonError) in
            begun.value.withLock { $0 += 1 }
            // Three times the schedule's length after the load has begun nothing is: this ends later.
            let until = Clock.monotonicNanoseconds() + 3_000_000
            while Clock.monotonicNanoseconds() < until { try? await Task.sleep(for: .milliseconds(1)) }
            return Self.sample
        }.all
        // On a machine that stalls for as long not even the first one is begun.
        #expect(begun.value.withLock { $0 } <= 1)
        #expect(point.calls == 3 && point.failures.isEmpty)
    }

    @Test func `what each call gave is looked at`() async throws {
        let seen = Mutex<Set<Int>>([])
        let (all, _) = try await OpenLoad.run(
            arrivals([0, 0, 0, 0]), duration: 1_000_000, limits: [1], Self.patient
        ) { call async throws(ComparisonError) in
            if call.number == 2 { throw ComparisonError("no way") }
            return Self.sample
        } look: { call, _ in
            seen.withLock { _ = $0.insert(call.number) }
        }
        // What could not be made gave nothing.
        #expect(all.calls == 4 && seen.withLock { $0 } == [0, 1, 3])
    }

    @Test func `a load that is taken back ends its calls`() async throws {
        let task = Task {
            try await OpenLoad.run(
                arrivals([0, 1, 60_000_000_000]), duration: 60_000_000_001, limits: [nil], OpenLoad.Settings()
            ) {
                _ async throws(ComparisonError) in
                do { try await Task.sleep(for: .seconds(60)) } catch { throw ComparisonError("taken back") }
                return Self.sample
            }.all
        }
        task.cancel()
        // The thread is asleep until the third arrival; who waits is not kept from going.
        await #expect(throws: ComparisonError.self) { try await task.value }
    }
}

@Suite struct HangWatchTests {
    @Test func `what takes too long is cancelled and told by nil`() async throws {
        let value = try await HangWatch.shared.limited(nanoseconds: 1_000_000) { () throws(ComparisonError) in
            do { try await Task.sleep(for: .seconds(3600)) } catch { throw ComparisonError("cancelled") }
            return 1
        }
        #expect(value == nil)
        #expect(
            try await HangWatch.shared.limited(nanoseconds: 60_000_000_000) { () throws(ComparisonError) in 2 } == 2)
    }

    @Test func `a limit of centuries is never reached`() async throws {
        #expect(try await HangWatch.shared.limited(nanoseconds: .max) { () throws(ComparisonError) in 3 } == 3)
        #expect(HangWatch.deadline(after: .max) == .max)
    }
}

@Suite struct ComparisonRunTests {
    private var settings: ComparisonSettings {
        var settings = ComparisonSettings(.quick)
        settings.count = 6
        settings.searchSteps = 2
        (settings.stepNanoseconds, settings.loadNanoseconds) = (5_000_000, 5_000_000)
        settings.repetitionNanoseconds = 1_000_000
        settings.prices = CostEstimate.Prices(
            currency: "USD", perRequest: 1e-6, perGBSecond: 1e-5, perReadyGBSecond: 1e-6, perReadyUseGBSecond: 1e-6,
            source: "a book")
        return settings
    }

    private func workload(_ lines: String = "one\ntwo\nthree\n") throws -> ComparedWorkload {
        let input = try WorkloadInput(standardInput: Array(lines.utf8), division: .lines)
        return ComparedWorkload(
            name: "echo", streams: [WorkloadStream(name: "echo", program: "echo", arguments: [], input: input)])
    }

    @Test func `a rung that fails is told and the others go on`() async throws {
        var unready = MadeUpRung.good("unready")
        unready.readiness = ComparisonError("it has no legs")
        let rungs = [
            MadeUpRung.good("first"), unready, .failing("crashing", .crash), .failing("hanging", .hang),
            .good("different") { $0 == Array("two\n".utf8) ? Array("too\n".utf8) : $0 }, .good("last"),
        ]
        let report = await ComparisonRun(try workload(), settings) { _ in }.measure(
            rungs.map { Contender([$0]) }, now: Clock.now())
        #expect(report.rungs.map(\.rung.name) == ["first", "unready", "crashing", "hanging", "different", "last"])
        let (first, crashing, hanging, last) = (report.rungs[0], report.rungs[2], report.rungs[3], report.rungs[5])
        #expect(first.results == .reference && first.incomplete == nil && first.failures.isEmpty)
        #expect(report.rungs[1].incomplete == "it has no legs")
        #expect(
            crashing.failures.kinds.first?.kind == .crash && crashing.latency.value == nil && crashing.incomplete != nil
        )
        #expect(crashing.results == .unavailable("no call ended well"))
        #expect(hanging.failures.kinds.first?.kind == .hang)
        #expect(try #require(hanging.incomplete).contains("no more were made"))
        // Three calls of three hung: more would say nothing else.
        #expect(hanging.calls == 3)
        guard case .different(let calls, let number, let difference) = report.rungs[4].results else {
            Issue.record("\(report.rungs[4].results)")
            return
        }
        #expect(calls == 2 && number == 2 && difference.offset == 1)
        #expect(difference.expected == "two\\n" && difference.found == "too\\n")
        #expect(last.results == .identical && last.incomplete == nil)
        #expect(report.incomplete == nil && report.hasFaults)
        #expect(rungs.allSatisfy { $0.closed.value.withLock { $0 } == 1 })
    }

    @Test func `a rung that nobody asked for and that does not apply is left out with its reason`() async throws {
        var unready = MadeUpRung.good("unready")
        unready.readiness = ComparisonError("there is no Python here")
        let report = await ComparisonRun(try workload(), settings) { _ in }
            .measure(
                [Contender([unready], isAsked: false), Contender([MadeUpRung.good("good")], isAsked: false)],
                now: Clock.now())
        #expect(report.leftOut == ["unready: there is no Python here"])
        #expect(report.rungs.map(\.results) == [.reference] && !report.hasFaults)
        #expect(unready.closed.value.withLock { $0 } == 1)
    }

    @Test func `every quantity of a rung is measured, derived or says why not`() async throws {
        var settings = settings
        // Down to a rate that any machine keeps up with, however slow its tasks are and whatever stops them meanwhile.
        settings.searchSteps = 12
        let report = await ComparisonRun(try workload(), settings) { _ in }.measure(
            [Contender([MadeUpRung.good("one")])], now: Clock.now())
        let rung = try #require(report.rungs.first)
        #expect(rung.latency.value?.p50.repetitions == [2000, 2000, 2000] && rung.start.value?.p99.value == 1000)
        #expect(rung.cpuPerCall.value?.value == 7 && rung.calls == 18)
        #expect(rung.knee.value != nil && (1...12).contains(rung.curve.count) && rung.underLoad.value != nil)
        #expect(rung.idleMemory.value?.value == 4096)
        #expect(rung.density.value?.bytesPerInstance == Double(1 << 20) && rung.density.value?.points.count == 4)
        #expect(rung.scale.value?.instances == 4 && rung.recovery.value != nil)
        #expect(rung.deploySteps.value?.elements == ["put it there"])
        // 1e6 × 2 µs × 1 MiB at 1e-5 a GB-second.
        #expect(abs(try #require(rung.costPerMillion.value).amount - 2e-5 / 1024) < 1e-12)
        #expect(rung.isolation == .unavailable("nothing is probed"))
        #expect(report.noise.calibrationNanoseconds.count == 4 && report.driver.delay.value != nil)
        #expect(report.machine.processors > 0 && report.machine.memoryBytes > 0 && !report.machine.kernel.isEmpty)
        #expect(try ComparisonReport(json: report.json) == report)
    }

    @Test func `a mix is called by its shares and told by its parts`() async throws {
        func stream(_ name: String, _ weight: Double) throws -> WorkloadStream {
            WorkloadStream(
                name: name, program: name, arguments: [],
                input: try WorkloadInput(standardInput: Array("\(name)\n".utf8), division: .whole),
                schedule: .constant(perSecond: 1000 * weight), weight: weight)
        }
        let mix = ComparedWorkload(
            name: "mix", streams: [try stream("often", 3), try stream("rarely", 1)], loadNanoseconds: 8_000_000)
        let seen = Mutex<[String: Int]>([:])
        func rung(_ program: String) -> MadeUpRung {
            MadeUpRung("rung") { input in
                seen.withLock { $0[String(decoding: input, as: UTF8.self), default: 0] += 1 }
                return CallSample(startNanoseconds: 1, callNanoseconds: 1, cpuMicroseconds: 1, output: input)
            }
        }
        var settings = settings
        settings.count = 8
        let report = await ComparisonRun(mix, settings) { _ in }
            .measure([Contender([rung("often"), rung("rarely")])], now: Clock.now())
        #expect(report.rungs[0].streams.map(\.name) == ["often", "rarely"])
        #expect(report.rungs[0].streams.map(\.load.calls) == [24, 8])
        #expect(report.workload.programs.map(\.share.fraction) == [0.75, 0.25])
        let counts = seen.withLock { $0 }
        #expect(counts.keys.sorted() == ["often\n", "rarely\n"])
        #expect(report.rungs[0].idleMemory.explanation.hasSuffix("(of often, which is called most)"))
    }

    @Test func `what was measured before an interruption is kept`() async throws {
        let slow = MadeUpRung("slow") { _ throws(ComparisonError) in
            do { try await Task.sleep(for: .seconds(3600)) } catch { throw ComparisonError("taken back") }
            return CallSample(startNanoseconds: 0, callNanoseconds: 0, cpuMicroseconds: nil, output: [])
        }
        let reached = Mutex(false)
        let (run, rungs) = (
            ComparisonRun(try workload(), settings) { text in
                if text.hasPrefix("slow: warming") { reached.withLock { $0 = true } }
            },
            [Contender([MadeUpRung.good("done")]), Contender([slow]), Contender([MadeUpRung.good("never")])]
        )
        let task = Task { await run.measure(rungs, now: Clock.now()) }
        try await eventually { reached.withLock { $0 } }
        task.cancel()
        let report = await task.value
        #expect(report.incomplete == "interrupted in rung 2 of 3")
        #expect(report.rungs.map(\.rung.name) == ["done", "slow"])
        #expect(report.rungs[0].latency.value != nil && report.rungs[0].incomplete == nil)
        #expect(report.rungs[1].incomplete == "interrupted")
        #expect(slow.closed.value.withLock { $0 } == 1)
    }

    @Test func `results are held against what is expected`() async throws {
        var settings = settings
        settings.expected = Array("one\ntwo\nthree\n".utf8)
        let good = await ComparisonRun(try workload(), settings) { _ in }.measure(
            [Contender([MadeUpRung.good("a")])], now: Clock.now())
        #expect(good.rungs[0].results == .identical)
        settings.expected = Array("one\ntwo\nfour\n".utf8)
        let bad = await ComparisonRun(try workload(), settings) { _ in }.measure(
            [Contender([MadeUpRung.good("a")])], now: Clock.now())
        #expect(bad.rungs[0].results.isDifferent)
    }
    @Test func `every repetition is looked at`() async throws {
        let input = try WorkloadInput(standardInput: Array("two\n".utf8), division: .whole)
        let workload = ComparedWorkload(
            name: "echo", streams: [WorkloadStream(name: "echo", program: "echo", arguments: [], input: input)])
        let calls = MadeUpRung.Mutexed()
        let rung = MadeUpRung("wavering") { input in
            let number = calls.value.withLock { value -> Int in
                value += 1
                return value
            }
            return CallSample(
                startNanoseconds: 1000, callNanoseconds: 2000, cpuMicroseconds: 7,
                output: number % 5 == 0 ? Array("too\n".utf8) : input)
        }
        let report = await ComparisonRun(workload, settings) { text in
            // Calls that warm up are not counted.
            if text.hasSuffix("repetition 1 of 3, call 1") { calls.value.withLock { $0 = 0 } }
        }.measure([Contender([rung], noLoad: "nobody asks for it")], now: Clock.now())
        let found = try #require(report.rungs[0].inconsistent)
        // Of 18 calls: the fifth, which is of the first repetition, and two of the others.
        #expect(report.rungs[0].calls == 18 && found.calls == 3 && !found.isUnderLoad)
        #expect(found.difference.offset == 1 && found.difference.found == "too\\n")
        #expect(report.rungs[0].results == .reference && report.rungs[0].failures.isEmpty && report.hasFaults)
    }

    @Test(.timeLimit(.minutes(1)))
    func `what varies only while calls run at once is found under load`() async throws {
        let (loaded, together) = (MadeUpRung.Mutexed(), MadeUpRung.Mutexed())
        let rung = MadeUpRung("shared") { input in
            var output = input
            if loaded.value.withLock({ $0 }) == 1 {
                let place = together.value.withLock { value -> Int in
                    value += 1
                    return value
                }
                // The first one under load has not ended when the second one comes, which is altered by that.
                if place == 1 { try? await eventually { together.value.withLock { $0 } > 1 } }
                if place == 2 { output.append(UInt8(ascii: "!")) }
            }
            return CallSample(startNanoseconds: 1000, callNanoseconds: 2000, cpuMicroseconds: 7, output: output)
        }
        let report = await ComparisonRun(try workload(), settings) { text in
            if text.hasPrefix("shared: load") { loaded.value.withLock { $0 = 1 } }
        }.measure([Contender([rung])], now: Clock.now())
        let found = try #require(report.rungs[0].inconsistent)
        #expect(found.calls == 1 && found.isUnderLoad && found.difference.found.hasSuffix("!"))
        #expect(report.rungs[0].results == .reference && report.hasFaults)
    }

    @Test func `calls that cannot be made are counted and the rung is measured to its end`() async throws {
        let calls = MadeUpRung.Mutexed()
        let rung = MadeUpRung("flaky") { input throws(ComparisonError) in
            let number = calls.value.withLock { value -> Int in
                value += 1
                return value
            }
            if number % 3 == 0 { throw ComparisonError("the connection broke") }
            return CallSample(startNanoseconds: 1000, callNanoseconds: 2000, cpuMicroseconds: 7, output: input)
        }
        let report = await ComparisonRun(try workload(), settings) { _ in }
            .measure([Contender([rung])], now: Clock.now())
        let found = report.rungs[0]
        #expect(found.incomplete == nil && found.calls == 18)
        #expect(found.failures.kinds.map(\.kind) == [.unreachable] && found.failures.total == 6)
        #expect(found.failures.first.first?.reason == "the connection broke")
        #expect(found.latency.value?.histogram.count == 12 && found.density.value != nil && found.recovery.value != nil)
        #expect(found.inconsistent == nil)
    }

    @Test func `a rung that is never reached ends when a repetition's time is up`() async throws {
        var settings = settings
        (settings.repetitionNanoseconds, settings.timeout) = (0, 1_000_000)
        let gone = MadeUpRung("gone") { _ throws(ComparisonError) in throw ComparisonError("connection refused") }
        let report = await ComparisonRun(try workload(), settings) { _ in }
            .measure([Contender([gone]), Contender([MadeUpRung.good("good")])], now: Clock.now())
        #expect(report.rungs[0].calls == 3 && report.rungs[0].failures.total == 3)
        #expect(report.rungs[0].incomplete == "the last 3 calls could not be made; no more were made")
        #expect(report.rungs[0].latency.value == nil && report.rungs[0].curve.isEmpty)
        #expect(report.rungs[1].results == .reference && report.rungs[1].incomplete == nil)
    }
}
