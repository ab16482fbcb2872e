import Linux
import TestKit
import Testing

/// Which calls of fork open a window, decided by values alone.
@Suite struct PreloadSiteTests {
    /// What the next fork of a place is to be: before anything, and after each of the words.
    private func verdicts(_ seen: String) async throws -> String {
        let scratch = try TemporaryDirectory("preload-sites")
        let source = PreloadStage.root + "/Sources/Kernel/CSpawn/preload"
        let built = try await CommandRunner.run([
            "cc", "-o", scratch.path("driver"), "-I", source, "\(PreloadStage.fixtures)/sites-driver.c",
            source + "/sites.c",
        ])
        try #require(built.status.isSuccess, "\(built.errorText)")
        let run = try await CommandRunner.run([scratch.path("driver")], input: Array(seen.utf8))
        try #require(run.status.isSuccess)
        let parts = run.text.split(separator: ";")
        #expect(parts.last == " 255 others\n")
        return String(parts[0])
    }

    @Test func `two children in a row must have executed`() async throws {
        #expect(try await verdicts("") == "watched")
        #expect(try await verdicts("exec exec exec") == "watched watched window window")
        #expect(try await verdicts("exec none exec exec") == "watched watched watched watched window")
        #expect(try await verdicts("exec refused exec refused") == "watched watched watched window window")
    }

    @Test func `one child is watched at a time`() async throws {
        #expect(try await verdicts("watching known") == "watched ordinary watched")
    }

    @Test func `three that did not execute are enough, and one that had to be given everything`() async throws {
        let three = "none exec exec none exec exec none exec exec"
        #expect(
            try await verdicts(three)
                == "watched watched watched window watched watched window ordinary ordinary ordinary")
        #expect(
            try await verdicts("exec exec settled exec exec") == "watched watched window ordinary ordinary ordinary")
    }

    @Test func `strikes are forgiven to a place that executes day after day`() async throws {
        let day = Array(repeating: "exec", count: 100).joined(separator: " ")
        let seen = "none none \(day) none none exec exec"
        #expect(try await verdicts(seen).hasSuffix(" window watched watched watched window"))
    }
}
