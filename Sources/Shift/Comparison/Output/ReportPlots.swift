package import Plotting

/// The plots of a report: which points they show, over which axes.
package struct ReportPlots: Sendable {
    private let report: ComparisonReport

    package init(_ report: ComparisonReport) { self.report = report }

    /// A plot with what belongs to it on a page.
    package struct Figure: Sendable {
        /// One word, for addresses in the page.
        package var name: String
        package var plot: Plot
        /// How to read it.
        package var caption: String
        /// The same in numbers: a heading, then rows.
        package var columns: [String]
        package var rows: [[String]]
    }

    /// Those for which anything was measured.
    package var figures: [Figure] {
        [
            distribution(
                "latency", "How long a call takes", report.rungs.map { ($0.rung, $0.latency.value?.histogram) }),
            distribution(
                "start", "How long it takes to start", report.rungs.map { ($0.rung, $0.start.value?.histogram) }),
            distribution(
                "load", "How long a call takes under load", report.rungs.map { ($0.rung, $0.underLoad.value?.latency) }),
            throughput(), memory(),
        ].compactMap(\.self)
    }

    private func title(_ rung: RungLabel) -> String { ReportText.title(rung) }

    // Distributions.

    private static let percentiles: [(String, Double)] = [
        ("p50", 50), ("p90", 90), ("p99", 99), ("p99.9", 99.9), ("p99.99", 99.99), ("largest", 100),
    ]

    private func distribution(_ name: String, _ heading: String, _ all: [(RungLabel, LatencyHistogram?)]) -> Figure? {
        let known = all.compactMap { rung, histogram in histogram.flatMap { $0.isEmpty ? nil : (title(rung), $0) } }
        guard !known.isEmpty else { return nil }
        let series = known.map { name, histogram in
            PlotSeries(
                name, .line,
                // The largest of n samples stands where it is: at 1 - 1/n, not at the end of somebody's with more.
                histogram.percentileCurve().map {
                    PlotPoint(min($0.percentile / 100, 1 - 1 / Double(histogram.count)), Double($0.nanoseconds))
                })
        }
        let times = series.flatMap(\.points).compactMap(\.y)
        let plot = Plot(
            title: heading,
            summary: known.map { name, histogram in
                "\(name): half of the calls within \(Self.time(histogram, 50)), 99 of 100 within \(Self.time(histogram, 99))."
            }.joined(separator: " "),
            x: PlotAxis(
                "percentile, each nine as wide as the last", .percentile,
                .percentile(samples: known.map(\.1.count).max() ?? 1)),
            y: PlotAxis("time, logarithmic", .duration, .logarithmic(fitting: times, .duration)), series: series)
        return Figure(
            name: name, plot: plot,
            caption:
                "Lower is faster; a line that stays flat to the right is as fast for its slowest calls as for its typical ones.",
            columns: ["rung"] + Self.percentiles.map(\.0) + ["calls"],
            rows: known.map { name, histogram in
                [name] + Self.percentiles.map { Self.time(histogram, $0.1) } + [FloatingText.grouped(histogram.count)]
            })
    }

    private static func time(_ histogram: LatencyHistogram, _ percentile: Double) -> String {
        FloatingText.duration(nanoseconds: histogram.value(atPercentile: percentile))
    }

    // Throughput.

    private func throughput() -> Figure? {
        let known = report.rungs.filter { !$0.curve.isEmpty }
        guard !known.isEmpty else { return nil }
        let series = known.map { rung in
            let kept = rung.knee.value?.perSecond ?? -1
            // The knee stands at the last rate that was kept up with.
            let knee = rung.curve.lastIndex { $0.offeredPerSecond <= kept * (1 + 1e-9) }
            return PlotSeries(
                title(rung.rung), .marks,
                rung.curve.enumerated().map { index, point in
                    PlotPoint(
                        point.achievedPerSecond,
                        point.latency.isEmpty ? nil : Double(point.latency.value(atPercentile: 99)),
                        hasRing: index == knee)
                })
        }
        let points = series.flatMap(\.points)
        let rates = points.map(\.x).filter { $0 > 0 }
        let isWide = (rates.max() ?? 1) > 20 * (rates.min() ?? 1)
        let plot = Plot(
            title: "Throughput against latency",
            summary: known.map { rung in
                let knee =
                    rung.knee.value.map { "keeps up with \(FloatingText.rate(perSecond: $0.perSecond))" }
                    ?? "has no knee: \(rung.knee.explanation)"
                return "\(title(rung.rung)) \(knee)."
            }.joined(separator: " "),
            x: PlotAxis(
                isWide ? "calls that end well, logarithmic" : "calls that end well", .rate,
                isWide ? .logarithmic(fitting: rates, .rate) : .linear(fitting: rates, .rate)),
            y: PlotAxis(
                "99th percentile of latency, logarithmic", .duration,
                .logarithmic(fitting: points.compactMap(\.y), .duration)),
            series: series, ringMeaning: series.contains { $0.points.contains(where: \.hasRing) } ? "the knee" : nil)
        return Figure(
            name: "throughput", plot: plot,
            caption:
                "Calls arrive on a schedule, whether or not those before have ended, and their time counts from when they "
                + "should have begun. Where a line turns up, the rung no longer keeps up.",
            columns: [
                "rung", "calls that arrive", "calls that end well", "p50", "p99", "p99.9", "failed", "saturated",
            ],
            rows: known.flatMap { rung in
                rung.curve.map { point in
                    [
                        title(rung.rung), FloatingText.rate(perSecond: point.offeredPerSecond),
                        FloatingText.rate(perSecond: point.achievedPerSecond), Self.time(point.latency, 50),
                        Self.time(point.latency, 99), Self.time(point.latency, 99.9),
                        FloatingText.grouped(point.failures.total),
                        ReportText.cut(point.saturation.isEmpty ? "no" : point.saturation, to: 120),
                    ]
                }
            })
    }

    // Memory.

    private func memory() -> Figure? {
        let known = report.rungs.compactMap { rung in rung.density.value.map { (title(rung.rung), $0) } }.filter {
            !$0.1.points.isEmpty
        }
        guard !known.isEmpty else { return nil }
        let series = known.map { name, density in
            PlotSeries(name, .marks, density.points.map { PlotPoint(Double($0.instances), Double($0.bytes)) })
        }
        let points = series.flatMap(\.points)
        let each = known.map(\.1.bytesPerInstance).filter { $0 > 0 }
        let isWide = (each.max() ?? 1) > 20 * (each.min() ?? 1)
        let bytes = points.compactMap(\.y)
        let plot = Plot(
            title: "Memory against instances",
            summary: known.map { name, density in
                "\(name): \(FloatingText.bytes(density.bytesPerInstance)) for each instance more."
            }.joined(separator: " "),
            x: PlotAxis(
                isWide ? "instances, logarithmic" : "instances", .count,
                isWide ? .logarithmic(fitting: points.map(\.x), .count) : .linear(fitting: points.map(\.x), .count)),
            y: PlotAxis(
                isWide ? "memory of all, logarithmic" : "memory of all", .bytes,
                isWide ? .logarithmic(fitting: bytes, .bytes) : .linear(fitting: bytes, .bytes)), series: series)
        return Figure(
            name: "memory", plot: plot,
            caption:
                "The steeper, the fewer fit. How many fit is extrapolated from the slope, by the formula in the methods.",
            columns: ["rung", "instances", "memory of all", "measured until"],
            rows: known.flatMap { name, density in
                density.points.map {
                    [
                        name, FloatingText.grouped($0.instances), FloatingText.bytes($0.bytes),
                        ReportText.cut(density.stopped, to: 120),
                    ]
                }
            })
    }
}
