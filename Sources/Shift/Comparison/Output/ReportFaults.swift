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
                faults.append(Fault(rung: title, sentence: Self.failed(kind, count, rung.failures)))
            }
            if let load = rung.underLoad.value {
                for (kind, count) in load.faults {
                    faults.append(
                        Fault(rung: title, sentence: "under load: \(Self.failed(kind, count, load.failures))"))
                }
            }
            if case .different(let calls, let first, let difference) = rung.results {
                let results = calls == 1 ? "1 result differs" : "\(FloatingText.grouped(calls)) results differ"
                faults.append(
                    Fault(
                        rung: title,
                        sentence:
                            "\(results) from the reference, first that of call \(FloatingText.grouped(first)) at "
                            + "\(Self.place(difference)).",
                        difference: difference))
            }
            if let inconsistent = rung.inconsistent {
                let calls = Self.calls(inconsistent.calls)
                let load = inconsistent.isUnderLoad ? "under load " : ""
                faults.append(
                    Fault(
                        rung: title,
                        sentence:
                            "\(calls) gave another result than the first call with the same input, first \(load)at "
                            + "\(Self.place(inconsistent.difference)).",
                        difference: inconsistent.difference))
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

    private static func calls(_ count: Int) -> String {
        count == 1 ? "1 call" : "\(FloatingText.grouped(count)) calls"
    }

    /// "2 calls crashed, the first is call 7: exited with status 3."
    private static func failed(_ kind: FailureKind, _ count: Int, _ tally: FailureTally) -> String {
        let first = tally.first.first { $0.kind == kind }
        let example = first.map { ", the first is call \(FloatingText.grouped($0.call)): \(cut($0.reason))" } ?? ""
        return "\(calls(count)) \(words(kind, count))\(example)."
    }

    /// "line 1, column 2 (byte 1): too instead of two"
    private static func place(_ difference: ResultDifference) -> String {
        "line \(FloatingText.grouped(difference.line)), column \(FloatingText.grouped(difference.column)) "
            + "(byte \(FloatingText.grouped(difference.offset))): \(cut(difference.found)) instead of "
            + "\(cut(difference.expected))"
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
