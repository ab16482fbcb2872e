import Testing

@testable import CommandLine

@Suite struct DetachKeysTests {
    /// What gets through of what was typed in these pieces, and whether it ended in leaving.
    private func typed(_ keys: DetachKeys, _ pieces: [[UInt8]]) -> (passed: [UInt8], isDetached: Bool) {
        var keys = keys
        var passed: [UInt8] = []
        for piece in pieces {
            let taken = keys.take(piece)
            passed += taken.passed
            if taken.isDetached { return (passed, true) }
        }
        return (passed, false)
    }

    @Test func `keys that are not the sequence all get through`() {
        let (p, q) = (UInt8(16), UInt8(17))
        let cases: [[[UInt8]]] = [[[p, 65]], [[p], [65]], [[65, p], [66], [q]], [[q, p, q - 1, 65]], [[65, 66]]]
        for pieces in cases {
            let taken = typed(.standard, pieces)
            #expect(taken.passed == pieces.flatMap { $0 } && !taken.isDetached, "\(pieces)")
        }
    }

    @Test func `the sequence leaves, however it arrives, and is not passed on`() {
        let cases: [[[UInt8]]] = [[[65, 16, 17, 66]], [[65, 16], [17]], [[65], [16], [17]]]
        for pieces in cases {
            let taken = typed(.standard, pieces)
            #expect(taken.passed == [65] && taken.isDetached, "\(pieces)")
        }
        // A first key twice: the second may begin the sequence.
        let twice = typed(.standard, [[16, 16, 17]])
        #expect(twice.passed == [16] && twice.isDetached)
    }

    @Test func `keys are written as Docker writes them`() throws {
        #expect(typed(try DetachKeys.parse("a,ctrl-x,ctrl-["), [[97, 24, 27]]).isDetached)
        #expect(try DetachKeys.parse(nil) == .standard)
        #expect(try DetachKeys.parse("ctrl-p,ctrl-q") == .standard)
        for wrong in ["", "ctrl-", "ctrl-P", "ctrl-pp", "a,", "ab", "ctrl-1"] {
            #expect(throws: FlagError.self, "\(wrong)") { try DetachKeys.parse(wrong) }
        }
    }
}
