import Testing

@testable import CommandLine

@Suite struct HumanTimeTests {
    @Test(arguments: [
        (-5, "Less than a second"), (0, "Less than a second"), (1, "1 second"), (2, "2 seconds"), (59, "59 seconds"),
        (60, "About a minute"), (119, "About a minute"), (120, "2 minutes"), (3599, "59 minutes"),
        (3600, "About an hour"), (5400, "2 hours"), (86400, "24 hours"), (172_800, "2 days"),
        (86400 * 14, "2 weeks"), (86400 * 61, "2 months"), (86400 * 365 * 3, "3 years"),
    ])
    func `spans of time read as Docker's do`(seconds: Int, text: String) { #expect(HumanTime.span(seconds: seconds) == text) }
}
