import Comparison
import JSON
import Linux

/// Whole reports, small and made up: a full rung, one with gaps, one where things went wrong.
enum ReportExamples {
    static func estimate(_ values: Double...) -> Estimate {
        let sorted = values.sorted()
        return Estimate(
            value: sorted[sorted.count / 2],
            interval: values.count < 2
                ? nil : ConfidenceInterval(low: sorted[0], high: sorted[sorted.count - 1], confidence: 0.95),
            repetitions: values)
    }

    static func latency(times nanoseconds: Int, count: Int = 1200) -> LatencySummary {
        let histogram = LatencyHistogram((1...count).map { nanoseconds + $0 * nanoseconds / 400 })
        func around(_ percentile: Double) -> Estimate {
            let value = Double(histogram.value(atPercentile: percentile))
            return estimate(value * 0.97, value, value * 1.04)
        }
        return LatencySummary(
            histogram: histogram, p50: around(50), p90: around(90), p99: around(99), p999: around(99.9))
    }

    static func load(_ rate: Double, times nanoseconds: Int, saturation: String = "") -> LoadPoint {
        LoadPoint(
            offeredPerSecond: rate, achievedPerSecond: saturation.isEmpty ? rate * 0.998 : rate * 0.7,
            latency: latency(times: nanoseconds, count: 300).histogram, calls: 300, failures: FailureTally(),
            backlogAtEnd: saturation.isEmpty ? 1 : 87, saturation: saturation, driverDelayNanoseconds: 61_000)
    }

    static var full: RungReport {
        var rung = RungReport(RungLabel(name: "fork", title: "fork + exec"), setUp: "from a parent of 2 GiB")
        rung.start = .measured(latency(times: 660_000), method: "until execve had succeeded, one call at a time")
        rung.latency = .measured(latency(times: 1_200_000), method: "until the result was complete, one call at a time")
        rung.underLoad = .measured(load(400, times: 1_400_000), method: "half of what fork + exec keeps up with")
        rung.streams = [
            StreamReport(name: "price", load: load(300, times: 1_300_000)),
            StreamReport(name: "score", load: load(100, times: 1_500_000)),
        ]
        rung.curve = [
            load(100, times: 1_200_000), load(200, times: 1_250_000), load(400, times: 1_400_000),
            load(800, times: 2_900_000), load(1600, times: 90_000_000, saturation: "the backlog grew"),
        ]
        rung.knee = .measured(
            Knee(perSecond: 800, saturatedPerSecond: 1600, rule: "p99 at most 10 times"), method: "search")
        rung.cpuPerCall = .measured(estimate(680, 690, 702), method: "user and system time")
        rung.idleMemory = .unavailable("a process ends with its call and is never idle")
        rung.busyMemory = .measured(estimate(1_933_312, 1_941_504), method: "VmHWM")
        rung.density = .measured(
            Density(
                points: [
                    .init(instances: 1, bytes: 300_000), .init(instances: 2, bytes: 610_000),
                    .init(instances: 4, bytes: 1_190_000), .init(instances: 8, bytes: 2_404_000),
                ],
                stopped: "the limit of 8 instances", bytesPerInstance: 300_500,
                fits: .derived(84_000, formula: "25 GB available / 300,500 bytes for each")),
            method: "instances that wait")
        rung.scale = .measured(
            ScaleUp(instances: 8, time: estimate(5_000_000, 5_200_000, 5_900_000)), method: "all at once")
        rung.recovery = .unavailable("no instance outlives its call")
        rung.deploySteps = .measured(ReportList(["install -m 755 pricer /opt/pricer"]), method: "the commands")
        rung.rollBackSteps = .measured(ReportList(["install -m 755 pricer.old /opt/pricer"]), method: "the commands")
        rung.costPerMillion = .derived(
            Cost(amount: 0.42, currency: "USD"), formula: "1,000,000 × 0.0012 s × 0.002 GB × 0.0000166667")
        rung.isolation = .measured(
            ReportList(
                Examples.findings.map {
                    IsolationFinding(
                        name: $0.name, question: $0.question, outcome: .possible, detail: "did <it> & \"more\"")
                }), method: "the probe")
        rung.results = .reference
        rung.calls = 1200
        return rung
    }

    static var faulty: RungReport {
        var rung = RungReport(RungLabel(name: "standby", title: "function, standby"), setUp: "4 copies wait")
        rung.incomplete = "the calls hang: 5 of 5 did not end within 10 s"
        rung.latency = .measured(
            latency(times: 40_000, count: 12), method: "until the result was complete, one call at a time")
        rung.start = .measured(
            latency(times: 4000, count: 12), method: "what the call took beside the program's own run")
        rung.isolation = .measured(ReportList(Examples.findings), method: "the probe")
        rung.results = .different(
            calls: 2, first: 7,
            difference: ResultDifference(Array("12.5\u{1b}[31m\n".utf8), expected: Array("12.6\n".utf8)))
        rung.calls = 17
        for kind in FailureKind.allCases {
            rung.failures.add(CallFailure(call: 7, kind: kind, reason: "it \(kind.words)"))
        }
        rung.failures.add(CallFailure(call: 9, kind: .hang, reason: "it did not end within 10 s"))
        return rung
    }

    static var report: ComparisonReport {
        var machine = MachineStatement()
        machine.host = "desk-7"
        machine.system = "Debian GNU/Linux 12 (bookworm)"
        machine.kernel = "6.1.0"
        machine.processor = "Some Processor @ 2.90 GHz"
        machine.processors = 2
        machine.memoryBytes = 25_000_000_000
        machine.availableBytes = 21_000_000_000
        machine.cgroups = "v2"
        machine.virtualisation = "kvm"
        machine.hugePages = "madvise"
        let workload = WorkloadDescription(
            name: "pricer",
            programs: [
                .init(
                    name: "price", command: ["/opt/pricer", "--exact"], inputs: 200, inputBytes: 8123,
                    share: Share(0.75)),
                .init(name: "score", command: ["/opt/<score>"], inputs: 1, inputBytes: 0, share: Share(0.25)),
            ], arrivals: "Poisson arrivals (seed 1), 400/s for 3 s", parentBytes: 2 << 30)
        let method = MethodDescription(
            effort: "default", repetitions: 3, callsPerRepetition: 400,
            warmUp: "until medians of 10 calls differ by less than 5 %",
            seed: 1, timeoutNanoseconds: 10_000_000_000, concurrency: 64,
            rules: ["Intervals are of the median, by bootstrap."])
        var report = ComparisonReport(
            began: Timestamp(nanoseconds: 1_790_000_000_123_456_789), machine: machine, workload: workload,
            method: method)
        report.nanoseconds = 91_000_000_000
        report.noise.verdict = .unsteady
        report.noise.reasons = ["The same loop took 4.1 to 5.0 ms."]
        report.noise.stealFraction = .measured(Share(0.013), method: "/proc/stat")
        report.noise.loadBefore = 0.25
        report.noise.loadAfter = 1.5
        report.noise.calibrationNanoseconds = [4_100_000, 4_300_000, 5_000_000]
        report.noise.coefficientOfVariation = 0.08
        report.driver.cpuPerCall = .measured(estimate(21, 22, 23), method: "calls that do nothing")
        report.driver.delay = .measured(latency(times: 30_000), method: "calls that do nothing")
        report.prices = "AWS Lambda, us-east-1, x86"
        report.rungs = [full, RungReport(RungLabel(name: "docker", title: "docker run"), setUp: "docker 28"), faulty]
        report.leftOut = ["podman: it is not installed."]
        return report
    }
}
