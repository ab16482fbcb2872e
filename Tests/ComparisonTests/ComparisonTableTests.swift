import Comparison
import TestKit
import Testing

@Suite struct ComparisonTableTests {
    private let table = ComparisonTable([Examples.process, Examples.container, Examples.standby])

    @Test(arguments: [60, 80, 120])
    func `the table of three rungs`(_ width: Int) throws {
        #expect(try Snapshot.difference(of: table.text(width: width), from: "three-rungs-\(width).txt") == nil)
    }

    @Test func `the table as Markdown`() throws {
        #expect(try Snapshot.difference(of: table.markdown(), from: "three-rungs.md") == nil)
    }

    @Test func `no line is wider than allowed`() {
        for width in ComparisonTable.narrowest...140 {
            let lines = table.text(width: width).split(separator: "\n").map(String.init)
            #expect(lines.filter { DisplayWidth.of($0) > width } == [])
        }
    }

    @Test func `what was not measured says why`() {
        let nothing = Measurement(rung: RungLabel(name: "process", title: "fork + exec"))
        let text = ComparisonTable([nothing]).text(width: 80)
        #expect(text.contains("start p50: not measured"))
        #expect(text.contains("results: not compared"))
        #expect(text.contains("isolation: not probed"))
        #expect(!text.contains("0 ns"))
    }

    @Test func `a table of one rung explains no ratios`() {
        #expect(table.text(width: 120).contains("×: times the value of \"fork + exec\""))
        #expect(!ComparisonTable([Examples.process]).text(width: 120).contains("×"))
    }

    @Test func `few samples are noted below the table`() {
        #expect(table.text(width: 80).contains("p99 is the largest of 20 samples: 100 are needed to tell"))
    }

    @Test func `a rung that is compared with nothing shows no ratio`() {
        var first = Examples.process
        first.callsPerSecond = .unavailable("not measured")
        let text = ComparisonTable([first, Examples.container]).text(width: 120)
        #expect(text.contains("1,234/s\n"))
    }

    @Test func `results are compared byte for byte`() {
        let reference: [[UInt8]] = [[1], [2], [3]]
        #expect(ResultAgreement(outputs: reference, reference: reference) == .identical)
        #expect(ResultAgreement(outputs: [[1], [9], [3]], reference: reference) == .different(calls: 1, first: 2))
        #expect(ResultAgreement(outputs: [[1]], reference: reference) == .different(calls: 2, first: 2))
        #expect(ResultAgreement(outputs: reference + [[4]], reference: reference) == .different(calls: 1, first: 4))
    }

    @Test func `a Markdown cell cannot end its table`() {
        let text = MarkdownTable.text(columns: [.init("a|b")], rows: [["<script>\n|"]])
        #expect(text.split(separator: "\n").count == 3)
        #expect(text.contains("a\\|b"))
        #expect(text.contains("\\<script\\>"))
    }

    @Test func `a summary counts what was tried`() {
        #expect(IsolationSummary(Examples.findings).description == "1 of 2 stopped, 1 unknown")
        #expect(IsolationSummary([]).description == "0 of 0 stopped")
    }
}
