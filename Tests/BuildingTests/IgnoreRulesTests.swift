import Building
import Testing

@Suite struct IgnoreRulesTests {
    /// Rules, path, ignored. After the tables of Docker's pattern matcher.
    static let cases: [(String, String, Bool)] = [
        ("**", "file", true), ("**", "dir/file", true), ("**/", "file", true), ("**/**", "dir/file", true),
        ("dir/**", "dir/file", true), ("dir/**", "dir/dir2/f", true), ("dir/**", "file", false),
        ("**/dir", "dir", true), ("**/dir", "a/b/dir", true), ("**/dir", "adir", false), ("**/dir/f", "dir/f", true),
        ("**/*.txt", "a/b.txt", true), ("**/*.txt", "b.txt", true), ("a**/*.txt", "a/b.txt", true),
        ("a/*.txt", "a/b.txt", true), ("a/*.txt", "a/dir/b.txt", false), ("*/a", "b/a", true), ("*", "a", true),
        ("a[b-d]e", "ace", true), ("a[b-d]e", "aze", false), ("a[^b-d]e", "aze", true), ("a[\\]]e", "a]e", true),
        ("a\\*b", "a*b", true), ("a\\*b", "acb", false), ("a.txt", "axtxt", false), ("a+b(c)", "a+b(c)", true),
        ("a?b", "aéb", true), ("a?b", "a/b", false), ("abc.def", "abcdef", false), ("a b", "a b", true),
        ("docs", "docs/README.md", true), ("docs/", "docs/README.md", true), ("/docs", "docs", true),
        ("./docs/../docs", "docs", true), ("/../docs", "docs", true), ("docs", "docs2", false),
        ("docs\n!docs/README.md", "docs/README.md", false), ("docs\n!docs/README.md", "docs/x", true),
        ("!docs/README.md\ndocs", "docs/README.md", true), ("*.md\n!README*.md\nREADME-s.md", "README-s.md", true),
        ("*.md\n!README*.md\nREADME-s.md", "README-x.md", false), ("*\n! src", "src/a/b", false),
        ("# docs", "docs", false), (" # docs", "# docs", true), ("\u{FEFF}  docs  \r\n\r\n", "docs", true),
        ("", "a", false), ("[a-]", "-", true),
    ]

    @Test(arguments: cases) func `patterns mean what they mean to Docker`(
        rules: String, path: String, ignored: Bool
    ) throws {
        #expect(try IgnoreRules(parsing: Array(rules.utf8)).ignores(path) == ignored)
    }

    static let refused: [(String, Int)] = [("a\n!", 2), ("[", 1), ("[]", 1), ("a\n\n[a", 3), ("[b-a]", 1), ("a\\", 1)]

    @Test(arguments: refused) func `a pattern that means nothing is an error with its line`(text: String, line: Int) {
        let failure = #expect(throws: IgnoreRules.Failure.self) { _ = try IgnoreRules(parsing: Array(text.utf8)) }
        #expect(failure?.line == line)
    }

    @Test func `a pattern full of stars is matched at once`() throws {
        // A matcher that goes back and tries again would need longer than anyone waits.
        let stars = String(repeating: "*a", count: 60) + "b"
        let rules = try IgnoreRules(parsing: Array(stars.utf8))
        #expect(!rules.ignores(String(repeating: "a", count: 200)))
    }
}
