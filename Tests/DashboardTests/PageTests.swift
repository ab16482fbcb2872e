import Linux
import TestKit
import Testing

@testable import Dashboard

@Suite struct PageTests {
    static func pages(_ source: FakeSource) async throws -> [Page] {
        let (now, key) = (FakeSource.now, WorkloadKey(.container, "x"))
        let rows = try await source.workloads()
        return [
            .overview(try await source.overview(), now: now), .workloads(rows, WorkloadSelection(), total: 1, pages: 1, now: now),
            .workload(try await source.workload(key), now: now), .functions(try await source.functions()),
            .shifts(try await source.shifts()), .shift(try await source.shift("x"), now: now), .images(try await source.images()),
            .events(try await source.events(limit: 5), now: now),
            .ledger(try await source.ledger(LedgerSearch()), LedgerSearch(["workload": source.word, "from": source.word]), now: now),
            .reports(try await source.reports(), now: now), .login(problem: source.word), .loggedIn(), .problem(source.word, source.word),
            .confirmation(.stopContainer(source.word), PageSurroundings(formToken: "f", now: now)),
        ]
    }

    private static let surroundings = PageSurroundings(formToken: "form-token", notice: PageSurroundings.Notice("It was done.", isFailure: false), now: FakeSource.now)

    private static func text(_ page: Page) -> String { String(decoding: page.document(surroundings), as: UTF8.self) }

    /// The tags of a document, with their attributes' names.
    private static func tags(_ text: String) -> [String] {
        text.split(separator: "<").dropFirst().map { part in
            var words: [Substring] = []
            var isValue = false
            var word = part.startIndex..<part.startIndex
            for index in part.indices {
                let character = part[index]
                if character == "\"" { isValue.toggle() }
                if !isValue, character == ">" { break }
                if !isValue, character == " " {
                    words.append(part[word])
                    word = part.index(after: index)..<part.index(after: index)
                } else {
                    word = word.lowerBound..<part.index(after: index)
                }
            }
            words.append(part[word])
            return words.map { $0.prefix { $0 != "=" && $0 != ">" } }.joined(separator: " ")
        }
    }

    @Test(arguments: MarkupTests.hostile + [String(repeating: "<b>", count: 1333), "\u{202E}\u{1B}[2J", "x\" autofocus onfocus=\"alert(1)"])
    func `a hostile name changes no page's structure`(_ word: String) async throws {
        let (plain, hostile) = (try await Self.pages(FakeSource(word: "plain")), try await Self.pages(FakeSource(word: word)))
        for (before, after) in zip(plain, hostile) {
            #expect(Self.tags(Self.text(after)) == Self.tags(Self.text(before)), "\(before.title)")
            #expect(!Self.text(after).unicodeScalars.contains { $0.value == 0x1B || $0.value == 0x202E || $0.value == 0 })
        }
    }

    @Test func `every page has its landmarks, one first heading, and no other address than ours`() async throws {
        for page in try await Self.pages(FakeSource()) {
            let text = Self.text(page)
            for once in ["<main id=\"main\"", "<h1>", "<title>", "<footer>", "class=\"skip\"", "<html lang=\"en\">", "name=\"viewport\""] {
                #expect(text.components(of: once) == 1, "\(page.title): \(once)")
            }
            #expect(text.components(of: "<h1") == text.components(of: "</h1>"))
            for attribute in ["href=\"", "src=\"", "action=\""] {
                for part in text.split(separator: attribute).dropFirst() {
                    #expect(part.hasPrefix("/dashboard") || part.hasPrefix("#main"), "\(page.title): \(part.prefix(40))")
                }
            }
            // The name of SVG's namespace is no address that anything is loaded from.
            let rest = text.replacing("xmlns=\"http://www.w3.org/2000/svg\"", with: "")
            #expect(!rest.contains("style=") && !rest.contains("<style") && !rest.contains("http://") && !rest.contains("https://"))
        }
    }

    @Test func `tables have captions and scopes, and what can be done names whom`() async throws {
        for page in try await Self.pages(FakeSource()) {
            let text = Self.text(page)
            #expect(text.components(of: "<table>") == text.components(of: "<caption>"))
            #expect(text.components(of: "<th") - text.components(of: "<thead") == text.components(of: "<th scope="))
            #expect(text.components(of: "class=\"button") <= text.components(of: "class=\"unseen\"") + 1)
        }
    }

    @Test func `the page of workloads is as it was agreed`() async throws {
        let source = FakeSource()
        let page = Page.workloads(try await source.workloads(), WorkloadSelection(["q": "sco", "sort": "calls", "order": "desc"]), total: 61, pages: 2, now: FakeSource.now)
        let text = Self.text(page).split(separator: "><").joined(separator: ">\n<")
        let difference = try Snapshot.difference(of: text + "\n", from: "workloads.html")
        #expect(difference == nil, "\(difference ?? "")")
    }

    @Test func `the live part of a page is what stands in it`() async throws {
        for page in try await Self.pages(FakeSource()) where page.isLive {
            #expect(Self.text(page).contains("<div id=\"live\">" + String(decoding: page.fragment(), as: UTF8.self) + "</div>"))
        }
    }
}

@Suite struct StyleTests {
    /// The variables of the rule that begins at a text: name and colour.
    private static func colours(after mark: String) throws -> [String: [Double]] {
        let rest = try #require(Assets.styleText.split(separator: mark, maxSplits: 1).last)
        var colours: [String: [Double]] = [:]
        for line in rest.prefix(while: { $0 != "}" }).split(separator: ";") {
            let sides = line.suffix(from: line.lastIndex(of: "{").map { line.index(after: $0) } ?? line.startIndex).split(separator: ":").map { $0.filter { !$0.isWhitespace } }
            guard sides.count == 2, sides[1].hasPrefix("#") else { continue }
            let digits = Array(sides[1].dropFirst())
            colours[sides[0]] = stride(from: 0, to: 6, by: 2).map { Double(Int(String(digits[$0...$0 + 1]), radix: 16)!) / 255 }
        }
        return colours
    }

    /// WCAG 2.2, relative luminance and contrast.
    private static func contrast(_ a: [Double], _ b: [Double]) -> Double {
        func luminance(_ colour: [Double]) -> Double {
            let linear = colour.map { $0 <= 0.04045 ? $0 / 12.92 : power(($0 + 0.055) / 1.055) }
            return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        }
        let (one, other) = (luminance(a), luminance(b))
        return (max(one, other) + 0.05) / (min(one, other) + 0.05)
    }

    /// x to the power of 2.4: x squared times the fifth root of x squared, by Newton.
    private static func power(_ x: Double) -> Double {
        let square = x * x
        guard square > 0 else { return 0 }
        var root = 1.0
        for _ in 0..<60 { root = (4 * root + square / (root * root * root * root)) / 5 }
        return square * root
    }

    @Test(arguments: [":root {", "@media (prefers-color-scheme: dark)"])
    func `every text has a contrast of 4.5 at least, in light and in dark`(_ mark: String) throws {
        let colours = try Self.colours(after: mark)
        for text in ["text", "quiet", "accent", "good", "busy", "idle", "warning", "bad"] {
            for ground in ["ground", "panel", "hover"] {
                let contrast = Self.contrast(try #require(colours["--" + text]), try #require(colours["--" + ground]))
                #expect(contrast >= 4.5, "--\(text) on --\(ground): \(contrast)")
            }
        }
        let button = Self.contrast(try #require(colours["--on-accent"]), try #require(colours["--accent"]))
        #expect(button >= 4.5, "a button: \(button)")
    }
}

extension String {
    /// How often another one is in it.
    fileprivate func components(of text: String) -> Int { split(separator: text, omittingEmptySubsequences: false).count - 1 }
}
