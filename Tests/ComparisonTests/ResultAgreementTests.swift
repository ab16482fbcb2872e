import Comparison
import Testing

@Suite struct ResultAgreementTests {
    @Test func `results are compared byte for byte`() {
        let reference: [[UInt8]] = [[1], [2], [3]]
        #expect(ResultAgreement(outputs: reference, reference: reference) == .identical)
        #expect(
            ResultAgreement(outputs: [[1], [9], [3]], reference: reference)
                == .different(calls: 1, first: 2, difference: ResultDifference([9], expected: [2])))
        #expect(
            ResultAgreement(outputs: [[1]], reference: reference)
                == .different(calls: 2, first: 2, difference: ResultDifference([], expected: [2])))
        #expect(
            ResultAgreement(outputs: reference + [[4]], reference: reference)
                == .different(calls: 1, first: 4, difference: ResultDifference([4], expected: [])))
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
