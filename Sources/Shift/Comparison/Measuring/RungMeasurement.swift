import Linux

/// Measures one rung with everything that a report says of it.
///
/// Nothing here ends a comparison: what cannot be measured is said in the report, with the reason, and the rest goes on.
struct RungMeasurement: Sendable {
    let contender: Contender
    let workload: ComparedWorkload
    let settings: ComparisonSettings
    let progress: @Sendable (String) -> Void
    /// What this rung's calls gave, of all repetitions and under load.
    let results = ResultWatch()

    /// What the rungs before it have settled.
    struct Given: Sendable {
        /// What every call gave, in order; nil: this rung's results are what others are compared with.
        var reference: [[UInt8]]?
        /// The rate of the load that all rungs get; nil: this rung's knee settles it.
        var rate: Double?
    }

    struct Found: Sendable {
        var report: RungReport
        var outputs: [[UInt8]]
        /// Which of them are of calls that failed: they have no result that could agree.
        var failed: Set<Int> = []
        var rate: Double?
        /// Why the rung is none for this program on this machine; nobody asked for it.
        var doesNotApply: String?
    }

    var main: any ComparedRung {
        let heaviest = workload.streams.indices.max { workload.streams[$0].weight < workload.streams[$1].weight }!
        return contender.rungs[heaviest]
    }

    var mainInput: [UInt8] {
        workload.streams.max { $0.weight < $1.weight }!.input.input(ofCall: 0)
    }

    /// Of which program of a mix a figure is; empty where there is one program.
    var ofMain: String {
        workload.streams.count > 1
            ? " (of \(workload.streams.max { $0.weight < $1.weight }!.name), which is called most)" : ""
    }

    func measure(_ given: Given) async -> Found {
        var found = Found(report: RungReport(contender.label, setUp: main.setUp), outputs: [], rate: given.rate)
        found.report.deploySteps = .measured(ReportList(main.steps.deploy), method: "the commands themselves")
        found.report.rollBackSteps = .measured(ReportList(main.steps.rollBack), method: "the commands themselves")
        do throws(ComparisonError) {
            say("getting ready")
            do throws(ComparisonError) {
                for rung in contender.rungs { try await rung.prepare() }
            } catch {
                if !contender.isAsked, !Task.isCancelled { found.doesNotApply = error.description }
                throw error
            }
            // What was found there is known by now.
            found.report.setUp = main.setUp
            let unloaded = try await oneAtATime(given, &found)
            await count(&found.report)
            try goOn()
            if let unloaded { try await load(unloaded, &found) }
            try goOn()
            await memory(&found.report)
            try goOn()
            await density(&found.report)
            try goOn()
            await scale(&found.report)
            try goOn()
            await recovery(&found.report)
            try goOn()
            say("isolation")
            found.report.isolation = await isolation()
        } catch { found.report.incomplete = Task.isCancelled ? "interrupted" : error.description }
        found.report.inconsistent = results.found
        cost(&found.report)
        let rungs = contender.rungs
        await evenWhenCancelled { for rung in rungs { await rung.close() } }
        return found
    }

    func say(_ text: String) { progress("\(contender.label.title): \(text)") }

    func goOn() throws(ComparisonError) {
        if Task.isCancelled { throw ComparisonError("interrupted") }
    }

    /// Makes a call. One that could not be made is a call that failed: those after it may go well.
    ///
    /// - Throws: `ComparisonError` when the task is cancelled.
    func call(_ call: WorkloadCall) async throws(ComparisonError) -> CallSample {
        let began = Clock.monotonicNanoseconds()
        do throws(ComparisonError) {
            return try await contender.rungs[call.stream].call(
                workload.streams[call.stream].input.input(ofCall: call.number), limit: settings.timeout)
        } catch {
            guard !Task.isCancelled else { throw error }
            return CallSample(
                startNanoseconds: nil, callNanoseconds: Clock.monotonicNanoseconds() - began, cpuMicroseconds: nil,
                output: [], failure: CallFault(.unreachable, error.description))
        }
    }

    /// Holds what a call gave against what the first one with its input gave.
    func look(_ sample: CallSample, _ call: WorkloadCall, isUnderLoad: Bool) {
        let inputs = workload.streams[call.stream].input.inputs.count
        results.look(
            sample, input: WorkloadCall(stream: call.stream, number: call.number % inputs), isUnderLoad: isUnderLoad)
    }

    private func cost(_ report: inout RungReport) {
        guard let prices = settings.prices else {
            report.costPerMillion = .unavailable("no prices were given")
            return
        }
        let busy = report.busyMemory.value?.value
        report.costPerMillion = CostEstimate(prices).perMillion(
            main.billing, nanoseconds: report.latency.value?.histogram.mean,
            bytes: busy ?? report.idleMemory.value?.value, isIdle: busy == nil, knee: report.knee.value?.perSecond)
    }
}
