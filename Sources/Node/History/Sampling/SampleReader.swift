package import Metrics

/// Turns what sources say into measurements: gauges as they are, counters as rates, histograms as quantiles of what came since
/// the last time. Pure: what it knows of the time is what it is told.
///
/// Invariants
/// 1. A counter that begins anew never gives a negative rate. (test: `a counter that begins anew counts from nothing`)
/// 2. More series than the bound are left out and counted, and those that are known already stay.
///    (test: `series beyond the bound are left out, and come in when others have gone`)
/// 3. What a counter had counted before this node began is nobody's rate.
///    (test: `what is older than the node did not begin at nothing when it appears`)
package struct SampleReader: Sendable {
    /// Kept at most.
    package static let seriesLimit = 5000
    /// A series that was not seen for so long makes room for another, nanoseconds.
    private static let forgottenAfter = 600 * 1_000_000_000
    package static let quantiles: [(label: String, share: Double)] = [("0.5", 0.5), ("0.95", 0.95), ("0.99", 0.99)]

    private struct Track: Sendable {
        var seenAt: Int
        var last: MetricSample.Value
        /// Of what this gives.
        var keys: [SeriesKey]
    }

    private let limit: Int
    private var tracks: [SeriesKey: Track] = [:]
    /// When everything was looked at last and nothing left out: what is new since began at nothing.
    private var completeAt: Int?
    /// Series that tracks give.
    package private(set) var seriesCount = 0
    /// Of the last look: series that were not taken.
    package private(set) var leftOut = 0

    package init(limit: Int = seriesLimit) { self.limit = limit }

    /// - Parameter time: monotonic, nanoseconds.
    package mutating func take(_ families: [MetricFamily], at time: Int) -> [(key: SeriesKey, point: SlotPoint)] {
        var result: [(key: SeriesKey, point: SlotPoint)] = []
        result.reserveCapacity(seriesCount)
        let wasComplete = completeAt
        leftOut = 0
        for family in families where Self.isKept(family.name) {
            for sample in family.samples { take(sample, family, time, wasComplete, &result) }
        }
        completeAt = leftOut == 0 ? time : nil
        forget(time)
        return result
    }

    /// Times of day and versions do not change by the second, and a history of them says nothing.
    private static func isKept(_ name: String) -> Bool { !name.hasSuffix("_time_seconds") && !name.hasSuffix("_info") }

    private mutating func take(
        _ sample: MetricSample, _ family: MetricFamily, _ time: Int, _ wasComplete: Int?,
        _ result: inout [(key: SeriesKey, point: SlotPoint)]
    ) {
        let key = SeriesKey(family.name, sample.labels)
        guard var track = tracks[key] ?? begun(key, sample, family, time, wasComplete) else { return }
        let seconds = Double(time - track.seenAt) / 1e9
        switch (family.kind, sample.value, track.last) {
        case (.gauge, .number(let value), _): if value.isFinite { result.append((key, SlotPoint(value))) }
        case (.counter, .number(let value), .number(let before)):
            guard seconds > 0, value.isFinite else { break }
            result.append((key, SlotPoint((value >= before ? value - before : value) / seconds)))
        case (.histogram, .histogram(let now), .histogram(let before)):
            guard seconds > 0 else { break }
            Self.histogram(HistogramGrowth(from: before, to: now), seconds, track.keys, &result)
        default: break
        }
        track.seenAt = time
        track.last = sample.value
        tracks[key] = track
    }

    /// A series that was not known: nil when there is nothing to compare with, or no room.
    private mutating func begun(
        _ key: SeriesKey, _ sample: MetricSample, _ family: MetricFamily, _ time: Int, _ wasComplete: Int?
    ) -> Track? {
        let keys = Self.keys(key, family.kind)
        guard seriesCount + keys.count <= limit else {
            leftOut += keys.count
            return nil
        }
        seriesCount += keys.count
        // The first value of what may be older than the node is only what the next one is compared with.
        let began = family.outlivesNode ? nil : wasComplete
        var track = Track(seenAt: began ?? time, last: sample.value, keys: keys)
        if began != nil { track.last = Self.nothing(sample.value) }
        tracks[key] = track
        if began != nil || family.kind == .gauge { return track }
        return nil
    }

    private static func nothing(_ value: MetricSample.Value) -> MetricSample.Value {
        switch value {
        case .number: .number(0)
        case .histogram(let histogram):
            .histogram(MetricHistogram(buckets: histogram.buckets.map { .init(upTo: $0.upperBound, 0) }, sum: 0, count: 0))
        }
    }

    private static func histogram(
        _ growth: HistogramGrowth, _ seconds: Double, _ keys: [SeriesKey], _ result: inout [(key: SeriesKey, point: SlotPoint)]
    ) {
        result.append((keys[0], SlotPoint(Double(growth.count) / seconds)))
        guard growth.count > 0 else { return }
        for (index, quantile) in quantiles.enumerated() {
            result.append(
                (keys[index + 1], SlotPoint(growth.quantile(quantile.share), weight: UInt32(clamping: growth.count))))
        }
    }

    /// What a series is kept as: of a histogram how often per second (`_count`), and its quantiles.
    private static func keys(_ key: SeriesKey, _ kind: MetricFamily.Kind) -> [SeriesKey] {
        guard kind == .histogram else { return [key] }
        return [SeriesKey(key.name + "_count", key.labels)]
            + quantiles.map { SeriesKey(key.name, key.labels + [MetricLabel("quantile", $0.label)]) }
    }

    private mutating func forget(_ time: Int) {
        // Looked for only where somebody waits for room, or sometimes.
        guard leftOut > 0 || tracks.count > limit / 2 else { return }
        for (key, track) in tracks where time - track.seenAt > Self.forgottenAfter {
            seriesCount -= track.keys.count
            tracks[key] = nil
        }
    }
}
