import Comparison
import Linux
import Observation

/// The plan as one HTML file: it opens without a network, in light and in dark, and prints.
///
/// Invariants
/// 1. Nothing outside the file is referred to: no script, no font, no image, no address.
///    (test: `the report refers to nothing outside of itself`)
/// 2. Whatever a program is called, the page is well-formed XML. (test: `hostile names are text in the report`)
package struct PlanPage {
    private let plan: RecordingPlan

    package init(_ plan: RecordingPlan) { self.plan = plan }

    package var html: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <meta name="color-scheme" content="light dark"/>
        <title>Plan for \(escaped(plan.header.machine))</title>
        <style>\(Self.style)</style>
        </head>
        <body>
        <header>
        <h1>Plan for \(escaped(plan.header.machine))</h1>
        <p>\(escaped(summary))</p>
        \(caveats)
        </header>
        <main>
        \(overview)
        \(figures)
        <section aria-labelledby="details"><h2 id="details">Program by program</h2>
        \(plan.programs.enumerated().map { details($1, $0) }.joined(separator: "\n"))
        </section>
        \(calibration)
        </main>
        </body>
        </html>

        """
    }

    private var summary: String {
        let calls = plan.programs.reduce(0) { $0 + $1.program.calls }
        let start = "\(plan.header.start)".prefix { $0 != "." && $0 != "Z" }.split(separator: "T").joined(
            separator: " ")
        return "Recorded from \(start) UTC on for \(FloatingText.duration(nanoseconds: plan.durationNanoseconds)): "
            + "\(FloatingText.grouped(calls)) calls of \(plan.programs.count) programs."
    }

    private var caveats: String {
        guard !plan.caveats.isEmpty else { return "" }
        return "<ul class=\"caveats\">" + plan.caveats.map { "<li>\(escaped($0))</li>" }.joined() + "</ul>"
    }

    // MARK: - Overview

    private var overview: String {
        let rows = plan.programs.enumerated().map { index, program in
            "<tr><th scope=\"row\"><a href=\"#program-\(index)\">\(escaped(program.program.identity.text))</a></th>"
                + "<td class=\"number\">\(FloatingText.grouped(program.program.calls))</td>"
                + "<td class=\"number\">\(escaped(Planner.rate(program.program.callsPerSecond)))</td>"
                + "<td><span class=\"rung rung-\(program.recommended.rawValue)\">\(program.recommended.title)</span>"
                + (program.isProvisional ? " <small>provisional</small>" : "") + "</td>"
                + "<td class=\"number\">\(cell(program.now))</td><td class=\"number\">\(cell(program.predicted))</td>"
                + "<td class=\"number\">\(program.speedup.map { FloatingText.short($0) + "×" } ?? "–")</td></tr>"
        }
        return """
            <section aria-labelledby="overview"><h2 id="overview">Overview</h2>
            <div class="wide"><table>
            <thead><tr><th scope="col">Program</th><th scope="col" class="number">Calls</th><th scope="col" class="number">Rate</th>\
            <th scope="col">Recommended</th><th scope="col" class="number">A call now</th><th scope="col" class="number">Then</th>\
            <th scope="col" class="number">Faster</th></tr></thead>
            <tbody>
            \(rows.joined(separator: "\n"))
            </tbody></table></div></section>
            """
    }

    private func cell(_ reading: Reading<Prediction>) -> String {
        reading.value.map { FloatingText.duration(nanoseconds: $0.latency.total) } ?? "–"
    }

    private var figures: String {
        let plots = PlanPlots(plan: plan)
        let legend =
            "<p class=\"legend\"><span class=\"key fork\"></span>fork and exec <span class=\"key copy\"></span>copying page tables "
            + "<span class=\"key work\"></span>its own work</p>"
        let time = plots.time()
        let latency = plots.latency()
        let rates = plots.rates()
        let rungs = PlannedRung.allCases.map { "<span class=\"key rung-\($0.rawValue)\"></span>\($0.title) " }.joined()
        var text = ""
        if !time.isEmpty { text += figure("time", "Where the time goes", legend, time) }
        if !latency.isEmpty {
            let key =
                "<p class=\"legend\"><span class=\"key now\"></span>today <span class=\"key then\"></span>recommended "
                + "<span class=\"key then provisional\"></span>recommended, provisional</p>"
            text += figure("latency", "A call today and on the recommended rung", key, latency)
        }
        if !rates.isEmpty {
            text += figure("rates", "How often, and how long", "<p class=\"legend\">\(rungs)</p>", rates)
        }
        return text
    }

    private func figure(_ id: String, _ title: String, _ legend: String, _ svg: String) -> String {
        "<section aria-labelledby=\"plot-\(id)\"><h2 id=\"plot-\(id)\">\(title)</h2><figure>\(legend)<div class=\"wide\">\(svg)</div></figure></section>\n"
    }

    // MARK: - One program

    private func details(_ program: ProgramPlan, _ index: Int) -> String {
        var text =
            "<details id=\"program-\(index)\"\(index < 3 ? " open=\"open\"" : "")><summary><h3>\(escaped(program.program.identity.text))</h3> "
        text +=
            "<span class=\"rung rung-\(program.recommended.rawValue)\">\(program.recommended.title)</span></summary>"
        text += "<ul>" + program.reasons.map { "<li>\(escaped($0))</li>" }.joined() + "</ul>"
        for (kind, title) in [
            (Finding.Kind.blocker, "Blockers"), (.condition, "Conditions"), (.unknown, "Not known"), (.note, "Also"),
        ] {
            var found = program.findings.filter { $0.kind == kind && !$0.wantsTracing }.map(finding)
            if kind == .unknown { found += untraced(program) }
            if !found.isEmpty { text += "<h4>\(title)</h4><ul>" + found.joined() + "</ul>" }
        }
        text +=
            "<h4>Predicted</h4><div class=\"wide\"><table class=\"formulas\"><thead><tr><th scope=\"col\">Rung</th><th scope=\"col\">A call</th>"
        text += "<th scope=\"col\">Processor time</th><th scope=\"col\">Memory</th></tr></thead><tbody>"
        text += formulas("now", program.now, isBlocked: false)
        for rung in PlannedRung.allCases {
            let prediction = program.predictions[rung] ?? .unavailable("it was not predicted")
            text += formulas(rung.title, prediction, isBlocked: !program.blockers(of: rung).isEmpty)
        }
        return text + "</tbody></table></div></details>"
    }

    /// What tracing would have told, in one sentence rather than one for each rule.
    private func untraced(_ program: ProgramPlan) -> [String] {
        let rules = program.findings.filter(\.wantsTracing).map(\.rule)
        guard !rules.isEmpty else { return [] }
        return [
            "<li><b>\(escaped(rules.joined(separator: ", ")))</b>: it was not traced; <code>forkless observe --deep</code> tells</li>"
        ]
    }

    private func finding(_ finding: Finding) -> String {
        let rungs =
            finding.rungs.isEmpty
            ? "" : " <small>(\(finding.rungs.sorted().map(\.title).joined(separator: "; ")))</small>"
        let evidence =
            finding.evidence.isEmpty
            ? ""
            : "<ul class=\"evidence\">" + finding.evidence.map { "<li><code>\(escaped($0))</code></li>" }.joined()
                + "</ul>"
        return "<li><b>\(escaped(finding.rule))</b>: \(escaped(finding.sentence))\(rungs)\(evidence)</li>"
    }

    private func formulas(_ title: String, _ reading: Reading<Prediction>, isBlocked: Bool) -> String {
        let head =
            "<tr\(isBlocked ? " class=\"blocked\"" : "")><th scope=\"row\">\(escaped(title))\(isBlocked ? " <small>blocked</small>" : "")</th>"
        switch reading {
        case .unavailable(let why): return head + "<td colspan=\"3\" class=\"none\">\(escaped(why))</td></tr>"
        case .measured(let prediction):
            return head
                + "<td>\(formula(.measured(prediction.latency)))</td><td>\(formula(prediction.cpu))</td><td>\(formula(prediction.memory))</td></tr>"
        }
    }

    private func formula(_ reading: Reading<Formula>) -> String {
        switch reading {
        case .unavailable(let why): return "<span class=\"none\">\(escaped(why))</span>"
        case .measured(let formula):
            return "<b>\(formula.formatted(formula.total))</b><br/><small>\(escaped(formula.text))</small>"
        }
    }

    // MARK: - Calibration

    private var calibration: String {
        let figures = plan.calibration
        var rows = [("spawn of a program that does nothing", timing(.measured(figures.spawn)))]
        rows += figures.forks.map {
            ("fork and exec from \(FloatingText.bytes($0.residentBytes))", timing(.measured($0.timing)))
        }
        rows.append(
            ("for each GiB of the parent", FloatingText.duration(nanoseconds: figures.forkLine.perGiBNanoseconds)))
        rows += [
            ("container for each call", timing(figures.container)),
            ("call that a standby answers", timing(figures.standby)),
            ("call of a function that waits", timing(figures.runtime)),
            ("first call of a function", timing(figures.runtimeFirst)),
        ]
        rows += figures.interpreters.map { ("start of \($0.path)", timing(.measured($0.timing))) }
        let machine = figures.machine
        return """
            <section aria-labelledby="calibration"><h2 id="calibration">Calibration</h2>
            <p>Measured \(escaped("\(figures.at)")) on \(escaped(machine.name)): \(escaped(machine.processor)), \(machine.processors) processors, \
            \(FloatingText.bytes(machine.memoryBytes)), Linux \(escaped(machine.kernel)), huge pages: \(escaped(machine.hugePages)).</p>
            <div class="wide"><table><thead><tr><th scope="col">What</th><th scope="col">Median</th></tr></thead><tbody>
            \(rows.map { "<tr><th scope=\"row\">\(escaped($0.0))</th><td>\(escaped($0.1))</td></tr>" }.joined(separator: "\n"))
            </tbody></table></div></section>
            """
    }

    private func timing(_ reading: Reading<Calibration.Timing>) -> String {
        switch reading {
        case .measured(let timing):
            "\(FloatingText.duration(nanoseconds: timing.nanoseconds)) (\(timing.samples) samples)"
        case .unavailable(let why): why
        }
    }

    private func escaped(_ text: String) -> String { HTMLText.escaped(text) }

    private static let style = """
        :root{--page:#fff;--ink:#1b1f24;--soft:#5a6472;--line:#d9dee5;--card:#f6f8fa;--fork:#e0823d;--copy:#c2413b;--work:#7d8a99;\
        --process:#7d8a99;--container:#2f7fd1;--service:#7a5bd0;--standby:#1f9d6b;--runtime:#b8860b}
        @media (prefers-color-scheme:dark){:root{--page:#14171c;--ink:#e4e8ee;--soft:#9aa5b4;--line:#303743;--card:#1c2129;--fork:#f09a5b;\
        --copy:#e5675f;--work:#8b98a9;--process:#8b98a9;--container:#5ba4ec;--service:#a48bee;--standby:#45c491;--runtime:#e0b040}}
        *{box-sizing:border-box}body{margin:0 auto;max-width:62rem;padding:1.5rem;background:var(--page);color:var(--ink);\
        font:16px/1.5 system-ui,sans-serif}
        h1{font-size:1.7rem;margin:0 0 .3rem}h2{font-size:1.2rem;margin:2rem 0 .6rem}h3{font-size:1rem;margin:0;display:inline;\
        overflow-wrap:anywhere}h4{font-size:.9rem;margin:1rem 0 .3rem;color:var(--soft)}
        p{margin:.3rem 0}small{color:var(--soft)}a{color:inherit}figure{margin:0}ul{margin:.3rem 0;padding-left:1.3rem}
        code{font:.88em ui-monospace,monospace;overflow-wrap:anywhere}
        .caveats{border-left:4px solid var(--fork);background:var(--card);padding:.6rem .6rem .6rem 1.8rem;list-style:disc}
        .wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.92rem}
        th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid var(--line)}
        thead th{color:var(--soft);font-weight:600}tbody th{font-weight:500;overflow-wrap:anywhere;min-width:9rem}
        .number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
        .formulas td{min-width:13rem}.none{color:var(--soft)}.blocked{opacity:.62}
        .rung{display:inline-block;border-radius:.6rem;padding:0 .55rem;border:1.5px solid;white-space:nowrap;font-size:.86rem}
        .rung-process{color:var(--process);fill:var(--process)}.rung-container{color:var(--container);fill:var(--container)}
        .rung-service{color:var(--service);fill:var(--service)}.rung-standby{color:var(--standby);fill:var(--standby)}
        .rung-runtime{color:var(--runtime);fill:var(--runtime)}
        details{border:1px solid var(--line);border-radius:.5rem;padding:.6rem .9rem;margin:.6rem 0}summary{cursor:pointer}
        svg{width:100%;min-width:40rem;height:auto;display:block}svg text{font:13px system-ui,sans-serif;fill:var(--ink)}
        svg .tick,svg .value{fill:var(--soft);font-size:12px}svg .end{text-anchor:end}svg .middle{text-anchor:middle}
        .fork{fill:var(--fork);background:var(--fork)}.copy{fill:var(--copy);background:var(--copy)}.work{fill:var(--work);background:var(--work)}
        .grid{stroke:var(--line)}.link{stroke:var(--soft);stroke-width:1.5}
        .now{fill:var(--page);stroke:var(--copy);stroke-width:2.5;background:var(--page);border:2.5px solid var(--copy)}
        .then{fill:var(--standby);background:var(--standby)}
        .then.provisional{fill:var(--page);stroke:var(--standby);stroke-width:2.5;background:var(--page);border:2.5px solid var(--standby)}
        .legend{color:var(--soft);font-size:.9rem}.key{display:inline-block;width:.8rem;height:.8rem;border-radius:50%;margin:0 .3rem 0 .7rem;\
        vertical-align:-.05rem}.key:first-child{margin-left:0}
        .key.rung-process{background:var(--process)}.key.rung-container{background:var(--container)}.key.rung-service{background:var(--service)}
        .key.rung-standby{background:var(--standby)}.key.rung-runtime{background:var(--runtime)}
        @media print{details{break-inside:avoid}}
        """
}
