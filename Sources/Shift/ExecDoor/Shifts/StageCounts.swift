package import JSON
internal import Metering

/// What was counted since the stage began.
package struct StageCounts: Hashable, Sendable {
    /// Calls that ended, whoever answered them.
    package var calls = 0
    /// Those that the target answered.
    package var answeredByTarget = 0
    /// Calls that were to be the target's, and the original ran because the target could not.
    package var detours = 0
    package var compared = 0
    package var differing = 0

    package init() {}

    package var json: JSONValue {
        [
            "calls": calls.json, "answeredByTarget": answeredByTarget.json, "detours": detours.json,
            "compared": compared.json,
            "differing": differing.json,
        ]
    }

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        calls = try reader.required("calls")
        answeredByTarget = try reader.required("answeredByTarget")
        detours = try reader.required("detours")
        compared = try reader.required("compared")
        differing = try reader.required("differing")
    }
}

/// Whether a stage has passed a limit.
enum LimitCheck {
    /// What is beyond its limit, in words; nil: nothing.
    static func violation(
        _ limits: ShiftLimits, _ counts: StageCounts, original: RunTally, target: RecentRuns,
        comparisons: RecentComparisons
    ) -> String? {
        if let most = limits.differences, counts.differing > most {
            let calls = counts.differing == 1 ? "1 call differed" : "\(counts.differing) calls differed"
            return "\(calls) (limit \(most))"
        }
        if let most = limits.differencePercent, comparisons.count >= limits.minimum, comparisons.share * 100 > most {
            return
                "\(percent(comparisons.share)) of the last \(comparisons.count) comparisons found differences (limit \(NumberText.short(most)) %)"
        }
        guard target.count >= limits.minimum else { return nil }
        return errors(limits, original, target) ?? latency(limits, original, target)
    }

    private static func errors(_ limits: ShiftLimits, _ original: RunTally, _ target: RecentRuns) -> String? {
        guard let most = limits.errorPercent else { return nil }
        let usual = original.runs >= limits.minimum ? original.failureShare : 0
        guard (target.failureShare - usual) * 100 > most else { return nil }
        return
            "\(percent(target.failureShare)) of the target's last \(target.count) calls failed, \(percent(usual)) of the original's "
            + "(limit \(NumberText.short(most)) points more)"
    }

    private static func latency(_ limits: ShiftLimits, _ original: RunTally, _ target: RecentRuns) -> String? {
        guard let p95 = target.p95Microseconds else { return nil }
        let milliseconds = NumberText.short(Double(p95) / 1000)
        if let most = limits.latencyMilliseconds, Double(p95) > most * 1000 {
            return "the target's p95 is \(milliseconds) ms (limit \(NumberText.short(most)) ms)"
        }
        if let most = limits.latencyPercent, original.runs >= limits.minimum,
            let before = original.durations.percentile(95),
            Double(p95) * 100 > Double(before) * most
        {
            return
                "the target's p95 is \(milliseconds) ms, the original's \(NumberText.short(Double(before) / 1000)) ms "
                + "(limit \(NumberText.short(most)) %)"
        }
        return nil
    }

    private static func percent(_ share: Double) -> String { NumberText.short(share * 100) + " %" }
}
