import Testing

@testable import CommandLine

@Suite struct ComparisonLimitsTests {
    private static let second = 1_000_000_000

    @Test func `a call is waited for a day at most`() throws {
        #expect(try ComparisonLimits.timeout("300ms") == 300_000_000)
        #expect(try ComparisonLimits.timeout("24h") == 24 * 3600 * Self.second)
        for text in ["25h", "86401s", "86400001ms", "2d", "100000d"] {
            let error = #expect(throws: FlagError.self) { try ComparisonLimits.timeout(text) }
            #expect(error?.description.hasPrefix("--timeout \(text): ") == true)
        }
    }

    @Test(arguments: [
        (1, 1), (300_000_000, 1), (1_000_000_000, 1), (1_000_000_001, 2), (900_000_000_000, 900),
        (900_000_000_001, 900), (86_400_000_000_000, 900),
    ])
    func `a function may take as long as a call, and never longer than Lambda has it`(nanoseconds: Int, seconds: Int) {
        #expect(ComparisonLimits.functionSeconds(timeout: nanoseconds) == seconds)
    }

    @Test func `a caller larger than what is available is refused with both numbers`() throws {
        #expect(try ComparisonLimits.parentBytes("2g", available: 2 << 30) == 2 << 30)
        #expect(try ComparisonLimits.parentBytes("0", available: 1 << 20) == 0)
        let error = #expect(throws: FlagError.self) { try ComparisonLimits.parentBytes("4t", available: 3 << 30) }
        #expect(
            error?.description.hasPrefix(
                "--parent-memory 4t: 4.0 TiB are more than the 3.0 GiB of memory that are available on this machine.")
                == true)
    }
}
