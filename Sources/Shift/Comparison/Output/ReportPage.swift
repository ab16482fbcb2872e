import Plotting

/// A report as one page: HTML with everything in it, for a browser, for paper and for people who listen to it.
///
/// It fetches nothing, runs nothing and needs nothing beside it; its policy says so to the browser. What is in it can be
/// copied, read out and printed: plots are vector drawings with descriptions, and their numbers stand below them.
///
/// Invariants:
/// 1. Whatever texts a report holds, the page is well-formed and none of them becomes markup.
///    Test: `hostile texts in a report stay text on its page`.
/// 2. Faults stand before all numbers. Test: `faults stand first on the page`.
/// 3. The page is no wider than the window, on a telephone too. Test: `a browser shows the page without a fault, in dark,
///    in light and on a telephone`.
package struct ReportPage: Sendable {
    let report: ComparisonReport
    let table: ReportTable
    let name: String

    package init(_ report: ComparisonReport) {
        self.report = report
        table = ReportTable(report)
        name = ReportText.cut(report.workload.name.isEmpty ? "a program" : report.workload.name, to: 120)
    }

    /// The whole document.
    package var text: String {
        "<!DOCTYPE html>\n"
            + HTML.element(
                "html", [("xmlns", "http://www.w3.org/1999/xhtml"), ("lang", "en")], [head, .lineBreak, body]
            ).markup + "\n"
    }

    private var head: HTML {
        .element(
            "head",
            [
                .void("meta", [("charset", "utf-8")]),
                // No script, no picture, no font, no connection: only the styles that stand here.
                .void(
                    "meta",
                    [
                        ("http-equiv", "Content-Security-Policy"),
                        (
                            "content",
                            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
                        ),
                    ]),
                .void("meta", [("name", "viewport"), ("content", "width=device-width, initial-scale=1")]),
                .void("meta", [("name", "color-scheme"), ("content", "light dark")]),
                .void("meta", [("name", "referrer"), ("content", "no-referrer")]),
                .element("title", "Comparison of \(name)"), .style(ReportPageStyle.css),
            ])
    }

    private var body: HTML {
        let sections = [
            numbers, figures, isolation, steps, methods, machine,
        ].compactMap(\.self)
        return .element(
            "body",
            [
                .element("a", [("class", "skip"), ("href", "#numbers")], "Go to the numbers"),
                .element("header", [heading, faults, contents].compactMap(\.self)), .lineBreak,
                .element("main", sections.flatMap { [$0, .lineBreak] }),
                .element(
                    "footer",
                    [
                        .element(
                            "p",
                            "Every number on this page was measured in this run, or says how it was derived. Made by forkless compare."
                        )
                    ]),
            ])
    }

    // The top.

    private var heading: HTML {
        let began = "\(report.began)"
        let day = "\(began.prefix(10)) \(began.dropFirst(11).prefix(5)) UTC"
        let took = FloatingText.duration(nanoseconds: report.nanoseconds)
        let host = report.machine.host.isEmpty ? "" : " on \(ReportText.cut(report.machine.host, to: 80))"
        return .element(
            "div",
            [
                .element("h1", "Comparison of \(name)"),
                .element(
                    "p", [("class", "quiet")],
                    "\(day)\(host), measured for \(took), \(report.rungs.count) ways to run the same work."),
            ])
    }

    private var faults: HTML? {
        let found = ReportFaults(report).faults
        guard !found.isEmpty else { return nil }
        let items = found.map { fault in
            var parts: [HTML] = []
            if let rung = fault.rung { parts.append(.element("b", "\(rung): ")) }
            parts.append(.text(fault.sentence))
            if let difference = fault.difference {
                parts.append(
                    .element(
                        "dl",
                        [
                            .element("dt", "expected (\(FloatingText.grouped(difference.expectedBytes)) bytes)"),
                            .element("dd", [.element("code", ReportText.cut(difference.expected, to: 300))]),
                            .element("dt", "found (\(FloatingText.grouped(difference.foundBytes)) bytes)"),
                            .element("dd", [.element("code", ReportText.cut(difference.found, to: 300))]),
                        ]))
            }
            return HTML.element("li", parts)
        }
        return .element(
            "section", [("class", "faults"), ("aria-labelledby", "faults")],
            [.element("h2", [("id", "faults")], "To know first"), .element("ul", items)])
    }

    private var contents: HTML {
        var places = [("numbers", "Numbers"), ("plots", "Plots")]
        if isolation != nil { places.append(("isolation", "Isolation")) }
        if steps != nil { places.append(("steps", "Steps")) }
        places += [("methods", "Methods and formulas"), ("machine", "Machine and noise")]
        return .element(
            "nav", [("aria-label", "Parts of this page")],
            [
                .element(
                    "ul", places.map { place, title in .element("li", [.element("a", [("href", "#\(place)")], title)]) }
                )
            ])
    }

    /// A part of the page under a heading of its own.
    func section(_ id: String, _ title: String, _ children: [HTML]) -> HTML {
        .element(
            "section", [("aria-labelledby", id)],
            [.element("h2", [("id", id)], title)] + children.flatMap { [$0, .lineBreak] })
    }

    /// Something wide, in a frame of its own that scrolls and can be reached with the keyboard.
    func scrolling(_ label: String, _ content: HTML) -> HTML {
        .element("div", [("class", "scroll"), ("tabindex", "0"), ("role", "region"), ("aria-label", label)], [content])
    }

    func plainTable(_ caption: String, _ columns: [String], _ rows: [[String]]) -> HTML {
        .element(
            "table",
            [
                .element("caption", caption),
                .element("thead", [.element("tr", columns.map { .element("th", [("scope", "col")], $0) })]),
                .element(
                    "tbody",
                    rows.map { row in
                        .element(
                            "tr",
                            row.enumerated().map { index, cell in
                                index == 0 ? .element("th", [("scope", "row")], cell) : .element("td", cell)
                            })
                    }),
            ])
    }
}
