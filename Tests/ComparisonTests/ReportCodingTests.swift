import Comparison
import JSON
import Testing

@Suite struct ReportCodingTests {
    private func reread(_ json: JSONValue) throws -> ComparisonReport {
        try ComparisonReport(json: JSONParser.parse(Array(JSONWriter.text(json).utf8)))
    }

    @Test func `a whole report survives JSON both ways`() throws {
        var report = ReportExamples.report
        #expect(try reread(report.json) == report)
        report.incomplete = "interrupted by SIGINT"
        #expect(try reread(report.json) == report)
        #expect(try reread(report.json).json == report.json)
    }

    @Test func `a member that is not known is passed over`() throws {
        var object = try #require(JSONObject(json: ReportExamples.report.json))
        object["moonPhase"] = "full"
        #expect(try reread(.object(object)) == ReportExamples.report)
    }

    @Test func `an error names the member`() throws {
        var object = try #require(JSONObject(json: ReportExamples.report.json))
        object["rungs"] = [["rung": ["name": "fork", "title": 7]]]
        let error = #expect(throws: JSONShapeError.self) { try reread(.object(object)) }
        #expect(error?.path == "rungs[0].rung.title")
        object["forklessComparison"] = 99
        #expect(throws: JSONShapeError.self) { try reread(.object(object)) }
    }

    @Test func `a report with a failed call, a difference or an incomplete rung has faults`() {
        var report = ReportExamples.report
        #expect(report.hasFaults)
        report.rungs = [ReportExamples.full]
        #expect(!report.hasFaults)
    }

    @Test func `failures are counted by kind and the first of each is kept`() {
        let tally = ReportExamples.faulty.failures
        #expect(tally.total == 6)
        #expect(tally.kinds.map(\.count) == [1, 2, 1, 1, 1])
        #expect(tally.first.first { $0.kind == .hang }?.call == 7)
    }
}

@Suite struct ResultDifferenceTests {
    @Test func `the first byte that differs is shown with its place and surroundings`() {
        let expected = Array("id,price\n1,10.5\n2,20.25\n".utf8)
        let found = Array("id,price\n1,10.5\n2,20.75\n".utf8)
        let difference = ResultDifference(found, expected: expected)
        #expect(difference.offset == 21 && difference.line == 3 && difference.column == 6)
        #expect(difference.expected == "…ice\\n1,10.5\\n2,20.25\\n")
        #expect(difference.found == "…ice\\n1,10.5\\n2,20.75\\n")
    }

    @Test func `a result that ends early differs at its end`() {
        let difference = ResultDifference(Array("ab".utf8), expected: Array("abc".utf8))
        #expect(difference.offset == 2 && difference.found == "ab" && difference.expected == "abc")
        #expect(difference.foundBytes == 2 && difference.expectedBytes == 3)
    }

    @Test func `what a terminal would obey is shown as numbers`() {
        let difference = ResultDifference([0x1B, 0x5B, 0x00, 0xFF, 0x5C], expected: [])
        #expect(difference.found == "\\x1b[\\x00\\xff\\\\")
    }
}
