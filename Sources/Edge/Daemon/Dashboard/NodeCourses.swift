import Dashboard
import History
import Linux
import Metrics

/// What the dashboard draws over time, from what the node has measured.
struct NodeCourses: Sendable {
    private static let points = 96
    private static let seriesLimit = 64
    private static let hour = 3600 * 1_000_000_000

    /// nil: nothing is kept.
    let history: (any MeasurementHistory)?

    func overview() async -> [Course] {
        let hour = await calls([], Self.hour, "last hour")
        let day = await calls([], 24 * Self.hour, "last day")
        var courses = hour.prefix(1) + day
        let memory = await grid("forkless_sandbox_memory_bytes", [], 24 * Self.hour) { $0.sum() }
        let cold = await grid("forkless_cold_start_seconds_count", [], 24 * Self.hour) { $0.sum() }
        courses += [Course("Cold starts", .perSecond, cold, span: "last day"), Course("Memory of sandboxes", .bytes, memory, span: "last day")]
        return courses.filter { $0.values.contains { $0 != nil } }
    }

    func workload(_ key: WorkloadKey) async -> [Course] {
        let labels: [MetricLabel]
        switch key.kind {
        case .function: labels = [MetricLabel("rung", "function"), MetricLabel("workload", LabelText.shown(key.id))]
        case .shift: labels = [MetricLabel("shift", LabelText.shown(key.id))]
        default: return []
        }
        let courses = await calls(labels, Self.hour, "last hour") + calls(labels, 24 * Self.hour, "last day")
        return courses.filter { $0.values.contains { $0 != nil } }
    }

    /// How many, and how long they took.
    private func calls(_ labels: [MetricLabel], _ span: Int, _ words: String) async -> [Course] {
        let name = "forkless_call_duration_seconds"
        let rates = await grid(name + "_count", labels, span) { $0.sum() }
        let median = await grid(name, labels + [MetricLabel("quantile", "0.5")], span) { $0.mean() }
        let slowest = await grid(name, labels + [MetricLabel("quantile", "0.99")], span) { $0.highest() }
        return [
            Course("Calls", .perSecond, rates, span: words), Course("Median latency", .seconds, median, span: words),
            Course("Slowest 99th percentile", .seconds, slowest, span: words),
        ]
    }

    /// A history that does not answer has nothing to show: the page is shown without.
    private func grid(_ name: String, _ labels: [MetricLabel], _ span: Int, _ combine: (CourseGrid) -> [Double?]) async -> [Double?] {
        guard let history else { return [] }
        let to = Clock.now()
        let from = Timestamp(nanoseconds: to.nanoseconds - span)
        guard let series = try? await history.series(name, labels: labels, from: from, to: to, points: Self.points, limit: Self.seriesLimit)
        else { return [] }
        return combine(CourseGrid(series, from: from, to: to, count: Self.points))
    }
}

/// Several series laid over each other: of each, at most one value in each of so many equal parts of a time.
///
/// Invariants
/// 1. The highest value of a part is the highest that was measured in it, however short: no mean hides it.
///    (test: `the highest of a part is the highest that was measured, not a mean`)
struct CourseGrid: Sendable {
    /// By part: what the series had there, in the mean.
    private(set) var parts: [[Double]]
    /// By part: the highest that any series had there.
    private var peaks: [Double?]

    init(_ series: [MeasuredSeries], from: Timestamp, to: Timestamp, count: Int) {
        parts = Array(repeating: [], count: count)
        peaks = Array(repeating: nil, count: count)
        let width = max(1, (to.nanoseconds - from.nanoseconds + count - 1) / count)
        for one in series {
            var sums: [Int: (sum: Double, count: Int)] = [:]
            for point in one.points where point.at >= from && point.at < to && point.mean.isFinite {
                let part = min(count - 1, (point.at.nanoseconds - from.nanoseconds) / width)
                sums[part, default: (0, 0)].sum += point.mean
                sums[part, default: (0, 0)].count += 1
                let highest = point.maximum.isFinite ? point.maximum : point.mean
                peaks[part] = max(peaks[part] ?? highest, highest)
            }
            for (part, values) in sums { parts[part].append(values.sum / Double(values.count)) }
        }
    }

    func sum() -> [Double?] { parts.map { $0.isEmpty ? nil : $0.reduce(0, +) } }
    func mean() -> [Double?] { parts.map { $0.isEmpty ? nil : $0.reduce(0, +) / Double($0.count) } }
    func highest() -> [Double?] { peaks }
}
