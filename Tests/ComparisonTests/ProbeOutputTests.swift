import Comparison
import JSON
import TestKit
import Testing

@Suite struct ProbeOutputTests {
    @Test func `a report reads back as it was written`() throws {
        let odd = IsolationFinding(name: "x", question: "say \"\u{1B}\n\"", outcome: .possible, detail: "é\u{0}\n")
        let reports = Examples.findings + [odd]
        #expect(try ProbeOutput.parse(reports.flatMap(ProbeOutput.line)) == reports)
    }

    @Test func `a line is one object and nothing else`() {
        let line = String(decoding: ProbeOutput.line(Examples.findings[2]), as: UTF8.self)
        #expect(
            line == #"{"name":"reach-tmp","question":"read the files of others in /tmp","#
                + #""outcome":"unknown","reason":"no marker"}"# + "\n")
    }

    private static let good = #"{"name":"a","question":"b","outcome":"stopped"}"# + "\n"

    @Test(
        arguments: [
            ("hello\n", 1), ("{}\n", 1), ("[]\n", 1),
            (good + #"{"name":"b","question":"b","outcome":"no"}"# + "\n", 2), (good + good, 2), (good + "\nx\n", 3),
            (#"{"name":"a","question":"b","outcome":"stopped","more":1}"# + "\n", 1),
            (#"{"name":1,"question":"b","outcome":"stopped"}"# + "\n", 1),
        ])
    func `what no probe writes is refused with its line`(_ output: String, _ line: Int) {
        let error = #expect(throws: ProbeOutputError.self) { try ProbeOutput.parse(Array(output.utf8)) }
        #expect(error?.line == line)
    }

    @Test func `a flood is refused, the limit itself is not`() throws {
        let limit = ProbeOutput.bytesLimit
        #expect(try ProbeOutput.parse([UInt8](repeating: 10, count: limit)) == [])
        #expect(throws: ProbeOutputError.self) { try ProbeOutput.parse([UInt8](repeating: 10, count: limit + 1)) }
    }

    @Test func `the last line of a probe that was killed counts for nothing`() throws {
        let bytes = ProbeOutput.line(Examples.findings[0]) + ProbeOutput.line(Examples.findings[1]).dropLast(9)
        #expect(try ProbeOutput.parse(bytes) == [Examples.findings[0]])
        #expect(try ProbeOutput.parse(Array("nothing whole".utf8)) == [])
    }

    @Test func `attempts without a report are unknown, in the order of the attempts`() {
        let last = IsolationProbe.attempts[IsolationProbe.attempts.count - 1]
        let report = ProbeReport(name: last.name, question: last.question, outcome: .stopped, detail: "8 MiB")
        let completed = ProbeOutput.completed([report], missing: "the probe was killed")
        #expect(completed.map(\.name) == IsolationProbe.attempts.map(\.name))
        #expect(completed.last == report)
        #expect(completed.dropLast().allSatisfy { $0.outcome == .unknown("the probe was killed") })
    }
}
