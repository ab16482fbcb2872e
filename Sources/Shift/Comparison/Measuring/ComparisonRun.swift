package import Linux

/// Measures the same work on several rungs, one after the other, and puts the figures together.
///
/// Invariants:
/// 1. A rung that cannot be measured, or whose calls fail, is in the report with the reason, and the others are measured all
///    the same. Test: `a rung that fails is told and the others go on`.
/// 2. A comparison that is taken back gives what was measured until then, and says that it is not complete.
///    Test: `what was measured before an interruption is kept`.
package struct ComparisonRun: Sendable {
    private let workload: ComparedWorkload
    private let settings: ComparisonSettings
    private let progress: @Sendable (String) -> Void

    /// - Parameter progress: takes a short text about what is being done.
    package init(
        _ workload: ComparedWorkload, _ settings: ComparisonSettings, progress: @escaping @Sendable (String) -> Void
    ) {
        self.workload = workload
        self.settings = settings
        self.progress = progress
    }

    /// Measures every rung. Cancelling the task ends it with what there is.
    ///
    /// - Parameters:
    ///   - others: what was measured elsewhere, shown first.
    package func measure(_ contenders: [Contender], beside others: [RungReport] = [], now: Timestamp) async
        -> ComparisonReport
    {
        let began = Clock.monotonicNanoseconds()
        var report = ComparisonReport(
            began: now, machine: MachineReading.statement(), workload: description, method: method)
        report.prices = settings.pricesName
        report.rungs = others
        var noise = NoiseWatch()
        progress("how quiet the machine is")
        for _ in 0..<3 { noise = await looked(noise) }
        report.driver = await driver()
        var given = RungMeasurement.Given(reference: settings.expected.map { divided($0) })
        for contender in contenders {
            guard !Task.isCancelled else { break }
            let found = await RungMeasurement(
                contender: contender, workload: workload, settings: settings, progress: progress
            ).measure(given)
            if let reason = found.doesNotApply {
                report.leftOut.append("\(contender.label.title): \(reason)")
                continue
            }
            report.rungs.append(found.report)
            // A rung whose calls all failed is no measure for the others.
            if given.reference == nil, found.report.latency.value != nil { given.reference = found.outputs }
            given.rate = given.rate ?? found.rate
            noise = await looked(noise)
        }
        settleReference(&report)
        if Task.isCancelled {
            report.incomplete =
                "interrupted in rung \(report.rungs.count - others.count + report.leftOut.count) of \(contenders.count)"
        }
        report.noise = noise.finished()
        report.nanoseconds = Clock.monotonicNanoseconds() - began
        return report
    }

    private func looked(_ noise: NoiseWatch) async -> NoiseWatch {
        do {
            return try await onThread { () throws(ComparisonError) in
                var noise = noise
                noise.look()
                return noise
            }
        } catch { return noise }
    }

    /// A first rung whose calls all failed called itself the reference; the one that took its place is.
    private func settleReference(_ report: inout ComparisonReport) {
        for index in report.rungs.indices
        where report.rungs[index].results == .reference && report.rungs[index].latency.value == nil {
            report.rungs[index].results = .unavailable("no call of it ended well")
        }
    }

    // MARK: - The driver itself

    /// Calls that do nothing, on the same schedule and through the same hands as all others.
    private func driver() async -> DriverStatement {
        var statement = DriverStatement()
        let (rate, duration) = (1000.0, 250_000_000)
        var (delays, cpu): ([LatencyHistogram], [Double]) = ([], [])
        progress("what measuring itself costs")
        for repetition in 0..<settings.repetitions {
            let arrivals = ArrivalSchedule.poisson(perSecond: rate, seed: settings.seed &+ repetition)
                .arrivals(forNanoseconds: duration).enumerated()
                .map { WorkloadArrival(nanoseconds: $1, call: WorkloadCall(stream: 0, number: $0)) }
            let before = MachineReading.ownMicroseconds()
            let limit = settings.timeout
            let point = try? await OpenLoad.run(arrivals, duration: duration, limits: [nil], OpenLoad.Settings()) {
                (_: WorkloadCall) async throws(ComparisonError) -> CallSample in
                let sample = try await HangWatch.shared.limited(nanoseconds: limit) { () throws(ComparisonError) in
                    CallSample(startNanoseconds: 0, callNanoseconds: 0, cpuMicroseconds: nil, output: [])
                }
                return sample ?? .hanging(limit: limit)
            }
            guard let point, point.all.calls > 0 else { continue }
            delays.append(point.all.latency)
            cpu.append(Double(MachineReading.ownMicroseconds() - before) / Double(point.all.calls))
        }
        let method = "calls that do nothing, \(FloatingText.rate(perSecond: rate)), through the same driver"
        if let delay = Statistics.summary(delays) { statement.delay = .measured(delay, method: method) }
        if let cost = Statistics.estimate(cpu) { statement.cpuPerCall = .measured(cost, method: method) }
        return statement
    }

    // MARK: - Words

    private var description: WorkloadDescription {
        let total = workload.withoutSchedules.streams.reduce(0) { $0 + $1.weight }
        let programs = zip(workload.streams, workload.withoutSchedules.streams).map { stream, free in
            WorkloadDescription.Program(
                name: stream.name, command: [stream.program] + stream.arguments, inputs: stream.input.inputs.count,
                inputBytes: stream.input.inputs.reduce(0) { $0 + $1.count }, share: Share(free.weight / total))
        }
        let arrivals =
            workload.hasSchedules
            ? workload.streams.map { "\($0.name): \($0.schedule?.words ?? "at the common rate")" }.joined(
                separator: "; ")
            : "Poisson arrivals (seed \(settings.seed)) at half of what the first rung keeps up with"
        return WorkloadDescription(
            name: workload.name, programs: programs, arrivals: arrivals, parentBytes: settings.parentBytes)
    }

    private var method: MethodDescription {
        MethodDescription(
            effort: settings.effort.rawValue, repetitions: settings.repetitions,
            callsPerRepetition: settings.count ?? settings.mostCalls, warmUp: settings.warmUp.words,
            seed: settings.seed,
            timeoutNanoseconds: settings.timeout, concurrency: settings.inFlight,
            rules: [
                "Calls one at a time come first, in repetitions. A figure is the mean of what the repetitions gave; its interval "
                    + "is Student's t at 95 % with one degree of freedom less than there are repetitions.",
                "Percentiles are of HDR histograms with three significant digits.",
                "Load is open: calls arrive on their schedule whether or not those before have ended, and latency is counted from the "
                    + "intended arrival.",
                "The knee is the highest rate that a rung keeps up with: 90 % of it is achieved, no call fails for it, and 90 % of "
                    + "the calls end within ten times the 90th percentile of calls one at a time, or 10 ms more than it.",
                "What fits is the memory that is available, less a tenth of the machine's, divided by what each further instance took.",
                "Calls that fail are counted by kind and are in no latency of calls one at a time.",
                "The first results of all inputs are compared with those of the reference, and that of every call with that "
                    + "of the first call with the same input on the same rung.",
            ])
    }

    // MARK: - Results

    /// What is expected, a piece for each call where that can be told: a line each.
    private func divided(_ expected: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var begin = 0
        for (index, byte) in expected.enumerated() where byte == 10 {
            lines.append(Array(expected[begin...index]))
            begin = index + 1
        }
        if begin < expected.count { lines.append(Array(expected[begin...])) }
        return lines.count == workload.callsForAllInputs ? lines : [expected]
    }
}
