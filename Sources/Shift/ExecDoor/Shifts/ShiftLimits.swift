package import JSON

/// What a target may do before the original takes over again. nil: no limit.
package struct ShiftLimits: Hashable, Sendable {
    /// Calls of a stage whose comparison found a difference.
    package var differences: Int?
    /// Percent of the calls compared last.
    package var differencePercent: Double?
    /// By how many percentage points more of the target's calls may fail than of the original's: a status other than 0, death by a signal.
    package var errorPercent: Double?
    /// The target's 95th percentile as a percentage of the original's.
    package var latencyPercent: Double?
    /// The target's 95th percentile, milliseconds.
    package var latencyMilliseconds: Double?
    /// Calls of the target, or comparisons, before a rate or a percentile says anything.
    package var minimum: Int

    package static let usualMinimum = 20

    package init(
        differences: Int? = nil, differencePercent: Double? = nil, errorPercent: Double? = nil,
        latencyPercent: Double? = nil,
        latencyMilliseconds: Double? = nil, minimum: Int = ShiftLimits.usualMinimum
    ) {
        self.differences = differences
        self.differencePercent = differencePercent
        self.errorPercent = errorPercent
        self.latencyPercent = latencyPercent
        self.latencyMilliseconds = latencyMilliseconds
        self.minimum = minimum
    }

    package var json: JSONValue {
        var object = JSONObject()
        object["differences"] = differences?.json
        object["differencePercent"] = differencePercent?.json
        object["errorPercent"] = errorPercent?.json
        object["latencyPercent"] = latencyPercent?.json
        object["latencyMilliseconds"] = latencyMilliseconds?.json
        object["minimum"] = minimum.json
        return .object(object)
    }

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        differences = try reader.optional("differences")
        if let differences, differences < 0 { throw reader.error("differences", "expected 0 or more") }
        differencePercent = try Self.percent("differencePercent", upTo: 100, &reader)
        errorPercent = try Self.percent("errorPercent", upTo: 100, &reader)
        latencyPercent = try Self.percent("latencyPercent", upTo: 1e6, &reader)
        latencyMilliseconds = try Self.percent("latencyMilliseconds", upTo: 1e9, &reader)
        minimum = try reader.optional("minimum") ?? Self.usualMinimum
        if !(1...100_000).contains(minimum) { throw reader.error("minimum", "expected 1 to 100000") }
        try reader.refuseUnknown()
    }

    private static func percent(
        _ name: String, upTo most: Double, _ reader: inout JSONObjectReader
    ) throws(JSONShapeError) -> Double? {
        guard let value: Double = try reader.optional(name) else { return nil }
        guard value >= 0, value <= most else { throw reader.error(name, "expected 0 to \(Int(most))") }
        return value
    }

    /// In words: "0 differences, 5 points more errors, p95 at most 150 %".
    package var text: String {
        var parts: [String] = []
        if let differences { parts.append("\(differences) \(differences == 1 ? "difference" : "differences")") }
        if let differencePercent { parts.append("differences in \(NumberText.short(differencePercent)) %") }
        if let errorPercent { parts.append("\(NumberText.short(errorPercent)) points more errors") }
        if let latencyPercent { parts.append("p95 at \(NumberText.short(latencyPercent)) % of the original's") }
        if let latencyMilliseconds { parts.append("p95 at \(NumberText.short(latencyMilliseconds)) ms") }
        return parts.isEmpty ? "none" : parts.joined(separator: ", ")
    }
}

/// Numbers in sentences.
package enum NumberText {
    /// Two decimals at most: "5", "0.25".
    package static func short(_ value: Double) -> String {
        let hundredths = (value * 100).rounded()
        guard hundredths.magnitude < 1e15 else { return "\(value)" }
        let whole = Int(hundredths)
        let rest = abs(whole % 100)
        let sign = whole < 0 && whole / 100 == 0 ? "-" : ""
        if rest == 0 { return "\(sign)\(whole / 100)" }
        let digits = rest < 10 ? "0\(rest)" : rest % 10 == 0 ? "\(rest / 10)" : "\(rest)"
        return "\(sign)\(whole / 100).\(digits)"
    }
}
