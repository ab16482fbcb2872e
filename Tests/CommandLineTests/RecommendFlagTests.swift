import Testing

@testable import CommandLine

@Suite struct RecommendFlagTests {
    @Test(arguments: [("1s", 1), ("1000ms", 1), ("1500ms", 2), ("60s", 60), ("2m", 120)])
    func `containers are looked at for whole seconds, not fewer than was asked for`(text: String, seconds: Int) throws {
        #expect(try RecommendCommand.watchSeconds(text) == seconds)
    }

    @Test(arguments: ["1ms", "500ms", "999ms"])
    func `a look that is shorter than a second is refused, not left out`(text: String) {
        let error = #expect(throws: FlagError.self) { try RecommendCommand.watchSeconds(text) }
        #expect(error?.description.hasPrefix("--watch \(text): ") == true)
    }
}
