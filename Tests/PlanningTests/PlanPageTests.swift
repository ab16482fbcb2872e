import Linux
import TestKit
import Testing

@testable import Planning

@Suite struct PlanPageTests {
    private let page: String = {
        let plan = RecordingPlan(Examples.recording, Examples.calibration) { _ in Examples.native }
        return PlanPage(plan).html
    }()

    @Test func `the report refers to nothing outside of itself`() {
        for word in [
            "http:", "https:", "//", "src=", "url(", "@import", "<script", "<link", "<iframe", "onload", "onclick",
        ] {
            #expect(!page.contains(word), "\(word)")
        }
        for part in page.split(separator: "href=").dropFirst() { #expect(part.hasPrefix("\"#")) }
    }

    @Test func `hostile names are text in the report`() async throws {
        #expect(!page.contains("alert(1)</script>"))
        #expect(page.contains("&lt;/script&gt;&lt;script&gt;alert(1)"))
        #expect(page.contains("\\u{202e}") && page.contains("\\u{a}"))
        let directory = try TemporaryDirectory("report")
        let path = try directory.write(page, to: "plan.xml")
        let checked = try await CommandRunner.run(
            ["python3", "-c", "import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])", path])
        #expect(checked.status.isSuccess, "\(checked.errorText)")
    }

    @Test func `every plot has a title and a description, every table heads its columns`() {
        #expect(
            page.split(separator: "<svg ").dropFirst().allSatisfy {
                $0.contains("role=\"img\"") && $0.contains("<desc")
            })
        #expect(page.split(separator: "<svg ").count == 4)
        #expect(page.split(separator: "<table").dropFirst().allSatisfy { $0.contains("scope=\"col\"") })
        #expect(page.contains("lang=\"en\""))
        #expect(page.contains("prefers-color-scheme:dark"))
    }
}
