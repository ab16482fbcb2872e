import Comparison
import Observation
import Planning

/// A plan on a terminal.
enum PlanText {
    /// So many programs are told of in detail when none is named.
    private static let detailsLimit = 3

    static func text(_ plan: RecordingPlan, width: Int, isDetailed: Bool) -> String {
        var text = plan.caveats.flatMap { DisplayWidth.wrap("! " + $0, to: width) }.map { $0 + "\n" }.joined()
        if !isDetailed { text += table(plan, width: width) }
        for program in isDetailed ? plan.programs[...] : plan.programs.prefix(detailsLimit) {
            text += "\n" + details(program, width: min(width, 110))
        }
        if !isDetailed, plan.programs.count > detailsLimit {
            text += "\nMore of each with --program PROGRAM; all of it with --html FILE or --json.\n"
        }
        return text
    }

    private static func table(_ plan: RecordingPlan, width: Int) -> String {
        let rows = plan.programs.map { program in
            [
                program.program.identity.text, FloatingText.grouped(program.program.calls),
                Planner.rate(program.program.callsPerSecond),
                program.recommended.title + (program.isProvisional ? " ?" : ""), duration(program.now),
                duration(program.predicted),
                program.speedup.map { FloatingText.short($0) + "×" } ?? "–",
            ]
        }
        let columns: [TextTable.Column] = [
            .init("PROGRAM"), .init("CALLS", .right), .init("RATE", .right), .init("RECOMMENDED"),
            .init("A CALL NOW", .right),
            .init("THEN", .right), .init("FASTER", .right),
        ]
        let isProvisional = plan.programs.contains { $0.isProvisional }
        return Listing(columns: columns, rows: rows).text(width: width)
            + (isProvisional
                ? "? provisional: what was not traced could still stand against it (`forkless observe --deep`)\n" : "")
    }

    private static func duration(_ reading: Reading<Prediction>) -> String {
        reading.value.map { FloatingText.duration(nanoseconds: $0.latency.total) } ?? "–"
    }

    static func details(_ program: ProgramPlan, width: Int) -> String {
        var text = line("", "\(program.program.identity.text): \(program.recommended.title)", width)
        for reason in program.reasons { text += line("  ", reason, width) }
        for (kind, mark) in [(Finding.Kind.blocker, "✗"), (.condition, "+"), (.unknown, "?"), (.note, "·")] {
            for finding in program.findings where finding.kind == kind && !finding.wantsTracing {
                let rungs =
                    finding.rungs.isEmpty ? "" : " [\(finding.rungs.sorted().map(\.rawValue).joined(separator: ", "))]"
                text += line("  \(mark) ", finding.sentence + rungs, width)
                for evidence in finding.evidence { text += line("      ", evidence, width) }
            }
        }
        let untraced = program.findings.filter(\.wantsTracing).map(\.rule)
        if !untraced.isEmpty {
            let sentence =
                "not known, because it was not traced: \(untraced.joined(separator: ", ")); `forkless observe --deep` tells"
            text += line("  ? ", sentence, width)
        }
        text += formulas("now", program.now, width)
        for rung in PlannedRung.allCases {
            let isBlocked = !program.blockers(of: rung).isEmpty
            text += formulas(
                rung.rawValue + (isBlocked ? " (blocked)" : ""), program.predictions[rung] ?? .unavailable(""), width)
        }
        return text
    }

    private static func formulas(_ title: String, _ reading: Reading<Prediction>, _ width: Int) -> String {
        switch reading {
        case .unavailable(let why): return line("  \(title): ", why, width)
        case .measured(let prediction):
            return line("  \(title): ", prediction.latency.text, width) + other("cpu", prediction.cpu, width)
                + other("memory", prediction.memory, width)
        }
    }

    private static func other(_ title: String, _ reading: Reading<Formula>, _ width: Int) -> String {
        switch reading {
        case .unavailable(let why): line("      \(title): ", why, width)
        case .measured(let formula): line("      \(title): ", formula.text, width)
        }
    }

    private static func line(_ head: String, _ text: String, _ width: Int) -> String {
        let indent = String(repeating: " ", count: DisplayWidth.of(head))
        let lines = DisplayWidth.wrap(DisplayWidth.printable(text), to: max(24, width - indent.count))
        return lines.enumerated().map { ($0 == 0 ? head : indent) + $1 + "\n" }.joined()
    }

    // MARK: - Calibration

    static func text(_ calibration: Calibration, width: Int) -> String {
        func text(_ reading: Reading<Calibration.Timing>) -> String {
            switch reading {
            case .measured(let timing): FloatingText.duration(nanoseconds: timing.nanoseconds)
            case .unavailable(let why): why
            }
        }
        var rows = [["spawn of a program that does nothing", text(.measured(calibration.spawn))]]
        rows += calibration.forks.map {
            ["fork and exec from a parent of \(FloatingText.bytes($0.residentBytes))", text(.measured($0.timing))]
        }
        rows.append([
            "for each GiB of the parent", FloatingText.duration(nanoseconds: calibration.forkLine.perGiBNanoseconds),
        ])
        rows += [
            ["container for each call", text(calibration.container)],
            ["call that a standby answers", text(calibration.standby)],
            ["call of a function that waits", text(calibration.runtime)],
            ["first call of a function", text(calibration.runtimeFirst)],
        ]
        rows += calibration.interpreters.map { ["start of \($0.path)", text(.measured($0.timing))] }
        return Listing(columns: [.init("MEASURED HERE"), .init("MEDIAN")], rows: rows).text(width: width)
    }
}
