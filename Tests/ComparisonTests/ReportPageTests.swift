import Comparison
import Linux
import Plotting
import TestKit
import Testing

@Suite struct ReportPageTests {
    /// Checks that a page is well-formed, and returns what xmllint makes of an XPath in it.
    private func query(_ page: String, _ path: String) async throws -> String {
        let directory = try TemporaryDirectory("page")
        let file = try directory.write(page, to: "page.xhtml")
        let run = try await CommandRunner.run(["xmllint", "--nonet", "--xpath", path, file])
        #expect(run.status.isSuccess, "\(run.errorText.prefix(2000))")
        return run.text
    }

    @Test func `the page of a small report as it was`() throws {
        var report = ReportExamples.report
        report.rungs.remove(at: 1)
        let text = ReportPage(report).text
        // The style sheet is looked at in a browser, not here.
        let body = String(try #require(text.split(separator: "</style>", maxSplits: 1).last))
        #expect(try Snapshot.difference(of: body, from: "report-body.html") == nil)
    }

    @Test func `hostile texts in a report stay text on its page`() async throws {
        for text in ReportOutputTests.hostile {
            let page = ReportPage(ReportOutputTests.hostileReport(text)).text
            let counts = try await query(
                page, "concat(count(//*[local-name()='script']), ' ', count(//@*[starts-with(name(), 'on')]))")
            #expect(counts.split(separator: "\n") == ["0 0"])
            #expect(!page.contains("javascript:b)\""))
            #expect(page.utf8.count < 600_000)
        }
    }

    @Test func `faults stand first on the page`() async throws {
        let page = ReportPage(ReportExamples.report).text
        let before = try await query(page, "count(//*[@id='faults']/preceding::*[local-name()='table'])")
        #expect(before.split(separator: "\n") == ["0"])
        let faults = try await query(page, "count(//*[@class='faults']//*[local-name()='li'])")
        #expect(faults.split(separator: "\n") == ["\(ReportFaults(ReportExamples.report).faults.count)"])
    }

    @Test func `what is on the page can be listened to`() async throws {
        let page = ReportPage(ReportExamples.report).text
        let rules = [
            // Every drawing has a title and a description, and names both.
            "count(//*[local-name()='svg'][@role='img' and @aria-labelledby and *[local-name()='title'] and *[local-name()='desc']]) = count(//*[local-name()='svg'])",
            "count(//*[local-name()='svg']) = 10",
            // Every table has a caption and heads of columns; every figure has its numbers.
            "count(//*[local-name()='table'][not(*[local-name()='caption'])]) = 0",
            "count(//*[local-name()='table'][not(*[local-name()='thead']//*[@scope='col'])]) = 0",
            "count(//*[local-name()='figure'][not(.//*[local-name()='table'])]) = 0",
            // Landmarks, one first heading, no address twice, no address without a place.
            "count(//*[local-name()='main']) = 1 and count(//*[local-name()='header']) = 1 and count(//*[local-name()='h1']) = 1",
            "count(//@id[. = ../preceding::*/@id]) = 0",
            "count(//@href[starts-with(., '#') and not(substring(., 2) = //@id)]) = 0",
            // Nothing comes from elsewhere.
            "count(//@src) = 0 and count(//@href[not(starts-with(., '#'))]) = 0 and count(//*[local-name()='link' or local-name()='img']) = 0",
        ]
        for rule in rules {
            let holds = try await query(page, rule)
            #expect(holds.split(separator: "\n") == ["true"], "\(rule)")
        }
        #expect(!page.contains("url("))
        #expect(!page.contains("@import"))
    }

    @Test func `the plots hold what was measured`() {
        let figures = ReportPlots(ReportExamples.report).figures
        #expect(figures.map(\.name) == ["latency", "start", "load", "throughput", "memory"])
        #expect(figures[0].plot.series.map(\.name) == ["fork + exec", "function, standby"])
        // Each line ends with its own largest sample, of 1,200 and of 12.
        let lengths: [Double] = figures[0].plot.series.compactMap { $0.points.last?.x }
        let largest: [Double] = [1200, 12].map { 1 - 1 / $0 }
        #expect(lengths == largest)
        let throughput = figures[3].plot
        #expect(throughput.series[0].points.map(\.hasRing) == [false, false, false, true, false])
        #expect(throughput.ringMeaning == "the knee")
        #expect(figures[4].rows.count == 4)
        var report = ReportExamples.report
        report.rungs = [RungReport(RungLabel(name: "a", title: "a"))]
        #expect(ReportPlots(report).figures.isEmpty)
    }
}
