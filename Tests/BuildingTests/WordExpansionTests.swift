import Building
import Testing

@Suite struct WordExpansionTests {
    private static let values = ["A": "x", "EMPTY": "", "TWO": "a b", "Q": "\"'"]
    private let expansion = WordExpansion(escape: UInt8(ascii: "\\")) { Self.values[$0] }

    /// After the table of Docker's own shell lexer (envVarTest): text and what becomes of it.
    static let replaced: [(String, String)] = [
        ("he'll'o", "hello"), ("he\"ll\"o", "hello"), ("'a\\b'", "a\\b"), ("a\\ b", "a b"), ("a\\", "a"),
        ("\"a\\b\"", "a\\b"), ("\"a\\\"b\"", "a\"b"), ("\"\\$A\"", "$A"), ("\\$A", "$A"), ("'$A'", "$A"),
        ("$A", "x"), ("${A}y", "xy"), ("$Ay", ""), ("$A.y", "x.y"), ("\"$A\"", "x"), ("$", "$"), ("$.", "$."),
        ("${NONE:-d}", "d"), ("${EMPTY:-d}", "d"), ("${EMPTY-d}", ""), ("${NONE-d}", "d"), ("${A:-d}", "x"),
        ("${A:+d}", "d"), ("${EMPTY:+d}", ""), ("${EMPTY+d}", "d"), ("${NONE+d}", ""), ("${A:?no}", "x"),
        ("${NONE:-${A}z}", "xz"), ("${NONE:-$A}", "x"), ("${NONE:-'}'}", "}"), ("$TWO", "a b"), ("$Q", "\"'"),
        ("$1", ""), ("é$A", "éx"), ("${NONE:-}", ""),
    ]

    @Test(arguments: replaced) func `quotes, escapes and variables have Docker's meaning`(
        text: String, result: String
    ) throws {
        #expect(try expansion.word(text) == result)
    }

    static let refused = [
        "'a", "\"a", "${A", "${", "${}", "${A:", "${A:-", "${A:=b}", "${A#b}", "${NONE:?needed}", "${EMPTY:?}",
    ]

    @Test(arguments: refused) func `what has no meaning is an error`(text: String) {
        #expect(throws: WordError.self) { _ = try expansion.word(text) }
    }

    @Test func `words are separated by what variables bring along, unless quoted`() throws {
        #expect(try expansion.words("$TWO c") == ["a", "b", "c"])
        #expect(try expansion.words("\"$TWO\" 'c d'e") == ["a b", "c de"])
        #expect(try expansion.words("\"\" ${NONE} a") == ["", "a"])
    }

    @Test func `a heredoc keeps its quotes and loses its variables`() throws {
        #expect(try expansion.content("'$A' \"${A}\" \\$A \\n \\\\") == "'x' \"x\" $A \\n \\")
    }

    @Test func `variables that double each other are stopped`() throws {
        let long = String(repeating: "x", count: WordExpansion.lengthLimit / 2)
        let expansion = WordExpansion(escape: UInt8(ascii: "\\")) { _ in long }
        #expect(try expansion.word("$A$A").utf8.count == WordExpansion.lengthLimit)
        for text in ["$A$A.", "\"$A$A.\"", "${B:+$A$A.}"] {
            #expect(throws: WordError.self) { _ = try expansion.word(text) }
        }
    }

    @Test func `nesting without end is an error`() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "${N:-", count: depth) + "x" + String(repeating: "}", count: depth)
        }
        #expect(try expansion.word(nested(WordExpansion.depthLimit)) == "x")
        #expect(throws: WordError.self) { _ = try expansion.word(nested(WordExpansion.depthLimit + 1)) }
    }
}
