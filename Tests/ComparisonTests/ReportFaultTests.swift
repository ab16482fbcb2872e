import Comparison
import JSON
import Testing

/// What makes a report one with faults, and how it is told.
@Suite struct ReportFaultTests {
    /// A report of one rung in which nothing is wrong but what is done to it.
    private func report(_ change: (inout RungReport) -> Void) -> ComparisonReport {
        var report = ReportExamples.report
        var rung = ReportExamples.full
        change(&rung)
        report.rungs = [rung]
        report.leftOut = []
        report.noise.verdict = .quiet
        return report
    }

    private func load(_ failures: [(kind: FailureKind, count: Int)], saturation: String = "") -> LoadPoint {
        var load = ReportExamples.load(400, times: 1_400_000, saturation: saturation)
        for (kind, count) in failures {
            for call in 0..<count {
                load.failures.add(CallFailure(call: call + 7, kind: kind, reason: "it \(kind.words)"))
            }
        }
        return load
    }

    @Test func `calls that failed only under load are a fault`() {
        let report = report { $0.underLoad = .measured(load([(.crash, 12), (.hang, 1)]), method: "") }
        #expect(report.hasFaults)
        #expect(
            ReportFaults(report).sentences == [
                "fork + exec: under load: 12 calls crashed, the first is call 7: it crashed.",
                "fork + exec: under load: 1 call did not end in time, the first is call 7: it did not end in time.",
            ])
    }

    @Test func `calls that did not end in time under more load than a rung takes are no fault`() {
        let slow = report { $0.underLoad = .measured(load([(.hang, 3)], saturation: "p90 is 2 s"), method: "") }
        #expect(!slow.hasFaults && ReportFaults(slow).faults.isEmpty)
        let broken = report {
            $0.underLoad = .measured(load([(.crash, 1), (.hang, 3)], saturation: "1 of 300 calls crashed"), method: "")
        }
        #expect(broken.hasFaults)
        #expect(
            ReportFaults(broken).sentences == [
                "fork + exec: under load: 1 call crashed, the first is call 7: it crashed."
            ])
    }

    @Test func `rates that were only tried have no faults`() {
        let report = report { $0.curve.append(load([(.crash, 3)], saturation: "3 of 300 calls crashed")) }
        #expect(!report.hasFaults && ReportFaults(report).faults.isEmpty)
    }

    private func varying(_ calls: Int, isUnderLoad: Bool = false) -> ResultInconsistency {
        ResultInconsistency(
            calls: calls, isUnderLoad: isUnderLoad,
            difference: ResultDifference(Array("too\n".utf8), expected: Array("two\n".utf8)))
    }

    @Test func `results that vary are a fault`() {
        let one = report { $0.inconsistent = varying(3) }
        #expect(one.hasFaults)
        #expect(
            ReportFaults(one).sentences == [
                "fork + exec: 3 calls gave another result than the first call with the same input, "
                    + "first at line 1, column 2 (byte 1): too\\n instead of two\\n."
            ])
        let loaded = report { $0.inconsistent = varying(1, isUnderLoad: true) }
        #expect(
            ReportFaults(loaded).sentences == [
                "fork + exec: 1 call gave another result than the first call with the same input, "
                    + "first under load at line 1, column 2 (byte 1): too\\n instead of two\\n."
            ])
    }

    @Test func `the row of the results says how many vary`() throws {
        func text(_ results: ResultAgreement, _ calls: Int) throws -> String {
            let report = report {
                $0.results = results
                $0.inconsistent = varying(calls)
            }
            let row = try #require(ReportTable(report).groups.flatMap(\.rows).first { $0.name == "results" })
            return row.figures[0].text
        }
        #expect(try text(.identical, 3) == "identical, 3 vary")
        #expect(try text(.reference, 1) == "reference, 1 varies")
        #expect(try text(.unavailable("not compared"), 2) == "2 vary")
    }

    @Test func `results that vary survive JSON, and a report without them is read`() throws {
        let report = report { $0.inconsistent = varying(3, isUnderLoad: true) }
        let json = try JSONParser.parse(Array(JSONWriter.text(report.json).utf8))
        #expect(try ComparisonReport(json: json) == report)
        #expect(!JSONWriter.text(ReportExamples.full.json).contains("inconsistent"))
        #expect(try ComparisonReport(json: ReportExamples.report.json).rungs[0].inconsistent == nil)
    }
}
