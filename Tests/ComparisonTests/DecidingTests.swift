import Comparison
import Testing

@Suite struct ArrivalScheduleTests {
    @Test(arguments: [
        ArrivalSchedule.constant(perSecond: 333), .poisson(perSecond: 500, seed: 3),
        .bursts(size: 7, everyNanoseconds: 30_000_000),
    ])
    func `arrivals are in order and within the duration`(_ schedule: ArrivalSchedule) {
        let times = schedule.arrivals(forNanoseconds: 2_000_000_000)
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 })
        #expect(times.allSatisfy { (0..<2_000_000_000).contains($0) })
        #expect(abs(Double(times.count) / 2 - schedule.perSecond) < schedule.perSecond * 0.1)
    }

    @Test func `a seed gives the same arrivals again`() {
        let one = ArrivalSchedule.poisson(perSecond: 100, seed: 1).arrivals(forNanoseconds: 1_000_000_000)
        #expect(one == ArrivalSchedule.poisson(perSecond: 100, seed: 1).arrivals(forNanoseconds: 1_000_000_000))
        #expect(one != ArrivalSchedule.poisson(perSecond: 100, seed: 2).arrivals(forNanoseconds: 1_000_000_000))
    }

    @Test func `the distances of Poisson arrivals vary as those of independent callers do`() {
        let times = ArrivalSchedule.poisson(perSecond: 1000, seed: 1).arrivals(forNanoseconds: 20_000_000_000)
        let distances = zip(times, times.dropFirst()).map { Double($1 - $0) }
        // An exponential distribution has a coefficient of variation of 1.
        #expect(abs(Statistics.coefficientOfVariation(distances) - 1) < 0.05)
        #expect(abs(Statistics.mean(distances) - 1e6) < 3e4)
    }

    @Test func `constant arrivals are at equal distances and a burst is at one time`() {
        #expect(
            ArrivalSchedule.constant(perSecond: 4).arrivals(forNanoseconds: 1_000_000_000) == [
                0, 250_000_000, 500_000_000, 750_000_000,
            ])
        #expect(
            ArrivalSchedule.bursts(size: 2, everyNanoseconds: 400).arrivals(forNanoseconds: 1000) == [
                0, 0, 400, 400, 800, 800,
            ])
    }

    @Test func `an arrival in centuries is none`() {
        #expect(ArrivalSchedule.constant(perSecond: 1e-12).arrivals(forNanoseconds: 1_000_000_000) == [0])
        #expect(ArrivalSchedule.poisson(perSecond: 1e-12, seed: 1).arrivals(forNanoseconds: 1_000_000_000) == [])
        #expect(
            ArrivalSchedule.bursts(size: 2, everyNanoseconds: .max).arrivals(forNanoseconds: 1_000_000_000) == [0, 0])
    }

    @Test func `how many calls will arrive is known before they are made`() {
        #expect(ArrivalSchedule.constant(perSecond: 4).expectedCount(forNanoseconds: 1_500_000_000) == 6)
        #expect(ArrivalSchedule.poisson(perSecond: 1e6, seed: 1).expectedCount(forNanoseconds: 1_000_000) == 1000)
        #expect(ArrivalSchedule.bursts(size: 2, everyNanoseconds: 400).expectedCount(forNanoseconds: 1000) == 6)
        #expect(ArrivalSchedule.bursts(size: 2, everyNanoseconds: .max).expectedCount(forNanoseconds: 1000) == 2)
    }

    @Test func `every stretch of a mix has its shares`() {
        var order = MixOrder(weights: [3, 1])
        #expect((0..<8).map { _ in order.next() } == [0, 0, 1, 0, 0, 0, 1, 0])
    }
}

@Suite struct StatisticsTests {
    @Test func `an interval is Student's t of the repetitions`() throws {
        // 10 ± 4.303 × 1 / √3
        let estimate = try #require(Statistics.estimate([9, 10, 11]))
        let interval = try #require(estimate.interval)
        #expect(estimate.value == 10)
        #expect(abs(interval.high - 12.484) < 0.001 && abs(interval.low - 7.516) < 0.001)
        #expect(estimate.repetitions == [9, 10, 11])
    }

    @Test func `one repetition has no interval and none no estimate`() {
        #expect(Statistics.estimate([5])?.interval == nil && Statistics.estimate([5])?.value == 5)
        #expect(Statistics.estimate([]) == nil)
        #expect(Statistics.summary([LatencyHistogram()]) == nil)
    }

    @Test func `no interval goes below nothing`() {
        #expect(Statistics.estimate([1, 100, 1])?.interval?.low == 0)
        #expect(Statistics.estimate([0, 0])?.interval?.low == 0)
    }

    @Test func `the table of Student's t goes on where it ends`() {
        #expect(Statistics.student(degreesOfFreedom: 1) == 12.706 && Statistics.student(degreesOfFreedom: 4) == 2.776)
        #expect(abs(Statistics.student(degreesOfFreedom: 31) - 2.040) < 0.001)
        #expect(abs(Statistics.student(degreesOfFreedom: 120) - 1.980) < 0.001)
    }

    @Test func `a percentile's interval is of the repetitions' own percentiles`() throws {
        let summary = try #require(
            Statistics.summary([LatencyHistogram([100, 200, 300]), LatencyHistogram([110, 210, 310])]))
        #expect(summary.p50.repetitions == [200, 210] && summary.p50.value == 205)
        #expect(summary.histogram.count == 6)
        #expect(summary.caveat(percentile: 99.9) == "p99.9 is the largest of 6 samples: 1000 are needed to tell")
        #expect(summary.caveat(percentile: 50) == nil)
    }

    @Test func `a line goes through its points`() throws {
        let line = try #require(Statistics.line([(1, 110), (2, 120), (4, 140)]))
        #expect(abs(line.slope - 10) < 1e-9 && abs(line.intercept - 100) < 1e-9)
        #expect(Statistics.line([(1, 1)]) == nil)
    }
}

@Suite struct WarmUpTests {
    @Test func `it ends when two windows are alike`() {
        var warmUp = WarmUp(window: 2, tolerance: 0.05, limit: 20)
        let verdicts = [900, 900, 500, 500, 400, 400, 401, 399].map { warmUp.record($0) }
        #expect(verdicts == [.goesOn, .goesOn, .goesOn, .goesOn, .goesOn, .goesOn, .goesOn, .stable])
    }

    @Test func `what never becomes stable ends at the limit and says so`() {
        var warmUp = WarmUp(window: 2, tolerance: 0.05, limit: 5)
        let verdicts = [100, 100, 200, 200, 400].map { warmUp.record($0) }
        #expect(verdicts.last == .unstable && verdicts.dropLast().allSatisfy { $0 == .goesOn })
    }
}

@Suite struct SaturationTests {
    private func point(_ offered: Double, _ achieved: Double, p90: Int, failed: Int = 0) -> LoadPoint {
        var failures = FailureTally()
        for call in 0..<failed { failures.add(CallFailure(call: call + 1, reason: "exited with status 1")) }
        return LoadPoint(
            offeredPerSecond: offered, achievedPerSecond: achieved, latency: LatencyHistogram([p90]), calls: 100,
            failures: failures,
            backlogAtEnd: 0, driverDelayNanoseconds: 0)
    }

    @Test func `a rate is too high by throughput, latency or failures`() {
        let rule = SaturationRule(unloadedP90: 2_000_000)
        #expect(rule.saturation(point(100, 99, p90: 19_000_000)) == "")
        #expect(rule.saturation(point(100, 99, p90: 21_000_000)).contains("p90 is 21 ms, more than 20 ms"))
        #expect(rule.saturation(point(100, 89, p90: 3_000_000)).contains("89/s of 100/s ended"))
        #expect(rule.saturation(point(100, 99, p90: 3_000_000, failed: 2)) == "2 of 100 calls crashed")
        #expect(
            SaturationRule(unloadedP90: 2_000_000, failsUnloaded: true).saturation(point(100, 99, p90: 1, failed: 2))
                == "")
        // Short calls are not judged by a hiccup of the machine.
        #expect(SaturationRule(unloadedP90: 50_000).saturation(point(100, 99, p90: 9_000_000)) == "")
    }

    @Test(arguments: [0.3, 7, 99, 100, 101, 5000, 123_456])
    func `the search closes in on any knee`(_ knee: Double) throws {
        var search = SaturationSearch(first: 100, steps: 24)
        var (kept, saturated, tried) = (0.0, Double.infinity, 0)
        while let rate = search.next {
            #expect(rate > kept && rate < saturated)
            if rate > knee { saturated = rate } else { kept = rate }
            search.record(isSaturated: rate > knee)
            tried += 1
        }
        #expect(tried <= 24)
        let found = try #require(search.knee(rule: "r"))
        #expect(found.perSecond <= knee && found.perSecond >= knee / SaturationSearch.precision)
        #expect(try #require(found.saturatedPerSecond) > knee)
    }

    @Test func `a search without steps left says at least, and one that never keeps up says nothing`() {
        var search = SaturationSearch(first: 10, steps: 2)
        search.record(isSaturated: false)
        search.record(isSaturated: false)
        #expect(
            search.next == nil && search.knee(rule: "")?.perSecond == 20
                && search.knee(rule: "")?.saturatedPerSecond == nil)
        search = SaturationSearch(first: 0.06, steps: 9)
        search.record(isSaturated: true)
        #expect(search.next == nil && search.knee(rule: "") == nil)
    }
}

@Suite struct NoiseJudgementTests {
    @Test func `a quiet machine is quiet`() {
        let noise = NoiseJudgement(steal: 0.001, others: 0.01, calibration: [1000, 1005, 1010], processors: 2)
        #expect(noise.judgement.verdict == .quiet && noise.judgement.reasons == [])
    }

    @Test func `each kind of noise is told, and the worst decides`() {
        let noise = NoiseJudgement(steal: 0.02, others: 0.5, calibration: [1_000_000, 1_300_000], processors: 2)
        let (verdict, reasons) = noise.judgement
        #expect(verdict == .noisy && reasons.count == 3)
        #expect(reasons[0] == "The hypervisor gave 2.0 % of the processors' time to others.")
        #expect(NoiseJudgement(steal: 0.02, others: nil, calibration: [], processors: 2).judgement.verdict == .unsteady)
    }

    @Test func `ticks are read as the kernel writes them`() throws {
        let before = try #require(ProcessorTicks(procStat: "cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 2 3\n"))
        let after = try #require(ProcessorTicks(procStat: "cpu  150 0 60 820 60 0 0 10 5 0\n"))
        #expect(after.stealFraction(since: before) == 0.1)
        #expect(after.busyFraction(since: before) == 0.7)
        #expect(before.busyFraction(since: before) == nil)
        #expect(ProcessorTicks(procStat: "intr 5\n") == nil)
    }
}

@Suite struct DensityAndCostTests {
    @Test func `how many fit is what is free divided by what one more takes`() {
        let mib = 1 << 20
        let points = [1, 2, 4, 8].map { Density.Point(instances: $0, bytes: (5 + 2 * $0) * mib) }
        let density = DensityEstimate.density(
            points, stopped: "the limit", available: 1256 * mib, memoryBytes: 2048 * mib)
        #expect(density.bytesPerInstance == Double(2 * mib))
        #expect(density.fits.value == 500)
        #expect(density.fits.explanation.hasPrefix("(1.2 GiB available − 256 MiB left free) / 2.0 MiB for each"))
    }

    @Test func `memory that does not grow bounds nothing`() {
        let points = [1, 2].map { Density.Point(instances: $0, bytes: 9000) }
        #expect(
            DensityEstimate.density(points, stopped: "", available: 1 << 30, memoryBytes: 1 << 30).fits.value == nil)
        #expect(DensityEstimate.counts(upTo: 12) == [1, 2, 4, 8, 12])
        #expect(DensityEstimate.counts(upTo: 1) == [1])
    }

    private let prices = CostEstimate(
        .init(
            currency: "USD", perRequest: 0.0000002, perGBSecond: 0.00001, perReadyGBSecond: 0.000004,
            perReadyUseGBSecond: 0.000009,
            source: "a book"))

    @Test func `functions are billed by whole milliseconds and at least 128 MiB, programs as they use`() throws {
        let function = prices.perMillion(
            .perCall(isFunction: true), nanoseconds: 1_200_000, bytes: Double(1 << 20), knee: nil)
        // 1e6 × (0.2e-6 + 0.125 GB × 0.002 s × 1e-5)
        #expect(abs(try #require(function.value).amount - 0.2025) < 1e-9)
        let program = prices.perMillion(
            .perCall(isFunction: false), nanoseconds: 1_200_000, bytes: Double(1 << 30), knee: nil)
        #expect(abs(try #require(program.value).amount - 0.012) < 1e-9)
        #expect(program.explanation.contains("1 GB × 0.0012 s"))
    }

    @Test func `a cost by the memory of an idle instance says so`() {
        func formula(isIdle: Bool) -> String {
            prices.perMillion(
                .perCall(isFunction: false), nanoseconds: 1_200_000, bytes: Double(1 << 30), isIdle: isIdle, knee: nil
            ).explanation
        }
        #expect(formula(isIdle: true).hasSuffix("memory of an idle instance, that of a busy one is not known"))
        #expect(!formula(isIdle: false).contains("idle"))
    }

    @Test func `what is kept ready is paid for at the knee, and a missing quantity is said`() throws {
        let ready = prices.perMillion(
            .keptReady(instances: 4), nanoseconds: 1_000_000, bytes: Double(1 << 30), knee: 100)
        // 0.2e-6 + 4 × 1 GB / 100/s × 4e-6 + 1 GB × 0.001 s × 9e-6
        #expect(abs(try #require(ready.value).amount - (0.2 + 0.16 + 0.009)) < 1e-9)
        #expect(prices.perMillion(.keptReady(instances: 4), nanoseconds: 1, bytes: 1, knee: nil).value == nil)
        #expect(prices.perMillion(.perCall(isFunction: true), nanoseconds: nil, bytes: 1, knee: nil).value == nil)
    }
}

@Suite struct FailureDiagnosisTests {
    @Test(arguments: [
        ("exited with status 1", false, "tcgetattr: Inappropriate ioctl for device", FailureKind.needsTerminal),
        ("exited with status 1", false, "the input device is not a TTY", .needsTerminal),
        ("exited with status 1", false, "MemoryError", .exceededMemory),
        ("killed by SIGKILL", true, "", .exceededMemory),
        ("killed by SIGSEGV", false, "", .crash),
        ("exited with status 2", false, "malformed trade", .crash),
    ])
    func `failures are told apart`(_ how: String, _ outOfMemory: Bool, _ complaint: String, _ kind: FailureKind) {
        let fault = FailureDiagnosis.fault(how: how, outOfMemory: outOfMemory, complaint: complaint)
        #expect(fault.kind == kind)
        #expect(fault.reason == (complaint.isEmpty ? how : "\(how): \(complaint)"))
    }
}
