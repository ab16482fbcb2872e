import ExecDoor
import Testing

/// What differs by itself, and what does not.
struct NoiseBaselineTests {
    private func result(_ sites: String...) -> ComparisonResult {
        let differences = sites.map { Difference(part: .output, site: $0, original: "a", target: "b", column: 0) }
        return ComparisonResult(differences: differences, count: sites.count)
    }

    @Test func `without control runs nothing is noise`() {
        var noise = NoiseBaseline()
        #expect(noise.judge(result("line 1")) == result("line 1"))
    }

    @Test func `what differs between two originals may differ from the target, and nothing else may`() {
        var noise = NoiseBaseline()
        noise.addControl(result("line 1"))
        noise.addControl(result("line 1"))
        #expect(noise.judge(result("line 1")).isEqual)
        #expect(noise.judge(result("line 1", "line 2")).differences.map(\.site) == ["line 2"])
    }

    @Test func `what differs more often than by itself is a difference after all`() {
        var noise = NoiseBaseline()
        // Half of the control runs differ.
        for number in 0..<20 { noise.addControl(number % 2 == 0 ? result("line 1") : result()) }
        var differing = 0
        for _ in 0..<40 where !noise.judge(result("line 1")).isEqual { differing += 1 }
        #expect(differing > 0)
        var usual = NoiseBaseline()
        for number in 0..<20 { usual.addControl(number % 2 == 0 ? result("line 1") : result()) }
        for number in 0..<40 { #expect(usual.judge(number % 2 == 0 ? result() : result("line 1")).isEqual) }
    }

    @Test func `sites beyond the limit are no noise`() {
        var noise = NoiseBaseline()
        for number in 0..<300 { noise.addControl(result("line \(number)")) }
        #expect(noise.sites.count == 256)
        #expect(noise.judge(result("line 0")).isEqual)
        #expect(!noise.judge(result("line 299")).isEqual)
    }

    @Test func `it is kept as JSON`() throws {
        var noise = NoiseBaseline()
        noise.addControl(result("a", "b"))
        _ = noise.judge(result("a"))
        #expect(try NoiseBaseline(json: noise.json) == noise)
    }
}
