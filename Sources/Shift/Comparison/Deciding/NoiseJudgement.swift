/// How far a machine's own noise can be in figures: judged from what was seen of it.
package struct NoiseJudgement: Hashable, Sendable {
    /// Part of all processor time that the hypervisor gave to others, 0 to 1.
    package var steal: Double
    /// Part of all processor time that other programs took while nothing was measured, 0 to 1; nil: not seen.
    package var others: Double?
    /// How long the same loop took each time.
    package var calibration: [Int]
    package var processors: Int

    package init(steal: Double, others: Double?, calibration: [Int], processors: Int) {
        self.steal = steal
        self.others = others
        self.calibration = calibration
        self.processors = processors
    }

    package var variation: Double { Statistics.coefficientOfVariation(calibration.map(Double.init)) }

    /// The verdict, and a sentence for each reason. Bounds: steal 1 % and 5 %, other programs 5 % and 20 %, variation of the
    /// calibrating loop 3 % and 10 %.
    package var judgement: (verdict: NoiseStatement.Verdict, reasons: [String]) {
        var (verdict, reasons) = (NoiseStatement.Verdict.quiet, [String]())
        func judge(_ value: Double, _ unsteady: Double, _ noisy: Double, _ sentence: String) {
            guard value > unsteady else { return }
            reasons.append(sentence)
            if value > noisy { verdict = .noisy } else if verdict == .quiet { verdict = .unsteady }
        }
        func percent(_ value: Double) -> String { FloatingText.short(value * 100) + " %" }
        judge(steal, 0.01, 0.05, "The hypervisor gave \(percent(steal)) of the processors' time to others.")
        if let others {
            judge(
                others, 0.05, 0.2,
                "Other programs took \(percent(others)) of the processors' time while nothing was measured.")
        }
        if let least = calibration.min(), let most = calibration.max() {
            judge(
                variation, 0.03, 0.1,
                "The same loop took \(FloatingText.duration(nanoseconds: least)) to \(FloatingText.duration(nanoseconds: most)), "
                    + "a coefficient of variation of \(percent(variation)).")
        }
        return (verdict, reasons)
    }
}

/// Processor time of a machine since it was started, in ticks: the first line of /proc/stat (proc(5)).
package struct ProcessorTicks: Hashable, Sendable {
    package var total: Int
    package var idle: Int
    package var steal: Int

    /// nil when the text has no such line.
    package init?(procStat text: String) {
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("cpu ") }) else { return nil }
        let fields = line.split(separator: " ").dropFirst().compactMap { Int($0) }
        // user nice system idle iowait irq softirq steal; guest time is in user time already.
        guard fields.count >= 8 else { return nil }
        total = fields[..<8].reduce(0, +)
        idle = fields[3] + fields[4]
        steal = fields[7]
    }

    /// The part of the time since then that was stolen; nil when no time has passed.
    package func stealFraction(since earlier: ProcessorTicks) -> Double? { fraction(since: earlier, \.steal) }

    /// The part of the time since then in which processors worked.
    package func busyFraction(since earlier: ProcessorTicks) -> Double? {
        fraction(since: earlier, \.idle).map { 1 - $0 }
    }

    private func fraction(since earlier: ProcessorTicks, _ part: KeyPath<ProcessorTicks, Int>) -> Double? {
        guard total > earlier.total else { return nil }
        return min(1, max(0, Double(self[keyPath: part] - earlier[keyPath: part]) / Double(total - earlier.total)))
    }
}
