import JSON
import Linux
import TestKit
import Testing

@testable import Comparison

@Suite struct SavedReportsTests {
    @Test func `a saved report reads back`() throws {
        let directory = try TemporaryDirectory("reports")
        let saved = SavedReports(state: directory.path)
        try saved.save(ReportExamples.report, as: "first.of-2026_01")
        #expect(try saved.report("first.of-2026_01") == ReportExamples.report)
        #expect(try saved.page("first.of-2026_01") == Array(ReportPage(ReportExamples.report).text.utf8))
        #expect(try Files.status(saved.directory).permissions == 0o700)
        #expect(try Files.list(saved.directory).sorted() == ["first.of-2026_01.html", "first.of-2026_01.json"])
    }

    @Test func `a name is taken once`() throws {
        let directory = try TemporaryDirectory("reports")
        let saved = SavedReports(in: directory.path)
        try saved.save(ReportExamples.report, as: "a")
        var other = ReportExamples.report
        other.incomplete = "interrupted"
        #expect(throws: ComparisonError.self) { try saved.save(other, as: "a") }
        #expect(try saved.report("a") == ReportExamples.report)
        try saved.save(other, as: "a", replacing: true)
        #expect(try saved.report("a") == other)
    }

    @Test(arguments: [
        "", ".", "..", ".hidden", "a/b", "../x", "a b", "a\u{0}", "é", "<b>", "-\n", String(repeating: "a", count: 81),
    ])
    func `a name that is no file's name is refused`(_ name: String) throws {
        let directory = try TemporaryDirectory("reports")
        let saved = SavedReports(in: directory.path("reports"))
        #expect(SavedReports.problem(withName: name) != nil)
        #expect(throws: ComparisonError.self) { try saved.save(ReportExamples.report, as: name) }
        #expect(throws: ComparisonError.self) { try saved.report(name) }
        #expect(throws: ComparisonError.self) { try saved.page(name) }
        #expect(try Files.list(directory.path) == [])
    }

    @Test func `names of letters, digits and three signs are names`() {
        for name in ["a", "Z9", "before-2026.11_x", String(repeating: "a", count: 80)] {
            #expect(SavedReports.problem(withName: name) == nil)
        }
    }

    @Test func `what is no report is listed as such`() throws {
        let directory = try TemporaryDirectory("reports")
        let saved = SavedReports(in: directory.path)
        #expect(try SavedReports(in: directory.path("none")).list() == [])
        var newer = ReportExamples.report
        newer.began = Timestamp(nanoseconds: newer.began.nanoseconds + 1)
        try saved.save(ReportExamples.report, as: "older")
        try saved.save(newer, as: "newer")
        _ = try directory.write("{", to: "broken.json")
        _ = try directory.write("{\"forklessComparison\": 99}", to: "later.json")
        _ = try directory.write("x", to: "no name.json")
        _ = try directory.write("x", to: "note.txt")
        let list = try saved.list()
        #expect(list.map(\.name) == ["newer", "older", "broken", "later"])
        #expect(list[0].summary?.workload == "pricer")
        #expect(list[0].summary?.hasFaults == true)
        #expect(list[2].summary == nil && list[2].problem?.contains("broken") == true)
        #expect(list[3].problem?.contains("form 99") == true)
        #expect(list[0].json["rungs"] == ["fork + exec", "docker run", "function, standby"])
    }

    @Test func `the list is bounded and its newest stand first`() {
        let entries = (0..<SavedReports.listLimit + 5).map { index in
            SavedReports.Entry(
                name: "r\(index)",
                summary: .init(began: Timestamp(nanoseconds: index), workload: "", rungs: [], hasFaults: false),
                problem: nil, bytes: 0)
        }
        let sorted = SavedReports.sorted(entries.shuffled())
        #expect(sorted.count == SavedReports.listLimit)
        #expect(sorted.first?.name == "r\(entries.count - 1)")
        #expect(sorted.last?.name == "r5")
    }
}
