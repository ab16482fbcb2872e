/// A shift as it stands: what `forkless shift status` shows.
package struct MeasuredShift: Sendable {
    package struct Runs: Hashable, Sendable {
        package var runs: Int
        package var failures: Int
        package var p95Seconds: Double?
        package var peakBytes: Int

        package init(runs: Int = 0, failures: Int = 0, p95Seconds: Double? = nil, peakBytes: Int = 0) {
            self.runs = runs
            self.failures = failures
            self.p95Seconds = p95Seconds
            self.peakBytes = peakBytes
        }
    }

    package var id: String
    package var program: String
    /// "container", "standby", "function=NAME"; nil: it is only measured.
    package var target: String?
    package var isActive: Bool
    package var mode: String
    package var percent: Int
    /// It goes on by itself.
    package var isPromoted: Bool
    package var compared: Int
    package var differing: Int
    package var original: Runs
    package var candidate: Runs
    /// Since the stage began, seconds.
    package var seconds: Double

    package init(
        id: String, program: String, target: String?, isActive: Bool = true, mode: String, percent: Int = 0, isPromoted: Bool = false,
        compared: Int = 0, differing: Int = 0, original: Runs = Runs(), candidate: Runs = Runs(), seconds: Double
    ) {
        self.id = id
        self.program = program
        self.target = target
        self.isActive = isActive
        self.mode = mode
        self.percent = percent
        self.isPromoted = isPromoted
        self.compared = compared
        self.differing = differing
        self.original = original
        self.candidate = candidate
        self.seconds = seconds
    }
}

/// Advice about the rung of a program that is being shifted: one stage at a time, and only on calls that were seen.
///
/// Invariants (tests in ShiftSizingTests)
/// 1. A difference, more failures or a slower p95 are never followed by more calls. (`what differs, fails or is slow goes no further`)
/// 2. A shift that is paused, rolled back or promoted by itself is left alone. (`a shift that somebody else leads is left alone`)
package enum ShiftSizing {
    /// The share of a first canary, of 100.
    static let firstPercent = 10

    package static func advice(_ shift: MeasuredShift, _ rules: SizingRules) -> Advice {
        let isCompared = shift.mode == "shadow"
        let seen = isCompared ? shift.compared : shift.mode == "measure" ? shift.original.runs : shift.candidate.runs
        var advice = Advice(
            .shift, shift.id, rung: rung(shift),
            seen: Advice.Seen(samples: seen, unit: isCompared ? "comparisons" : "calls", seconds: shift.seconds))
        if let remark = leftAlone(shift) {
            advice.remarks.append(remark)
            return advice
        }
        guard seen >= rules.minimumCalls else {
            advice.remarks.append("too few \(advice.seen.unit): \(seen) of the \(rules.minimumCalls) that the next stage needs")
            return advice
        }
        if let obstacle = obstacle(shift, rules) {
            advice.remarks.append("rung: it stays in \(stage(shift)): \(obstacle)")
            return advice
        }
        let (mode, percent): (String, Int?) =
            switch shift.mode {
            case "measure": ("shadow", nil)
            case "shadow": ("canary", firstPercent)
            default: ("full", nil)
            }
        let risk =
            shift.mode == "canary"
            ? Risk("calls of the target that failed", shift.candidate.failures, of: shift.candidate.runs)
            : Risk("comparisons that found a difference", shift.differing, of: shift.compared)
        advice.changes.append(
            Change(
                quantity: .rung, before: stage(shift), after: percent.map { "\(mode) \($0) %" } ?? mode, saving: nil, risk: risk,
                reason: reason(shift), action: .shift(id: shift.id, mode: mode, percent: percent)))
        return advice
    }

    private static func leftAlone(_ shift: MeasuredShift) -> String? {
        guard shift.isActive else { return "it is not active; `forkless shift history` says why" }
        if shift.isPromoted { return "it goes on by itself (--promote)" }
        guard shift.target != nil else { return "it is only measured; `forkless plan` says where it could go, `--to` sends it there" }
        return shift.mode == "full" ? "rung: \(rung(shift)) is right: all calls are answered there" : nil
    }

    private static func rung(_ shift: MeasuredShift) -> String {
        let answers = shift.mode == "full" || shift.mode == "canary"
        return answers ? String((shift.target ?? "process").prefix { $0 != "=" }) : "process"
    }

    private static func stage(_ shift: MeasuredShift) -> String { shift.mode == "canary" ? "canary \(shift.percent) %" : shift.mode }

    /// What speaks against more.
    private static func obstacle(_ shift: MeasuredShift, _ rules: SizingRules) -> String? {
        if shift.differing > 0 { return "\(shift.differing) of \(shift.compared) comparisons found a difference" }
        guard shift.mode == "canary" else { return nil }
        let failures = Double(shift.candidate.failures) / Double(max(shift.candidate.runs, 1))
        let usual = Double(shift.original.failures) / Double(max(shift.original.runs, 1))
        if failures > usual { return "\(SizeText.percent(failures)) of the target's calls fail, \(SizeText.percent(usual)) of the original's" }
        if let slow = shift.candidate.p95Seconds, let before = shift.original.p95Seconds, slow > before * (1 + rules.slowerShare) {
            return "the target's p95 is \(SizeText.seconds(slow)), the original's \(SizeText.seconds(before))"
        }
        return nil
    }

    private static func reason(_ shift: MeasuredShift) -> String {
        switch shift.mode {
        case "measure": return "the original was measured in \(shift.original.runs) calls; comparing changes no answer"
        case "shadow": return "\(shift.compared) calls were compared and none differed"
        default:
            let p95 = shift.candidate.p95Seconds.map { ", p95 \(SizeText.seconds($0))" } ?? ""
            let before = shift.original.p95Seconds.map { " (the original's \(SizeText.seconds($0)))" } ?? ""
            return "the target answered \(shift.candidate.runs) calls, \(shift.candidate.failures) failed\(p95)\(before)"
        }
    }
}
