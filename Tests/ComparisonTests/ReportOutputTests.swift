import Comparison
import JSON
import Linux
import TestKit
import Testing

/// The outputs of whole reports: tables, Markdown, CSV and pages.
@Suite struct ReportOutputTests {
    /// Texts that want to be markup, to move the cursor, to turn the line around, to be a formula, or to be everything.
    static let hostile = [
        "</td><script>alert('x')</script><td>", "\u{1B}[2J\u{1B}]0;title\u{7}\u{9B}31m", "a\u{202E}b\u{2066}c\u{200F}",
        "=HYPERLINK(\"http://x\")",
        "x\r\ny|z`*_[a](javascript:b)", String(repeating: "W", count: 4000), "日本語のとても長い名前",
    ]

    /// A report in which every text that somebody else wrote is hostile.
    static func hostileReport(_ text: String) -> ComparisonReport {
        var report = ReportExamples.report
        report.workload.name = text
        report.workload.arrivals = text
        report.workload.programs[0].name = text
        report.workload.programs[0].command = [text, text]
        report.machine.host = text
        report.machine.processor = text
        report.incomplete = text
        report.leftOut = [text]
        report.noise.reasons = [text]
        report.prices = text
        report.method.rules = [text]
        for index in report.rungs.indices {
            report.rungs[index].rung.title = text
            report.rungs[index].rung.name = text
            report.rungs[index].setUp = text
            report.rungs[index].recovery = .unavailable(text)
            report.rungs[index].deploySteps = .measured(ReportList([text]), method: text)
            report.rungs[index].failures.add(CallFailure(call: 1, kind: .crash, reason: text))
            report.rungs[index].isolation = .measured(
                ReportList([IsolationFinding(name: text, question: text, outcome: .possible, detail: text)]),
                method: text)
        }
        return report
    }

    @Test(arguments: [80, 200]) func `a report as a table`(_ width: Int) throws {
        let text = ReportText(ReportExamples.report, width: width, isColoured: false).text
        #expect(try Snapshot.difference(of: text, from: "report-\(width).txt") == nil)
    }

    @Test func `a report as Markdown and as CSV`() throws {
        #expect(try Snapshot.difference(of: ReportMarkdown(ReportExamples.report).text, from: "report.md") == nil)
        let lines = ReportCSV(ReportExamples.report).text.replacingLineEnds()
        #expect(try Snapshot.difference(of: lines, from: "report.csv") == nil)
    }

    @Test func `no line of a report is wider than the terminal`() {
        for report in [ReportExamples.report] + Self.hostile.map(Self.hostileReport) {
            for width in [24, 40, 80, 131, 200] {
                let text = ReportText(report, width: width, isColoured: false).text
                let widest = text.split(separator: "\n").map { DisplayWidth.of(String($0)) }.max() ?? 0
                #expect(widest <= width, "\(report.workload.name.prefix(20)) at \(width)")
            }
        }
    }

    @Test func `hostile texts in a report are harmless on a terminal`() {
        for text in Self.hostile {
            let plain = ReportText(Self.hostileReport(text), width: 100, isColoured: false).text
            #expect(
                !plain.unicodeScalars.contains {
                    $0 != "\n" && ($0.properties.generalCategory == .control || $0.properties.isBidiControl)
                })
            // With colours the only escapes are ours: after them nothing is left.
            var coloured = ReportText(Self.hostileReport(text), width: 100, isColoured: true).text
            for ours in ["\u{1B}[1m", "\u{1B}[2m", "\u{1B}[1;31m", "\u{1B}[0m"] { coloured = coloured.without(ours) }
            #expect(coloured == plain)
        }
    }

    @Test func `what is missing has its reason in every output`() {
        let report = ReportExamples.report
        let reason = "a process ends with its call and is never idle"
        let outputs = [
            ReportText(report, width: 200, isColoured: false).text, ReportMarkdown(report).text, ReportCSV(report).text,
            ReportPage(report).text,
        ]
        for output in outputs { #expect(output.contains(reason)) }
    }

    @Test func `faults are told in every output that people read`() {
        let report = ReportExamples.report
        let faults = ReportFaults(report).sentences
        #expect(
            faults.contains(
                "function, standby: not everything was measured: the calls hang: 5 of 5 did not end within 10 s."))
        #expect(
            faults.contains {
                $0.hasPrefix(
                    "function, standby: 2 results differ from the reference, first that of call 7 at line 1, column 4 (byte 3)"
                )
            })
        #expect(faults.contains { $0.hasPrefix("function, standby: 2 calls did not end in time, the first is call 7") })
        #expect(faults.contains("Left out: podman: it is not installed."))
        #expect(faults.contains("The machine was unsteady while it was measured. The same loop took 4.1 to 5.0 ms."))
        let terminal = ReportText(report, width: 200, isColoured: false).text
        for sentence in faults { #expect(terminal.contains(sentence.prefix(80))) }
        var quiet = report
        quiet.rungs = [ReportExamples.full]
        quiet.leftOut = []
        quiet.noise.verdict = .quiet
        #expect(ReportFaults(quiet).faults.isEmpty)
    }

    @Test func `every line of the CSV has its fields`() throws {
        for report in [ReportExamples.report] + Self.hostile.map(Self.hostileReport) {
            let rows = try #require(Self.records(ReportCSV(report).text))
            #expect(rows.count > 100)
            #expect(rows.allSatisfy { $0.count == ReportCSV.columns.count })
        }
    }

    @Test func `a text that looks like a formula is text`() throws {
        for begin in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r\n=1", "  =1", "＝1", "|x"] {
            let rows = try #require(Self.records(ReportCSV(Self.hostileReport(begin)).text))
            for row in rows {
                // The columns of words: no cell begins like a formula.
                for column in [0, 1, 2, 4, 11] {
                    let first = row[column].unicodeScalars.first { $0 != " " }
                    #expect(first.map { !"=+-@|\t\r\n".unicodeScalars.contains($0) } ?? true, "\(row[column])")
                }
            }
        }
    }

    /// The records of a CSV by RFC 4180; nil where it is none.
    static func records(_ text: String) -> [[String]]? {
        var records: [[String]] = []
        var record: [String] = []
        var field = ""
        var isQuoted = false
        var scalars = Array(text.unicodeScalars)[...]
        while let scalar = scalars.popFirst() {
            if isQuoted {
                if scalar != "\"" {
                    field.unicodeScalars.append(scalar)
                } else if scalars.first == "\"" {
                    scalars.removeFirst()
                    field.append("\"")
                } else {
                    isQuoted = false
                }
            } else if scalar == "\"" {
                guard field.isEmpty else { return nil }
                isQuoted = true
            } else if scalar == "," {
                record.append(field)
                field = ""
            } else if scalar == "\r" {
                guard scalars.popFirst() == "\n" else { return nil }
                records.append(record + [field])
                (record, field) = ([], "")
            } else if scalar == "\n" {
                return nil
            } else {
                field.unicodeScalars.append(scalar)
            }
        }
        return record.isEmpty && field.isEmpty && !isQuoted ? records : nil
    }

    @Test func `a row knows its best and its ratios`() {
        let table = ReportTable(ReportExamples.report)
        let row = table.groups[0].rows[0]
        #expect(row.name == "start.p50")
        #expect(row.best == [2])
        #expect(row.ratio(0) == "")
        #expect(row.ratio(1) == "")
        #expect(row.ratio(2).hasPrefix("×0.0"))
        let names = table.groups.flatMap(\.rows).map(\.name)
        #expect(Set(names).count == names.count)
        #expect(table.groups.flatMap(\.rows).allSatisfy { $0.figures.count == table.rungs.count })
    }

    @Test func `a knee that was not found is a lower bound`() {
        var report = ReportExamples.report
        report.rungs[0].knee = .measured(Knee(perSecond: 800, saturatedPerSecond: nil, rule: "p99"), method: "search")
        let figure = ReportTable(report).groups[2].rows.last?.figures[0]
        #expect(figure?.text == "≥ 800/s")
        #expect(figure?.caveat != nil)
    }

    @Test func `an interval names its unit once`() {
        let figure = ReportTable(ReportExamples.report).groups[3].rows[0].figures[0]
        #expect(figure.intervalText(.microseconds) == "680–702 µs")
        #expect(ReportFigure.missing("x").intervalText(.bytes) == "")
        var narrow = figure
        narrow.value = 1000
        narrow.interval = ConfidenceInterval(low: 998, high: 1004, confidence: 0.95)
        #expect(narrow.intervalText(.microseconds) == "998 µs–1.0 ms")
        narrow.interval = ConfidenceInterval(low: 1001, high: 1004, confidence: 0.95)
        #expect(narrow.intervalText(.microseconds) == "±0.4 %")
    }

    @Test func `no rungs and no figures are no trap`() {
        var report = ReportExamples.report
        report.rungs = []
        #expect(ReportText(report, width: 80, isColoured: false).text.contains("No rung was measured."))
        #expect(!ReportMarkdown(report).text.isEmpty)
        #expect(ReportPage(report).text.contains("No rung was measured."))
        report.rungs = [RungReport(RungLabel(name: "a", title: ""))]
        #expect(ReportText(report, width: 80, isColoured: false).text.contains("not measured"))
        #expect(ReportPage(report).text.contains("Nothing was measured that could be drawn."))
    }
}

extension String {
    fileprivate func replacingLineEnds() -> String { String(unicodeScalars.filter { $0 != "\r" }) }

    fileprivate func without(_ part: String) -> String {
        split(separator: part, omittingEmptySubsequences: false).joined()
    }
}
