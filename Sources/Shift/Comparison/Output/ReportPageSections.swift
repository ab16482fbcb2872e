import Plotting

// The parts of a report's page below its top.
extension ReportPage {
    // Numbers.

    var numbers: HTML {
        guard !table.rungs.isEmpty else {
            return section("numbers", "Numbers", [.element("p", "No rung was measured.")])
        }
        var notes = ComparisonNotes()
        var bodies: [HTML] = []
        for group in table.groups {
            let heading = HTML.element(
                "tr", [.element("th", [("scope", "rowgroup"), ("colspan", "\(table.rungs.count + 1)")], group.title)])
            bodies.append(.element("tbody", [heading] + group.rows.map { row($0, &notes) }))
        }
        let head = HTML.element(
            "thead",
            [
                .element(
                    "tr",
                    [.element("td", "")]
                        + table.rungs.map { .element("th", [("scope", "col")], ReportText.title($0)) })
            ])
        let first = ReportText.title(table.rungs[0])
        let caption =
            "Bold: the best of a row. ×: times the value of \(first). Below a number: its confidence interval."
        var children = [scrolling("Numbers", .element("table", [.element("caption", caption), head] + bodies))]
        if !notes.texts.isEmpty {
            let items = notes.texts.enumerated().map { HTML.element("li", [("id", "note-\($0 + 1)")], $1) }
            children.append(.element("ol", [("class", "notes"), ("aria-label", "Notes on the numbers")], items))
        }
        return section("numbers", "Numbers", children)
    }

    private func row(_ row: ReportTable.Row, _ notes: inout ComparisonNotes) -> HTML {
        let best = row.best
        var cells = [HTML.element("th", [("scope", "row")], row.label)]
        for (index, figure) in row.figures.enumerated() {
            var parts = [HTML.text(figure.text)]
            let note = figure.origin == .unavailable ? figure.explanation : figure.caveat
            if let note {
                _ = notes.mark(for: ReportText.cut(note, to: 300))
                let number = (notes.texts.firstIndex(of: ReportText.cut(note, to: 300)) ?? 0) + 1
                parts.append(.element("sup", [.element("a", [("href", "#note-\(number)")], "\(number)")]))
            }
            let ratio = row.ratio(index)
            if !ratio.isEmpty { parts += [.text(" "), .element("span", [("class", "ratio")], ratio)] }
            let interval = figure.intervalText(row.unit)
            if !interval.isEmpty { parts.append(.element("span", [("class", "interval")], interval)) }
            let isBad =
                row.name == "failures" && figure.value ?? 0 > 0
                || row.name == "results"
                    && (report.rungs[index].results.isDifferent || report.rungs[index].inconsistent != nil)
            let look = isBad ? "bad" : best.contains(index) ? "best" : ""
            cells.append(.element("td", look.isEmpty ? [] : [("class", look)], parts))
        }
        return .element("tr", cells)
    }

    // Plots.

    var figures: HTML {
        let figures = ReportPlots(report).figures
        guard !figures.isEmpty else {
            return section("plots", "Plots", [.element("p", "Nothing was measured that could be drawn.")])
        }
        return section("plots", "Plots", [.element("div", [("class", "figures")], figures.map(figure))])
    }

    private func figure(_ figure: ReportPlots.Figure) -> HTML {
        let wide = HTML.plot(PlotSVG(figure.plot, id: "plot-\(figure.name)", width: 600, height: 360))
        let narrow = HTML.plot(PlotSVG(figure.plot, id: "plot-\(figure.name)-narrow", width: 350, height: 330))
        let numbers = plainTable("\(figure.plot.title), in numbers", figure.columns, figure.rows)
        return .element(
            "figure", [("aria-labelledby", "figure-\(figure.name)")],
            [
                .element("h3", [("id", "figure-\(figure.name)")], figure.plot.title),
                .element("div", [("class", "wide")], [wide]), .element("div", [("class", "narrow")], [narrow]),
                .element("figcaption", figure.caption),
                .element(
                    "details",
                    [.element("summary", "The numbers"), scrolling("\(figure.plot.title), in numbers", numbers)]),
                .lineBreak,
            ])
    }

    // Isolation.

    var isolation: HTML? {
        let probed = report.rungs.compactMap { rung in
            rung.isolation.value.map { (title: ReportText.title(rung.rung), findings: $0.elements) }
        }
        guard !probed.isEmpty else { return nil }
        var order: [IsolationFinding] = []
        for finding in probed.flatMap(\.findings) where !order.contains(where: { $0.name == finding.name }) {
            order.append(finding)
        }
        let head = HTML.element(
            "tr",
            [.element("th", [("scope", "col")], "Can a program there …")]
                + probed.map { .element("th", [("scope", "col")], $0.title) })
        let rows = order.map { asked in
            HTML.element(
                "tr",
                [.element("th", [("scope", "row")], ReportText.cut(asked.question, to: 120))]
                    + probed.map { probe in
                        guard let finding = probe.findings.first(where: { $0.name == asked.name }) else {
                            return .element("td", [("class", "unknown")], "not tried")
                        }
                        return .element("td", [("class", finding.outcome.word)], finding.outcome.word)
                    })
        }
        let seen = probed.flatMap { probe in
            probe.findings.map { finding in
                var detail = finding.detail
                if case .unknown(let reason) = finding.outcome { detail = reason }
                return [probe.title, finding.name, finding.outcome.word, ReportText.cut(detail, to: 300)]
            }
        }
        let caption = "Tried from inside of each rung by a program of ours: each attempt is made for real and undone."
        return section(
            "isolation", "Isolation",
            [
                scrolling(
                    "Isolation",
                    .element(
                        "table", [.element("caption", caption), .element("thead", [head]), .element("tbody", rows)])),
                // Hundreds of lines, for those who ask: not on paper.
                .element(
                    "details", [("class", "seen")],
                    [
                        .element("summary", "What was seen"),
                        scrolling(
                            "What was seen",
                            wordTable("What each attempt saw", ["rung", "attempt", "outcome", "seen"], seen)),
                    ]),
            ])
    }

    private func wordTable(_ caption: String, _ columns: [String], _ rows: [[String]]) -> HTML {
        .element(
            "table",
            [
                .element("caption", caption),
                .element(
                    "thead",
                    [.element("tr", columns.map { .element("th", [("scope", "col"), ("class", "words")], $0) })]),
                .element(
                    "tbody",
                    rows.map { row in
                        .element(
                            "tr",
                            row.enumerated().map { index, cell in
                                index == 0
                                    ? .element("th", [("scope", "row")], cell)
                                    : .element("td", [("class", "words")], cell)
                            })
                    }),
            ])
    }

    // Steps.

    var steps: HTML? {
        let known = report.rungs.filter { $0.deploySteps.value != nil || $0.rollBackSteps.value != nil }
        guard !known.isEmpty else { return nil }
        let cards = known.map { rung in
            var parts = [HTML.element("h3", ReportText.title(rung.rung))]
            if !rung.setUp.isEmpty {
                parts.append(.element("p", [("class", "quiet")], ReportText.cut(rung.setUp, to: 300)))
            }
            for (title, steps) in [("To deploy:", rung.deploySteps), ("To roll back:", rung.rollBackSteps)] {
                guard let commands = steps.value?.elements else {
                    parts.append(.element("p", "\(title) \(ReportText.cut(steps.explanation, to: 300))"))
                    continue
                }
                parts.append(.element("p", commands.isEmpty ? "\(title) nothing" : title))
                if !commands.isEmpty {
                    parts.append(
                        .element(
                            "ol", commands.map { .element("li", [.element("code", ReportText.cut($0, to: 1000))]) }))
                }
            }
            return HTML.element("div", parts)
        }
        return section("steps", "Steps", [.element("div", [("class", "steps")], cards)])
    }

    // Methods.

    var methods: HTML {
        let method = report.method
        var terms: [(String, String)] = [
            ("Effort", method.effort),
            (
                "Repetitions",
                "\(method.repetitions), of \(FloatingText.grouped(method.callsPerRepetition)) calls one at a time"
            ),
            ("Warm-up", method.warmUp), ("Seed", "\(method.seed), of arrivals and of the bootstrap"),
            ("A call hangs", "after \(FloatingText.duration(nanoseconds: method.timeoutNanoseconds))"),
            ("Calls at once", "at most \(FloatingText.grouped(method.concurrency))"),
        ]
        if !report.prices.isEmpty { terms.append(("Prices", report.prices)) }
        terms.append(contentsOf: driver)
        var parts = [definitions(terms)]
        if !method.rules.isEmpty {
            parts.append(.element("ul", method.rules.map { .element("li", ReportText.cut($0, to: 600)) }))
        }
        let groups = table.groups.map { group in
            HTML.element(
                "details",
                [.element("summary", group.title), definitions(group.rows.flatMap(explanations))])
        }
        return section("methods", "Methods and formulas", parts + groups)
    }

    private var driver: [(String, String)] {
        var terms: [(String, String)] = []
        if let cpu = report.driver.cpuPerCall.value {
            terms.append(
                (
                    "Measuring itself",
                    "\(FloatingText.duration(nanoseconds: cpu.value * 1000)) of processor time for a call: \(report.driver.cpuPerCall.explanation)"
                ))
        }
        if let delay = report.driver.delay.value {
            let (half, most) = (delay.histogram.value(atPercentile: 50), delay.histogram.value(atPercentile: 99))
            terms.append(
                (
                    "What it adds to a latency",
                    "p50 \(FloatingText.duration(nanoseconds: half)), p99 \(FloatingText.duration(nanoseconds: most)): \(report.driver.delay.explanation)"
                ))
        }
        return terms
    }

    /// What a row's figures are from: each explanation once, with the rungs that it belongs to.
    private func explanations(_ row: ReportTable.Row) -> [(String, String)] {
        var texts: [(explanation: String, rungs: [String])] = []
        for (index, figure) in row.figures.enumerated() {
            let origin = figure.origin == .measured ? "" : figure.origin == .derived ? "derived: " : "not there: "
            let text = origin + ReportText.cut(figure.explanation, to: 600)
            let title = ReportText.title(table.rungs[index])
            if let at = texts.firstIndex(where: { $0.explanation == text }) {
                texts[at].rungs.append(title)
            } else {
                texts.append((text, [title]))
            }
        }
        return texts.map { text, rungs in
            (row.label, rungs.count == table.rungs.count ? text : "\(rungs.joined(separator: ", ")): \(text)")
        }
    }

    func definitions(_ terms: [(String, String)]) -> HTML {
        .element(
            "dl",
            terms.filter { !$0.1.isEmpty }.flatMap { term, text in
                [.element("dt", term), .element("dd", ReportText.cut(text, to: 1000))]
            })
    }

    // The machine.

    var machine: HTML {
        let machine = report.machine
        let noise = report.noise
        let loops = noise.calibrationNanoseconds
        let calibration =
            loops.isEmpty
            ? ""
            : "the same loop, \(loops.count) times: \(FloatingText.duration(nanoseconds: loops.min() ?? 0)) to "
                + "\(FloatingText.duration(nanoseconds: loops.max() ?? 0)), coefficient of variation \(FloatingText.fixed(noise.coefficientOfVariation * 100, decimals: 1)) %"
        func share(_ quantity: Quantity<Share>) -> String {
            quantity.value.map { "\(FloatingText.fixed($0.fraction * 100, decimals: 1)) % (\(quantity.explanation))" }
                ?? "unknown: \(quantity.explanation)"
        }
        var parts = [
            definitions([
                ("Host", machine.host), ("System", machine.system), ("Kernel", machine.kernel),
                (
                    "Processor",
                    [machine.processor, machine.processors > 0 ? "\(machine.processors) for this run" : ""].filter {
                        !$0.isEmpty
                    }.joined(separator: ", ")
                ),
                (
                    "Memory",
                    "\(FloatingText.bytes(machine.memoryBytes)), \(FloatingText.bytes(machine.availableBytes)) free when it began, swap \(FloatingText.bytes(machine.swapBytes))"
                ),
                ("Control groups", machine.cgroups), ("Virtualisation", machine.virtualisation),
                ("Clock governor", machine.governor),
                ("Huge pages", machine.hugePages),
                (
                    "Noise",
                    noise.verdict.rawValue + (noise.reasons.isEmpty ? "" : ". " + noise.reasons.joined(separator: " "))
                ),
                ("Taken by the hypervisor", share(noise.stealFraction)),
                ("Taken by others", share(noise.othersFraction)),
                (
                    "Load average",
                    "\(FloatingText.fixed(noise.loadBefore, decimals: 2)) before, \(FloatingText.fixed(noise.loadAfter, decimals: 2)) after"
                ),
                ("Calibration", calibration),
            ]),
            .element("h3", "What was run"),
            definitions([
                ("Arrivals", report.workload.arrivals),
                (
                    "Calling process",
                    report.workload.parentBytes > 0
                        ? "\(FloatingText.bytes(report.workload.parentBytes)) resident" : "no larger than it has to be"
                ),
            ]),
        ]
        for program in report.workload.programs {
            let share =
                report.workload.programs.count > 1
                ? ", \(FloatingText.fixed(program.share.fraction * 100, decimals: 0)) % of all calls" : ""
            let inputs = program.inputs == 1 ? "1 input" : "\(FloatingText.grouped(program.inputs)) inputs"
            parts.append(
                .element("pre", [.element("code", ReportText.cut(program.command.joined(separator: " "), to: 2000))]))
            parts.append(
                .element(
                    "p", [("class", "quiet")],
                    "\(ReportText.cut(program.name, to: 120)): \(inputs), \(FloatingText.bytes(program.inputBytes))\(share)"
                ))
        }
        return section("machine", "Machine and noise", parts)
    }
}
