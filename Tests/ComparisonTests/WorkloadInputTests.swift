import Comparison
import TestKit
import Testing

@Suite struct WorkloadInputTests {
    private func lines(_ text: String) throws -> [String] {
        try WorkloadInput(standardInput: Array(text.utf8), division: .lines).inputs
            .map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func `each line is one call and keeps its newline`() throws {
        #expect(try lines("a\nbc\n") == ["a\n", "bc\n"])
        #expect(try lines("a\nbc") == ["a\n", "bc"])
        #expect(try lines("\n\na\r\n") == ["\n", "\n", "a\r\n"])
    }

    @Test func `the whole input is one call, an empty one as well`() throws {
        #expect(try WorkloadInput(standardInput: [1, 10, 2], division: .whole).inputs == [[1, 10, 2]])
        #expect(try WorkloadInput(standardInput: [], division: .whole).inputs == [[]])
    }

    @Test func `no line at all is an error that says what to do`() {
        let error = #expect(throws: WorkloadError.self) {
            try WorkloadInput(standardInput: [], division: .lines)
        }
        #expect(error?.description.contains("Redirect a file") == true)
    }

    @Test func `the inputs joined are what was read`() throws {
        var chance = SeededChance(seed: .random(in: .min ... .max))
        for _ in 0..<200 {
            let count = Int.random(in: 1...60, using: &chance)
            let bytes = (0..<count).map { _ in [10, 65, 0, 255].randomElement(using: &chance)! as UInt8 }
            let input = try WorkloadInput(standardInput: bytes, division: .lines)
            #expect(Array(input.inputs.joined()) == bytes, "\(chance)")
            #expect(input.inputs.dropLast().allSatisfy { $0.firstIndex(of: 10) == $0.count - 1 }, "\(chance)")
        }
    }

    @Test func `after the last input comes the first again`() throws {
        let input = try WorkloadInput(standardInput: Array("1\n2\n3\n".utf8), division: .lines)
        #expect((0..<5).map { input.input(ofCall: $0)[0] } == [49, 50, 51, 49, 50])
    }
}
