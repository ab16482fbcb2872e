package import JSON

/// What differs between two runs of the original itself: the noise against which a target is judged.
///
/// A site that has differed between two originals may differ between original and target, as long as it does not do so
/// more often: beyond a fifth more and three in a hundred (the thresholds of Diffy) it is a difference after all.
///
/// Invariants (tests in NoiseBaselineTests)
/// 1. Without control runs nothing is noise. (`without control runs nothing is noise`)
/// 2. Memory is bounded: sites beyond `siteLimit` are no noise. (`sites beyond the limit are no noise`)
package struct NoiseBaseline: Hashable, Sendable {
    static let siteLimit = 256
    /// Comparisons with the target before rates are compared.
    static let leastComparisons = 20

    package private(set) var controls = 0
    package private(set) var comparisons = 0
    /// How many control runs and comparisons differed at each site.
    package private(set) var sites: [String: Site] = [:]

    package struct Site: Hashable, Sendable {
        package var controls = 0
        package var comparisons = 0
    }

    package init() {}

    /// Two runs of the original were compared.
    package mutating func addControl(_ result: ComparisonResult) {
        controls += 1
        for site in Set(result.differences.map(\.site)) {
            guard sites[site] != nil || sites.count < Self.siteLimit else { continue }
            sites[site, default: Site()].controls += 1
        }
    }

    /// Original and target were compared; what remains once noise is taken away.
    package mutating func judge(_ result: ComparisonResult) -> ComparisonResult {
        comparisons += 1
        var judged = result
        judged.differences = []
        var isNoisy = false
        for difference in result.differences {
            guard sites[difference.site] != nil else {
                judged.differences.append(difference)
                continue
            }
            sites[difference.site]!.comparisons += 1
            if differsMore(difference.site) { judged.differences.append(difference) } else { isNoisy = true }
        }
        // Of differences beyond those that are kept nothing is known: they are like the ones that are.
        if isNoisy { judged.count = judged.differences.isEmpty ? 0 : judged.differences.count }
        return judged
    }

    private func differsMore(_ name: String) -> Bool {
        guard let site = sites[name], comparisons >= Self.leastComparisons else { return false }
        let noise = Double(site.controls) / Double(controls)
        let rate = Double(site.comparisons) / Double(comparisons)
        return rate > noise * 1.2 && rate - noise > 0.03
    }

    package var json: JSONValue {
        var found = JSONObject()
        for (name, site) in sites.sorted(by: { $0.key < $1.key }) {
            found[name] = ["controls": site.controls.json, "comparisons": site.comparisons.json]
        }
        return ["controls": controls.json, "comparisons": comparisons.json, "sites": .object(found)]
    }

    package init(json: JSONValue) throws(JSONShapeError) {
        var reader = try JSONObjectReader(json, path: "noise")
        controls = try reader.required("controls")
        comparisons = try reader.required("comparisons")
        let found: JSONObject = try reader.optional("sites") ?? [:]
        for member in found.members.prefix(Self.siteLimit) {
            var site = try JSONObjectReader(member.value, path: "noise.sites")
            sites[member.key] = Site(
                controls: try site.required("controls"), comparisons: try site.required("comparisons"))
        }
    }
}
