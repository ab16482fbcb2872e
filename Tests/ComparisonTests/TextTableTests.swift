import Comparison
import TestKit
import Testing

@Suite struct TextTableTests {
    @Test(
        arguments: [
            ("412 µs", 6), ("×0.8", 4), ("✓", 1), ("–", 1), ("¹²", 2), ("日本", 4), ("e\u{301}", 1), ("👍", 2),
            ("─", 1), ("", 0),
        ])
    func `a text takes the cells that a terminal gives it`(_ text: String, _ cells: Int) {
        #expect(DisplayWidth.of(text) == cells)
    }

    @Test func `words are wrapped and long ones broken`() {
        #expect(DisplayWidth.wrap("one two three", to: 7) == ["one two", "three"])
        #expect(DisplayWidth.wrap("abcdefgh ij", to: 3) == ["abc", "def", "gh", "ij"])
        #expect(DisplayWidth.wrap("日本語", to: 5) == ["日本", "語"])
        #expect(DisplayWidth.wrap("", to: 5) == [""])
    }

    @Test func `columns line up whatever symbols they hold`() throws {
        let table = TextTable(
            columns: [.init("name"), .init("time", .right), .init("note")],
            rows: [["a", "412 µs", "×0.8"], ["日本", "1.3 ms", ""], ["e\u{301}t\u{301}", "9 s", "x"]])
        let expected = """
            name    time  note
            ────  ──────  ────
            a     412 µs  ×0.8
            日本  1.3 ms
            e\u{301}t\u{301}       9 s  x
            """
        #expect(try #require(table.lines(width: 80)).joined(separator: "\n") == expected)
        #expect(table.naturalWidth == 18)
    }

    @Test func `a cell too long is wrapped and loses nothing`() throws {
        let table = TextTable(
            columns: [.init("question"), .init("time", .right)],
            rows: [["see what other people do", "1.3 ms"], ["go", "12 ms"]])
        let expected = """
            question        time
            ────────────  ──────
            see what      1.3 ms
            other people
            do
            go             12 ms
            """
        #expect(try #require(table.lines(width: 20)).joined(separator: "\n") == expected)
    }

    @Test func `a table that would break words or numbers does not fit`() {
        let table = TextTable(columns: [.init("question"), .init("t", .right)], rows: [["see", "1.3 ms"]])
        #expect(table.lines(width: 16) != nil)
        #expect(table.lines(width: 15) == nil)
    }

    @Test func `no line is wider than allowed`() throws {
        let words = ["a", "see", "processes", "日本", "×0.8", "unprotected"]
        var chance = SeededChance(seed: .random(in: .min ... .max))
        for _ in 0..<300 {
            func cell() -> String {
                words.shuffled(using: &chance).prefix(Int.random(in: 0...5, using: &chance)).joined(separator: " ")
            }
            let table = TextTable(
                columns: [.init("x"), .init(cell(), .right), .init(cell())],
                rows: (0..<4).map { _ in [cell(), cell(), cell()] })
            let width = Int.random(in: 10...90, using: &chance)
            guard let lines = table.lines(width: width) else { continue }
            #expect(lines.allSatisfy { DisplayWidth.of($0) <= width }, "\(chance)")
            for word in table.rows.joined().flatMap({ $0.split(separator: " ") }) {
                #expect(lines.contains { $0.contains(word) }, "\(chance)")
            }
        }
    }

    @Test func `what a program wrote cannot move the cursor`() throws {
        let table = TextTable(columns: [.init("a")], rows: [["\u{1B}[2Jx\n"]])
        #expect(try #require(table.lines(width: 20)).last == "\u{FFFD}[2Jx\u{FFFD}")
    }
}
