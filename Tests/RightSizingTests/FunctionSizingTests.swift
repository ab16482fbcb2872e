import JSON
import Metering
import RightSizing
import Testing

@Suite struct FunctionSizingTests {
    @Test func `too few calls are an answer`() {
        let advice = Recorded.advice(Recorded.function(Recorded.calls(99)))
        #expect(advice.changes.isEmpty && advice.seen.samples == 99)
        #expect(advice.remarks == ["too few calls: 99 of the 100 that advice needs"])
        #expect(!Recorded.advice(Recorded.function(Recorded.calls(100))).changes.isEmpty)
    }

    @Test func `calls at another size do not count`() {
        let calls = Recorded.calls(90) + Recorded.calls(500, memoryMB: 128, peakMB: 120)
        #expect(Recorded.advice(Recorded.function(calls)).remarks.first?.contains("500 more were refused, replayed or ran at another") == true)
        // Refused ones have not run.
        let refused = Recorded.calls(500) { _, call in call.outcome = .refused("TooManyRequestsException") }
        #expect(Recorded.advice(Recorded.function(refused)).seen.samples == 0)
    }

    @Test func `a function that has far too much memory gets less, and the saving is that of the price book`() throws {
        // 1,000 calls of 100 ms in 999.1 s: 1,024 MB where 192 would do.
        let advice = Recorded.advice(Recorded.function(Recorded.calls(1000, cpuMilliseconds: 5)))
        let change = try #require(advice.change(.memory))
        #expect(change.before == "1024 MB" && change.after == "128 MB")
        #expect(change.action == .functionMemory(function: "price", megabytes: 128))
        #expect(change.risk == Risk("calls that would have exceeded it", 0, of: 1000))
        #expect((0.0029..<0.0030).contains(change.risk.bound))
        // 100 s of 0.875 GB less, each 0.0000166667, 2,594 times in 30 days.
        let saving = try #require(change.saving)
        #expect(abs(saving - 100 * 0.875 * 0.0000166667 * 30 * 86_400 / 999.1) < 0.001, "\(saving)")
    }

    @Test func `every change has its risk`() {
        let calls = Recorded.calls(1000, start: .cold) { _, call in call.initMicroseconds = 400_000 }
        let advice = Recorded.advice(Recorded.function(calls, qualifier: "live"))
        #expect(advice.changes.count == 2)
        for change in advice.changes {
            #expect(change.risk.of == 1000 && change.risk.bound > change.risk.share && !change.reason.isEmpty)
            #expect(change.json["risk", "upperBound95"]?.double != nil)
        }
    }

    // MARK: Pool

    @Test func `cold starts that callers feel ask for instances that are kept ready`() throws {
        // Three at once, each second one cold.
        let calls = Recorded.calls(600, spacing: 0.04) { number, call in
            guard number % 2 == 0 else { return }
            call.start = .cold
            call.initMicroseconds = 300_000
        }
        let change = try #require(Recorded.advice(Recorded.function(calls, qualifier: "live")).change(.pool))
        #expect(change.before == "0 kept ready" && change.after == "3 kept ready")
        #expect(change.action == .provisioned(function: "price", qualifier: "live", count: 3))
        #expect((change.saving ?? 1) < 0 && change.reason.contains("300 of 600 calls began cold"))
        // Where nothing is published it can only be said.
        let unpublished = try #require(Recorded.advice(Recorded.function(calls)).change(.pool))
        #expect(unpublished.action == nil && unpublished.reason.contains("publish a version first"))
    }

    @Test func `cold starts that nobody feels are left alone`() {
        let calls = Recorded.calls(600, start: .zygote) { _, call in call.initMicroseconds = 3000 }
        let advice = Recorded.advice(Recorded.function(calls))
        #expect(advice.change(.pool) == nil && advice.remark("pool: none need be kept ready") != nil)
    }

    @Test func `too many that are kept ready are let go`() throws {
        let calls = Recorded.calls(1000, start: .provisioned)
        let advice = Recorded.advice(Recorded.function(calls, provisioned: ["live": 20]))
        let change = try #require(advice.change(.pool))
        #expect(change.after == "1 kept ready" && change.risk.count == 0)
        #expect(change.action == .provisioned(function: "price", qualifier: "live", count: 1))
        // 19 GB for 30 days at 0.0000041667.
        #expect(abs(try #require(change.saving) - 19 * 0.0000041667 * 30 * 86_400) < 0.01)
        let right = Recorded.advice(Recorded.function(calls, provisioned: ["live": 1]))
        #expect(right.change(.pool) == nil && right.remark("pool: 1 kept ready is right") != nil)
    }

    // MARK: Rung

    @Test func `a function that is always busy would be a cheaper service`() throws {
        let calls = Recorded.calls(2000, spacing: 0.1, memoryMB: 1024, milliseconds: 99, cpuMilliseconds: 57, peakMB: 800)
        let advice = Recorded.advice(Recorded.function(calls))
        let change = try #require(advice.change(.rung))
        #expect(change.after == "service" && change.action == nil && (change.saving ?? 0) > 0)
        let idle = Recorded.advice(Recorded.function(Recorded.calls(1000, spacing: 60)))
        #expect(idle.change(.rung) == nil && idle.remark("rung: function is right") != nil)
    }
}

@Suite struct MemorySizingTests {
    private func sizing(_ calls: [MeteredCall], current: Int = 1024, processors: Int = 2) -> MemorySizing {
        MemorySizing(
            current: current, calls.compactMap { CallSample($0) }, prices: .aws, rules: SizingRules(), processors: processors)
    }

    @Test func `the size holds every peak that was seen`() {
        // One of a thousand is large.
        let calls = Recorded.calls(1000, cpuMilliseconds: 1) { number, call in if number == 500 { call.peakMemoryBytes = 600 << 20 } }
        let sizing = sizing(calls)
        #expect(sizing.megabytes == 768 && sizing.peakBytes == 600 << 20)
        // Growing as well: a peak that leaves less than the headroom.
        #expect(self.sizing(Recorded.calls(100, memoryMB: 256, peakMB: 240), current: 256).megabytes == 320)
    }

    @Test func `a function that computes keeps its processor`() {
        // 57 ms of CPU in 100 ms, where 1,024 MB give 57.9 in each 100 ms: with 768 MB the rest would come 13.6 ms into the next.
        let sizing = sizing(Recorded.calls(1000, cpuMilliseconds: 57))
        #expect(sizing.megabytes > 768 && sizing.megabytes < 1024 && sizing.p99After <= sizing.p99Before * 1.1)
        // Ten at once may all be in one instance: it keeps everything.
        #expect(self.sizing(Recorded.calls(1000, spacing: 0.01, cpuMilliseconds: 57)).megabytes == 1024)
        // One that waits does not need it.
        #expect(self.sizing(Recorded.calls(1000, cpuMilliseconds: 1)).megabytes == 128)
    }

    @Test func `the cheapest size is taken`() {
        // 40 ms of CPU in 100 ms: 576 MB give 32.6 ms in each 100 ms, so it ends 7.4 ms into the next; 512 MB would take 111 ms.
        let sizing = sizing(Recorded.calls(1000, cpuMilliseconds: 40))
        #expect(sizing.megabytes == 576 && sizing.costAfter < sizing.costBefore)
        #expect(abs(sizing.p99After - 0.1074) < 0.0002)
        // What was used before the call, by a copy that waited for it, is not the call's.
        #expect(self.sizing(Recorded.calls(1000, milliseconds: 5, cpuMilliseconds: 500)).megabytes == 128)
    }

    @Test func `calls that ran out of memory get more`() {
        let calls = Recorded.calls(1000, memoryMB: 256, peakMB: 100) { number, call in
            if number % 100 == 0 { call.outcome = .outOfMemory }
        }
        let sizing = sizing(calls, current: 256)
        #expect(sizing.megabytes == 384 && sizing.outOfMemory == 10)
    }

    @Test func `calls at their limit keep it`() {
        let calls = Recorded.calls(1000, memoryMB: 512, cpuMilliseconds: 1, peakMB: 300) { number, call in
            if number % 20 == 0 { call.peakMemoryBytes = 511 << 20 }
        }
        #expect(sizing(calls, current: 512).megabytes >= 512)
    }
}

@Suite struct ConcurrencyProfileTests {
    private func sample(_ start: Double, _ seconds: Double) -> CallSample {
        CallSample(start: start, seconds: seconds, cpuSeconds: 0, peakBytes: 0, memoryMB: 128)
    }

    @Test func `calls are counted as they overlap`() {
        let profile = ConcurrencyProfile([sample(0, 10), sample(1, 1), sample(2, 1), sample(2.5, 4), sample(20, 1)])
        // The third begins as the second ends.
        #expect(profile.found == [1, 2, 2, 3, 1] && profile.peak == 3)
        #expect(abs(profile.mean - 17.0 / 21) < 1e-9)
        #expect(profile.beyond(2) == 1 && profile.instances(for: 0) == 3 && profile.instances(for: 0.2) == 2)
        #expect(ConcurrencyProfile([]).peak == 0 && ConcurrencyProfile([]).instances(for: 0.01) == 0)
    }
}

@Suite struct ShareBoundTests {
    /// From tables of exact one-sided 95 % limits (Clopper and Pearson).
    @Test(arguments: [(0, 100, 0.02951), (0, 3000, 0.000998), (1, 10, 0.39416), (5, 100, 0.10225), (10, 10, 1.0)] as [(Int, Int, Double)])
    func `the bound is that of the tables`(count: Int, total: Int, bound: Double) {
        #expect(abs(ShareBound.upper95(count, of: total) - bound) < 0.0002, "\(ShareBound.upper95(count, of: total))")
    }

    @Test func `nothing seen bounds nothing`() { #expect(ShareBound.upper95(0, of: 0) == 1) }
}
