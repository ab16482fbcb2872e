import Linux
import Testing

@testable import Dashboard

@Suite struct MarkupTests {
    static let hostile = [
        "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onmouseover='alert(1)", "</title><script>", "&lt;b&gt;", "--><!--", "]]>",
        "javascript:alert(1)", "{{7*7}}", "\u{0}", "<\u{0}script>",
    ]

    @Test(arguments: hostile)
    func `hostile text stays text, wherever it stands`(_ text: String) {
        var markup = Markup()
        markup.element("p", Attribute("title", text)) {
            $0.write(text)
            $0.name(text)
        }
        // Nothing but the two elements that were asked for.
        #expect(markup.text.count { $0 == "<" } == 4)
        #expect(markup.text.count { $0 == ">" } == 4)
        #expect(markup.text.count { $0 == "\"" } == 2)
        #expect(!markup.text.contains("'"))
    }

    @Test func `what cannot be seen is shown in text, and given back by forms`() {
        var markup = Markup()
        markup.void("input", Attribute("value", "a\u{1B}\u{202E}\u{0}\nä"))
        markup.write("a\u{1B}\u{202E}\nb")
        #expect(markup.text == "<input value=\"a&#27;&#8238;\u{FFFD}&#10;ä\">a␛⟨U+202E⟩␊b")
        var plain = Markup()
        plain.write("a\nb")
        #expect(plain.text == "a\nb")
    }

    @Test func `an element is written as HTML has it`() {
        var markup = Markup()
        markup.element("a", .href(Place(["workloads", "a/b"], query: [("q", "x&y"), ("none", nil)])), text: "A & B")
        markup.void("input", .flag("required"))
        #expect(markup.text == "<a href=\"/dashboard/workloads/a%2Fb?q=x%26y\">A &amp; B</a><input required>")
    }

    @Test(arguments: ["..", ".", "a/../../etc", "//evil.example", "https://evil.example", "?x", "#x", "\\\\evil", "a b", "ä", "\u{202E}"])
    func `a place cannot lead out of the dashboard`(_ segment: String) {
        let text = Place([segment], query: [("q", segment)]).text
        let path = text.prefix { $0 != "?" }
        #expect(path.hasPrefix("/dashboard/"))
        #expect(path.dropFirst("/dashboard/".count).allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-._~%".contains($0)) })
        #expect(!path.split(separator: "/").contains { $0 == ".." || $0 == "." })
    }

    @Test(arguments: ["a", "a/b", "ä ö", "100%", "\u{1F600}", "x+y&z=1", String(repeating: "<", count: 500)])
    func `what is encoded is decoded again`(_ text: String) {
        #expect(Place.decoded(Substring(Place.encoded(text))) == text)
        #expect(Place.pairs(Substring("q=" + Place.encoded(text)))?["q"] == text)
    }

    @Test(arguments: ["%", "%4", "%zz", "%ff", "a%C3"])
    func `broken encodings are nothing`(_ text: String) { #expect(Place.decoded(Substring(text)) == nil) }

    @Test func `a form has only so many fields, and the first of a name counts`() {
        #expect(Place.pairs("a=1&a=2&b")! == ["a": "1", "b": ""])
        #expect(Place.pairs("a=1+2%2B")! == ["a": "1 2+"])
        #expect(Place.pairs(Substring((0..<65).map { "a\($0)=1" }.joined(separator: "&"))) == nil)
    }

    @Test(arguments: ["onclick", "ONLOAD", "href", "src", "style", "formaction", "srcdoc"])
    func `attributes that would run something are known`(_ name: String) { #expect(Attribute.isActive(name)) }

    @Test func `attributes that would run something trap`() async {
        await #expect(processExitsWith: .failure) { _ = Attribute("onclick", "x") }
        await #expect(processExitsWith: .failure) { _ = Attribute("href", "javascript:alert(1)") }
    }
}

@Suite struct DisplayTextTests {
    @Test func `plain names stay as they are`() {
        for name in ["scorer", "Bücher-Dienst", "価格", "a_b.c:d/e@sha256", "😀"] { #expect(DisplayText.visible(name) == name) }
    }

    @Test func `what terminals obey, and what turns or hides text, is shown as itself`() {
        #expect(DisplayText.visible("\u{1B}[31mred\u{7}\n") == "␛[31mred␇␊")
        #expect(DisplayText.visible("\u{7F}") == "␡")
        #expect(DisplayText.visible("a\u{202E}gnp.exe") == "a⟨U+202E⟩gnp.exe")
        #expect(DisplayText.visible("a\u{200B}b\u{FEFF}") == "a⟨U+200B⟩b⟨U+FEFF⟩")
        #expect(DisplayText.visible("\u{2028}\u{85}\u{E000}") == "⟨U+2028⟩⟨U+85⟩⟨U+E000⟩")
    }

    @Test func `a long name is cut and says so`() {
        let shown = DisplayText.visible(String(repeating: "x", count: 4000))
        #expect(shown.count == DisplayText.nameLimit + 1)
        #expect(shown.last == "…")
        #expect(DisplayText.visible(String(repeating: "x", count: 96)).count == 96)
        // A letter with a thousand marks is cut, too.
        #expect(DisplayText.visible("e" + String(repeating: "\u{301}", count: 1000)).unicodeScalars.count == DisplayText.nameLimit + 1)
    }
}

@Suite struct NumberTests {
    @Test func `ages have one unit`() {
        let ages = [(0, "now"), (1, "1 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (172_799, "47 h"), (172_800, "2 d"), (-5, "now")]
        for (seconds, text) in ages {
            #expect(Numbers.age(since: .init(nanoseconds: 0), now: .init(nanoseconds: seconds * 1_000_000_000)) == text)
        }
    }

    @Test func `a moment is a date and a time`() { #expect(Numbers.moment(.init("2026-11-30T06:12:03.5Z")!) == "2026-11-30 06:12:03") }

    @Test func `what was not measured is a dash`() {
        #expect(Numbers.rate(nil) == "–")
        #expect(Numbers.seconds(0.0013) == "1.3 ms")
        #expect(Numbers.percent(0.015) == "1.5 %")
    }
}
