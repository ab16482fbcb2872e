import JSON
import TestKit
import Testing

@testable import KubeViews

/// Regular expressions of schemas.
@Suite(.timeLimit(.minutes(2))) struct TextExpressionTests {
    private func matches(_ pattern: String, _ text: String) throws -> Bool? {
        var budget = 10_000_000
        return try TextExpression(pattern).matches(text, budget: &budget)
    }

    @Test(arguments: [
        ("a", "cat", true), ("^a", "cat", false), ("t$", "cat", true), ("^cat$", "cat", true), ("^$", "", true),
        ("^$", "a", false), ("", "anything", true), ("a|b", "xb", true), ("^(a|bc)+$", "abcbca", true),
        ("^(a|bc)+$", "abcb", false), ("^a*$", "aaaa", true), ("^a+$", "", false), ("^a?b$", "b", true),
        ("^a{2}$", "aa", true), ("^a{2}$", "aaa", false), ("^a{2,}$", "aaa", true), ("^a{1,2}$", "aaa", false),
        ("^a{,2}$", "a{,2}", true), (#"^\d{3}-\d+$"#, "123-4", true), (#"^\w+\s\S+$"#, "ab c-d", true),
        (#"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"#, "web-1", true), (#"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"#, "web-", false),
        (#"^[^/]+$"#, "a/b", false), (#"^[]a]+$"#, "]a", true), (#"^[a\-z]+$"#, "a-z", true), (#"^[a-]+$"#, "a-", true),
        (#"^(?i)abc$"#, "aBC", true), (#"^(?:ab)+$"#, "abab", true), (#"^(?P<n>a)$"#, "a", true),
        (#"a.c"#, "a\nc", false),
        (#"(?s)a.c"#, "a\nc", true), (#"\bfoo\b"#, "a foo b", true), (#"\bfoo\b"#, "afoo", false),
        (#"^\x41\x{e9}$"#, "Aé", true),
        (#"^[[:alpha:]]+$"#, "abC", true), (#"^[[:^digit:]]+$"#, "a1", false), (#"^\.\*\$$"#, ".*$", true),
        (#"^\Qa.b\E$"#, "a.b", true), (#"^é+$"#, "éé", true), ("^(a*)*$", "aaa", true), ("^(|a)+$", "aa", true),
        ("^a{2}?$", "aa", true), ("^.{3}$", "äöü", true),
    ])
    func `expressions match as in Go`(pattern: String, text: String, result: Bool) throws {
        #expect(try matches(pattern, text) == result, "\(pattern) \(text)")
    }

    @Test(arguments: [
        "(", ")", "[", "[a", "a**", "*", "+a", "a{2,1}", "a{1001}", "\\", "[z-a]", "(?<", "(?x)", #"\p{L}"#, #"\1"#,
        "[[:x:]]",
        #"\x{110000}"#, "(((a{1000}){1000}){1000})", String(repeating: "(", count: 200),
        String(repeating: "a", count: 5000),
    ])
    func `what is no expression is refused`(pattern: String) {
        let error = #expect(throws: TextExpressionError.self) { try TextExpression(pattern) }
        #expect(error?.description.hasPrefix("error parsing regexp: ") == true)
    }

    @Test func `expressions that make others hang take their time by the length`() throws {
        let text = String(repeating: "a", count: 5000) + "!"
        #expect(try matches("^(a+)+$", text) == false)
        #expect(try matches("^(a|a)*$", text) == false)
        #expect(try matches("(((((){1000}){1000}){1000}){1000}){1000}", "x") == true)
        var budget = 1000
        #expect(try TextExpression("(a|b|c|d)*e").matches(text, budget: &budget) == nil)
    }

    @Test(arguments: 0..<50) func `no text traps the reader of expressions`(seed: Int) {
        var chance = SeededChance(seed: UInt64(seed))
        let letters = Array(#"ab1()[]{}|*+?.^$\-,:dwsxQEpPi<>=!é"#)
        for _ in 0..<300 {
            let pattern = String(
                (0..<Int.random(in: 0..<16, using: &chance)).map { _ in letters.randomElement(using: &chance)! })
            guard let expression = try? TextExpression(pattern) else { continue }
            var budget = 100_000
            _ = expression.matches("ab1-.é\n", budget: &budget)
        }
    }
}
