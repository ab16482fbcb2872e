/// What has to be known before any number of a report is believed, in sentences: it stands at the top of every output.
package struct ReportFaults: Hashable, Sendable {
    /// A fault of one rung, or of the whole run.
    package struct Fault: Hashable, Sendable {
        /// The rung's title; nil: the whole run.
        package var rung: String?
        package var sentence: String
        /// What was expected and what came, where results differ.
        package var difference: ResultDifference?
    }

    package let faults: [Fault]

    package init(_ report: ComparisonReport) {
        var faults: [Fault] = []
        if let incomplete = report.incomplete {
            faults.append(Fault(sentence: "This run is not complete: \(Self.cut(incomplete))."))
        }
        for rung in report.rungs {
            let title = ReportText.title(rung.rung)
            if let incomplete = rung.incomplete {
                faults.append(Fault(rung: title, sentence: "not everything was measured: \(Self.cut(incomplete))."))
            }
            for (kind, count) in rung.failures.kinds {
                let first = rung.failures.first.first { $0.kind == kind }
                let calls = count == 1 ? "1 call" : "\(FloatingText.grouped(count)) calls"
                let example =
                    first.map { ", the first is call \(FloatingText.grouped($0.call)): \(Self.cut($0.reason))" } ?? ""
                faults.append(Fault(rung: title, sentence: "\(calls) \(Self.words(kind, count))\(example)."))
            }
            if case .different(let calls, let first, let difference) = rung.results {
                let results = calls == 1 ? "1 result differs" : "\(FloatingText.grouped(calls)) results differ"
                let place =
                    "line \(FloatingText.grouped(difference.line)), column \(FloatingText.grouped(difference.column))"
                faults.append(
                    Fault(
                        rung: title,
                        sentence:
                            "\(results) from the reference, first that of call \(FloatingText.grouped(first)) at \(place) "
                            + "(byte \(FloatingText.grouped(difference.offset))): \(Self.cut(difference.found)) instead of "
                            + "\(Self.cut(difference.expected)).",
                        difference: difference))
            }
        }
        faults += report.leftOut.map { Fault(sentence: "Left out: \(Self.cut($0))") }
        if report.noise.verdict != .quiet {
            let reasons = report.noise.reasons.map(Self.cut).joined(separator: " ")
            faults.append(
                Fault(sentence: "The machine was \(report.noise.verdict.rawValue) while it was measured. \(reasons)"))
        }
        self.faults = faults
    }

    /// The sentences, with the rung before them.
    package var sentences: [String] {
        faults.map { fault in fault.rung.map { "\($0): \(fault.sentence)" } ?? fault.sentence }
    }

    private static func words(_ kind: FailureKind, _ count: Int) -> String {
        switch kind {
        case .needsTerminal where count == 1: "needs a terminal"
        case .exceededMemory where count == 1: "exceeded its memory"
        default: kind.words
        }
    }

    /// Enough of what a program said to know what it was about.
    private static func cut(_ text: String) -> String { ReportText.cut(text, to: 300) }
}
