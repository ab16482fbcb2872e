import Comparison
import JSON
import RightSizing

/// What `recommend` prints.
struct AdviceReport {
    var advices: [Advice]
    var outcomes: [SizingOutcome]
    /// "USD"
    var currency: String
    var isRehearsed: Bool

    var json: JSONValue {
        var object = JSONObject()
        object["currency"] = .string(currency)
        object["workloads"] = .array(advices.map(\.json))
        if !outcomes.isEmpty { object[isRehearsed ? "wouldApply" : "applied"] = .array(outcomes.map(\.json)) }
        return .object(object)
    }

    /// A table of the changes, then the reasons and what stays, workload by workload.
    func text(width: Int) -> String {
        guard !advices.isEmpty else { return "Nothing runs and nothing was called: there is nothing to advise about.\n" }
        let rows = advices.flatMap { advice in advice.changes.map { row(advice, $0) } }
        var text = rows.isEmpty ? "Nothing to change.\n" : Listing(columns: columns, rows: rows).text(width: width)
        for advice in advices { text += "\n" + paragraph(advice) }
        if !outcomes.isEmpty { text += "\n" + outcomes.map(line).joined() }
        return text
    }

    private var columns: [TextTable.Column] {
        [
            .init("WORKLOAD"), .init("WHAT"), .init("NOW"), .init("ADVISED"), .init("SAVES \(currency)/30 D", .right), .init("RISK", .right),
            .init("SEEN", .right),
        ]
    }

    private func row(_ advice: Advice, _ change: Change) -> [String] {
        [
            advice.workload, change.quantity.rawValue, change.before, change.after,
            change.saving.map { FloatingText.fixed($0, decimals: $0.magnitude < 0.01 ? 6 : 2) } ?? "–", Self.share(change.risk),
            Self.seen(advice.seen),
        ]
    }

    private static func seen(_ seen: Advice.Seen) -> String {
        "\(FloatingText.grouped(seen.samples)) \(seen.samples == 1 ? String(seen.unit.dropLast()) : seen.unit)"
    }

    private static func share(_ risk: Risk) -> String { "\(percent(risk.share)), at most \(percent(risk.bound))" }

    private static func percent(_ share: Double) -> String {
        let percent = share * 100
        return FloatingText.fixed(percent, decimals: percent == 0 || percent >= 10 ? 0 : percent >= 1 ? 1 : 2) + " %"
    }

    private func paragraph(_ advice: Advice) -> String {
        var text =
            DisplayWidth.printable("\(advice.kind.rawValue) \(advice.workload)")
            + " (\(advice.rung), \(Self.seen(advice.seen)) in \(FloatingText.duration(nanoseconds: advice.seen.seconds * 1e9)))\n"
        for change in advice.changes {
            text += DisplayWidth.printable("  \(change.quantity.rawValue): \(change.before) -> \(change.after): \(change.reason).") + "\n"
            text += "    \(change.risk.count) of \(FloatingText.grouped(change.risk.of)) \(change.risk.event); with 95 % confidence at most "
                + "\(Self.percent(change.risk.bound)).\n"
            if change.action == nil { text += "    It is not done by --apply.\n" }
        }
        for remark in advice.remarks { text += DisplayWidth.printable("  \(remark).") + "\n" }
        return text
    }

    private func line(_ outcome: SizingOutcome) -> String {
        let what = isRehearsed ? "would do" : outcome.problem == nil ? "done" : "failed"
        return DisplayWidth.printable("\(what): \(outcome.request)" + (outcome.problem.map { ": \($0)" } ?? "")) + "\n"
    }
}
