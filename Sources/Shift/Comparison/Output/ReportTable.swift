/// A report as rows in groups: a row for each quantity, a figure for each rung. Every output is made from this, so that all of
/// them say the same.
package struct ReportTable: Hashable, Sendable {
    package struct Group: Hashable, Sendable {
        package var title: String
        package var rows: [Row]
    }

    package struct Row: Hashable, Sendable {
        /// Which of two numbers is better; nil where that is a matter of opinion.
        package enum Better: Hashable, Sendable { case less, more }

        /// The same in every release: "start.p50".
        package var name: String
        package var label: String
        package var unit: ReportUnit
        package var better: Better?
        /// Whether the rungs are compared with the first one by a ratio.
        package var hasRatios = true
        /// One for each rung, in the report's order.
        package var figures: [ReportFigure]

        /// "×0.8" of the first rung's; empty for the first itself, and where nothing compares.
        package func ratio(_ index: Int) -> String {
            guard hasRatios, index > 0, let reference = figures[0].value, reference > 0,
                let value = figures[index].value, value >= 0
            else { return "" }
            return FloatingText.ratio(value / reference)
        }

        /// The figures that are better than all others; none where all are the same or only one is known.
        package var best: Set<Int> {
            let known = figures.indices.filter { figures[$0].value != nil }
            let values = known.compactMap { figures[$0].value }
            guard let better, let least = values.min(), let most = values.max(), least < most else { return [] }
            return Set(known.filter { figures[$0].value == (better == .less ? least : most) })
        }
    }

    package let rungs: [RungLabel]
    package let groups: [Group]

    package init(_ report: ComparisonReport) {
        rungs = report.rungs.map(\.rung)
        let all = report.rungs
        groups = [
            Group(title: "Start-up, one at a time", rows: Self.percentiles("start", all.map(\.start))),
            Group(title: "Whole call, one at a time", rows: Self.percentiles("latency", all.map(\.latency))),
            Group(title: "Under load", rows: Self.load(all)),
            Group(title: "Resources", rows: Self.resources(all)),
            Group(title: "Scaling and recovery", rows: Self.scaling(all)),
            Group(title: "Management and cost", rows: Self.management(all)),
            Group(title: "Results and isolation", rows: Self.results(all)),
        ]
    }

    private static func percentiles(_ name: String, _ quantities: [Quantity<LatencySummary>]) -> [Row] {
        let parts: [(String, Double, (LatencySummary) -> Estimate)] = [
            ("p50", 50, { $0.p50 }), ("p90", 90, { $0.p90 }), ("p99", 99, { $0.p99 }), ("p99.9", 99.9, { $0.p999 }),
        ]
        return parts.map { label, percentile, part in
            Row(
                name: "\(name).\(label)", label: label, unit: .nanoseconds, better: .less,
                figures: quantities.map { ReportFigure($0, percentile: percentile, part) })
        }
    }

    private static func load(_ rungs: [RungReport]) -> [Row] {
        let points = rungs.map(\.underLoad)
        func latency(_ label: String, _ percentile: Double) -> Row {
            Row(
                name: "load.\(label)", label: label, unit: .nanoseconds, better: .less,
                figures: points.map { quantity in
                    ReportFigure(quantity, .nanoseconds) { Double($0.latency.value(atPercentile: percentile)) }
                })
        }
        return [
            Row(
                name: "load.offered", label: "calls that arrive", unit: .perSecond, hasRatios: false,
                figures: points.map { ReportFigure($0, .perSecond) { $0.offeredPerSecond } }),
            Row(
                name: "load.achieved", label: "calls that end well", unit: .perSecond, better: .more,
                figures: points.map { ReportFigure($0, .perSecond) { $0.achievedPerSecond } }),
            latency("p50", 50), latency("p99", 99), latency("p99.9", 99.9),
            Row(
                name: "knee", label: "most it keeps up with", unit: .perSecond, better: .more,
                figures: rungs.map { rung in
                    var figure = ReportFigure(rung.knee, .perSecond) { $0.perSecond }
                    if let knee = rung.knee.value {
                        figure.explanation += figure.explanation.isEmpty ? knee.rule : "; " + knee.rule
                        if knee.saturatedPerSecond == nil {
                            figure.text = "≥ " + figure.text
                            figure.caveat = "the search ended before a rate was too much: the knee is at least this"
                        }
                    }
                    return figure
                }),
        ]
    }

    private static func resources(_ rungs: [RungReport]) -> [Row] {
        [
            Row(
                name: "cpu", label: "processor time of a call", unit: .microseconds, better: .less,
                figures: rungs.map { ReportFigure($0.cpuPerCall, .microseconds, estimate: { $0 }) }),
            Row(
                name: "memory.idle", label: "memory, idle instance", unit: .bytes, better: .less,
                figures: rungs.map { ReportFigure($0.idleMemory, .bytes, estimate: { $0 }) }),
            Row(
                name: "memory.busy", label: "memory, busy instance", unit: .bytes, better: .less,
                figures: rungs.map { ReportFigure($0.busyMemory, .bytes, estimate: { $0 }) }),
            Row(
                name: "density.each", label: "memory, one instance more", unit: .bytes, better: .less,
                figures: rungs.map { ReportFigure($0.density, .bytes) { $0.bytesPerInstance } }),
            Row(
                name: "density.fits", label: "instances that fit", unit: .count, better: .more,
                figures: rungs.map { rung in
                    guard let density = rung.density.value else { return .missing(rung.density.explanation) }
                    return ReportFigure(density.fits, .count) { Double($0) }
                }),
        ]
    }

    private static func scaling(_ rungs: [RungReport]) -> [Row] {
        let sizes = Set(rungs.compactMap { $0.scale.value?.instances })
        let size = sizes.count == 1 ? sizes.first.map { FloatingText.grouped($0) } : nil
        return [
            Row(
                name: "scale", label: "from 0 to \(size ?? "N") instances", unit: .nanoseconds, better: .less,
                figures: rungs.map { rung in
                    var figure = ReportFigure(rung.scale, .nanoseconds, estimate: { $0.time })
                    if size == nil, let scale = rung.scale.value {
                        figure.caveat = "\(rung.rung.name): N is \(scale.instances)"
                    }
                    return figure
                }),
            Row(
                name: "recovery", label: "answers again after kill -9", unit: .nanoseconds, better: .less,
                figures: rungs.map { ReportFigure($0.recovery, .nanoseconds, estimate: { $0 }) }),
        ]
    }

    private static func management(_ rungs: [RungReport]) -> [Row] {
        let currencies = Set(rungs.compactMap { $0.costPerMillion.value?.currency })
        let unit = ReportUnit.money(currencies.count == 1 ? currencies.first ?? "USD" : "USD")
        return [
            Row(
                name: "steps.deploy", label: "steps to deploy", unit: .count, better: .less, hasRatios: false,
                figures: rungs.map { ReportFigure($0.deploySteps, .count) { Double($0.elements.count) } }),
            Row(
                name: "steps.rollback", label: "steps to roll back", unit: .count, better: .less, hasRatios: false,
                figures: rungs.map { ReportFigure($0.rollBackSteps, .count) { Double($0.elements.count) } }),
            Row(
                name: "cost", label: "a million calls", unit: unit, better: .less,
                figures: rungs.map { rung in
                    guard let cost = rung.costPerMillion.value else { return .missing(rung.costPerMillion.explanation) }
                    // Money of another kind is shown in its own, and is not compared.
                    guard currencies.count <= 1 else {
                        return ReportFigure(
                            origin: .derived, value: nil, text: ReportUnit.money(cost.currency).text(cost.amount),
                            explanation: rung.costPerMillion.explanation)
                    }
                    return ReportFigure(rung.costPerMillion, unit) { $0.amount }
                }),
        ]
    }

    private static func results(_ rungs: [RungReport]) -> [Row] {
        [
            Row(
                name: "results", label: "results", unit: .count, hasRatios: false,
                figures: rungs.map { agreement($0) }),
            Row(
                name: "failures", label: "calls that failed", unit: .count, hasRatios: false,
                figures: rungs.map { rung in
                    let (failed, calls) = (FloatingText.grouped(rung.failures.total), FloatingText.grouped(rung.calls))
                    return ReportFigure(
                        origin: .measured, value: Double(rung.failures.total), text: "\(failed) of \(calls)",
                        explanation: "exit status, signal and time of each call")
                }),
            Row(
                name: "isolation", label: "attempts stopped", unit: .count, better: .more, hasRatios: false,
                figures: rungs.map { isolation($0) }),
        ]
    }

    private static func agreement(_ rung: RungReport) -> ReportFigure {
        guard let inconsistent = rung.inconsistent else {
            if case .unavailable(let reason) = rung.results { return .missing(reason) }
            return ReportFigure(
                origin: .measured, value: nil, text: rung.results.text,
                explanation: "compared byte for byte with those of the reference")
        }
        var texts = [inconsistent.text]
        if rung.results.isIdentical || rung.results.isDifferent { texts.insert(rung.results.text, at: 0) }
        return ReportFigure(
            origin: .measured, value: nil, text: texts.joined(separator: ", "),
            explanation:
                "compared byte for byte with those of the reference, and with the first of the same input on this rung")
    }

    private static func isolation(_ rung: RungReport) -> ReportFigure {
        var figure = ReportFigure(rung.isolation, .count) { Double(IsolationSummary($0.elements).stopped) }
        guard let findings = rung.isolation.value?.elements else { return figure }
        let summary = IsolationSummary(findings)
        figure.text = "\(summary.stopped) of \(summary.attempted)"
        if summary.unknown > 0 {
            let attempts = summary.unknown == 1 ? "1 attempt" : "\(summary.unknown) attempts"
            figure.caveat = "\(rung.rung.name): \(attempts) could not be made"
        }
        return figure
    }
}
