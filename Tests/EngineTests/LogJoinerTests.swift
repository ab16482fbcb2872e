import Engine
import Linux
import TestKit
import Testing

@Suite struct LogJoinerTests {
    private static let log = """
        2026-11-23T06:47:29.000000001Z stdout F one
        2026-11-23T06:47:29.000000002Z stderr P tw
        2026-11-23T06:47:29.000000003Z stdout F 
        2026-11-23T06:47:29.000000004Z stderr F o and three
        2026-11-23T06:47:29.000000005Z stdout P the end

        """

    private func text(_ lines: [LogLine]) -> [String] {
        lines.map { "\($0.stream) \(String(decoding: $0.content, as: UTF8.self))\($0.isComplete ? "" : "...")" }
    }

    @Test func `parts of a line are put together, and the unfinished one comes last`() {
        var joiner = LogJoiner()
        let lines = joiner.add(Array(Self.log.utf8))
        #expect(text(lines) == ["stdout one", "stdout ", "stderr two and three"])
        #expect(text(joiner.finish()) == ["stdout the end..."])
        #expect(joiner.damaged == 0)
    }

    @Test(arguments: 0..<20 as Range<UInt64>) func `the cuts between chunks leave no trace`(seed: UInt64) {
        var chance = SeededChance(seed: seed)
        var joiner = LogJoiner()
        var lines: [LogLine] = []
        var rest = Array(Self.log.utf8)[...]
        while !rest.isEmpty {
            let count = Int.random(in: 1...min(17, rest.count), using: &chance)
            lines += joiner.add(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        lines += joiner.finish()
        var whole = LogJoiner()
        #expect(lines == whole.add(Array(Self.log.utf8)) + whole.finish(), "\(chance)")
    }

    @Test func `a damaged entry is passed over and counted`() {
        var joiner = LogJoiner()
        let lines = joiner.add(
            Array("nonsense\n2026-11-23T06:47:29Z stdin F x\n2026-11-23T06:47:29Z stdout X x\n\n".utf8)
                + Array("2026-11-23T06:47:29Z stdout F good\n".utf8))
        #expect(text(lines) == ["stdout good"])
        #expect(joiner.damaged == 4)
    }

    @Test func `an endless line comes out in pieces`() {
        var joiner = LogJoiner()
        let part = Array("2026-11-23T06:47:29Z stdout P ".utf8) + [UInt8](repeating: 65, count: 16_384) + [10]
        var lines: [LogLine] = []
        for _ in 0..<100 { lines += joiner.add(part) }
        #expect(lines.map(\.content.count) == [LogJoiner.lineBytesLimit])
        #expect(!lines[0].isComplete)
        #expect(joiner.finish().map(\.content.count) == [36 * 16_384])
    }

    @Test func `bytes that are no text survive the way to the caller`() throws {
        for content: [UInt8] in [[0xff, 0, 65], [0xff], [0xff, 0xfe], Array("é".utf8), []] {
            let line = LogLine(time: Timestamp(nanoseconds: 5), stream: .stderr, content: content, isComplete: true)
            #expect(try LogLine(strict: line.json) == line)
        }
    }
}
