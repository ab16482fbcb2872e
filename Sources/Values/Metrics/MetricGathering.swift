/// Families of several sources as one list that can be written out: one family for each name, each label value as it can be
/// shown, no series twice, and no more of them than somebody wants to store.
///
/// Invariants
/// 1. However many workloads there are, a family has at most so many series, and what was left out is counted.
///    (test: `series beyond the bound are left out and counted`)
/// 2. No two series of a family have the same labels. (test: `values that look alike when shown make one series`)
package enum MetricGathering {
    /// Series of a family.
    package static let seriesLimit = 2000
    package static let leftOutName = "forkless_metrics_series_left_out"

    /// - Returns: sorted by name, with a family that says how many series of which family were left out.
    package static func gathered(_ families: [MetricFamily], limit: Int = seriesLimit) -> [MetricFamily] {
        var byName: [String: MetricFamily] = [:]
        for family in families {
            if var known = byName.removeValue(forKey: family.name) {
                precondition(known.kind == family.kind, "\(family.name) is a \(known.kind) and a \(family.kind)")
                known.samples += family.samples
                byName[family.name] = known
            } else {
                byName[family.name] = family
            }
        }
        var leftOut: [MetricSample] = []
        var result: [MetricFamily] = []
        for name in byName.keys.sorted() {
            let (family, count) = bounded(byName[name]!, limit)
            result.append(family)
            if count > 0 { leftOut.append(MetricSample([MetricLabel("metric", name)], .number(Double(count)))) }
        }
        let place = result.firstIndex { $0.name > leftOutName } ?? result.endIndex
        result.insert(
            MetricFamily(
                leftOutName, .gauge,
                help: "Series that are not shown: there are more than \(limit) of this metric, or they look like others.", leftOut),
            at: place)
        return result
    }

    private static func bounded(_ family: MetricFamily, _ limit: Int) -> (MetricFamily, leftOut: Int) {
        var family = family
        var seen: Set<[MetricLabel]> = []
        var kept: [MetricSample] = []
        for sample in family.samples where kept.count < limit {
            var sample = sample
            for index in sample.labels.indices { sample.labels[index].value = LabelText.shown(sample.labels[index].value) }
            if seen.insert(sample.labels).inserted { kept.append(sample) }
        }
        let leftOut = family.samples.count - kept.count
        family.samples = kept
        return (family, leftOut)
    }
}
