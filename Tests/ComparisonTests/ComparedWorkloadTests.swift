import Comparison
import Testing

@Suite struct ComparedWorkloadTests {
    private func stream(_ name: String, lines: Int, weight: Double) throws -> WorkloadStream {
        let text = String(repeating: "a\n", count: lines)
        return WorkloadStream(
            name: name, program: name, arguments: [],
            input: try WorkloadInput(standardInput: Array(text.utf8), division: .lines), weight: weight)
    }

    @Test func `one program gets each of its inputs once, whatever its weight`() throws {
        // In floating point 3 × 0.1 / 0.1 is more than 3.
        let one = ComparedWorkload(name: "one", streams: [try stream("a", lines: 3, weight: 0.1)])
        #expect(one.callsForAllInputs == 3)
        let many = ComparedWorkload(name: "many", streams: [try stream("a", lines: 100_001, weight: 1)])
        #expect(many.callsForAllInputs == 100_001)
    }

    @Test(arguments: [1, 1e-6, 1e-300])
    func `a program that is hardly ever called does not have the others called for days`(_ weight: Double) throws {
        let streams = [try stream("often", lines: 1, weight: 1e6), try stream("rarely", lines: 2, weight: weight)]
        #expect(ComparedWorkload(name: "mix", streams: streams).callsForAllInputs == 100_000)
    }

    @Test func `a mix is called until its rarest program has had all inputs`() throws {
        let streams = [try stream("often", lines: 1, weight: 3), try stream("rarely", lines: 2, weight: 1)]
        #expect(ComparedWorkload(name: "mix", streams: streams).callsForAllInputs == 8)
    }
}
