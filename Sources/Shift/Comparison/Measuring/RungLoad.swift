import Linux

// Calls that come whether or not those before them have ended: at what rate a rung falls behind, and how it does at the rate
// that all rungs get.
extension RungMeasurement {
    func load(_ rule: SaturationRule, _ found: inout Found) async throws(ComparisonError) {
        if let reason = contender.noLoad {
            found.report.underLoad = .unavailable(reason)
            found.report.knee = .unavailable(reason)
            return
        }
        try await search(rule, &found)
        let rate: Double
        if let given = found.rate {
            rate = given
        } else {
            guard let knee = found.report.knee.value else {
                if !workload.hasSchedules {
                    found.report.underLoad = .unavailable("no rate was kept up with, so there is none for all rungs")
                    return
                }
                return try await own(rule, &found, rate: 1)
            }
            rate = knee.perSecond / 2
            found.rate = rate
        }
        try await own(rule, &found, rate: rate)
    }

    /// The load that all rungs get.
    private func own(_ rule: SaturationRule, _ found: inout Found, rate: Double) async throws(ComparisonError) {
        let duration = workload.loadNanoseconds ?? settings.loadNanoseconds(rate: rate)
        say("load for \(FloatingText.duration(nanoseconds: duration))")
        var (all, streams) = try await run(workload, rate, duration, rule)
        all.saturation = rule.saturation(all)
        let how =
            workload.hasSchedules
            ? "the workload's own schedule"
            : "Poisson arrivals, \(FloatingText.rate(perSecond: rate)): half of what the first rung keeps up with"
        found.report.underLoad = .measured(
            all,
            method: "\(how), for \(FloatingText.duration(nanoseconds: duration)); latency from the intended arrival")
        if workload.streams.count > 1 {
            found.report.streams = zip(workload.streams, streams).map { StreamReport(name: $0.name, load: $1) }
        }
    }

    private func search(_ rule: SaturationRule, _ found: inout Found) async throws(ComparisonError) {
        var search = SaturationSearch(first: firstRate(found.report), steps: settings.searchSteps)
        let mix = workload.withoutSchedules
        while let rate = search.next {
            say("load of \(FloatingText.rate(perSecond: rate))")
            var point = try await run(mix, rate, settings.stepNanoseconds(rate: rate), rule).all
            point.saturation = rule.saturation(point)
            search.record(isSaturated: !point.saturation.isEmpty)
            found.report.curve.append(point)
        }
        found.report.curve.sort { $0.offeredPerSecond < $1.offeredPerSecond }
        if let knee = search.knee(rule: rule.words) {
            found.report.knee = .measured(
                knee, method: "open load with Poisson arrivals at \(found.report.curve.count) rates; \(rule.words)")
        } else {
            found.report.knee = .unavailable("none of \(found.report.curve.count) rates was kept up with")
        }
    }

    /// Somewhat below what the processors could do if calls did nothing but compute.
    private func firstRate(_ report: RungReport) -> Double {
        let busy = report.latency.value.map { $0.p50.value } ?? 1e9
        return max(0.1, 0.3 * Double(OwnProcess.processors()) * 1e9 / max(busy, 1000))
    }

    private func run(
        _ workload: ComparedWorkload, _ rate: Double, _ duration: Int, _ rule: SaturationRule
    ) async throws(ComparisonError) -> (all: LoadPoint, streams: [LoadPoint]) {
        let arrivals = workload.arrivals(rate: rate, seed: settings.seed, forNanoseconds: duration)
        let load = OpenLoad.Settings(inFlight: settings.inFlight, limit: settings.timeout, grace: rule.latencyLimit)
        return try await OpenLoad.run(arrivals, duration: duration, limits: workload.streams.map(\.concurrency), load) {
            (one: WorkloadCall) async throws(ComparisonError) -> CallSample in try await call(one)
        } look: { (one: WorkloadCall, sample: CallSample) in
            look(sample, one, isUnderLoad: true)
        }
    }
}
