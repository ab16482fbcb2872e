import Linux

extension Page {
    static func shifts(_ shifts: [ShiftLine]) -> Page {
        var page = Page("Shifts", in: .shifts, isLive: true)
        page.content.shiftTable(shifts)
        return page
    }

    static func shift(_ details: ShiftDetails, now: Timestamp) -> Page {
        let line = details.line
        var page = Page("Shift of \(line.program)", in: .shifts, isLive: true)
        page.content.element("p", .css("summary")) { $0.state("\(line.stage), \(line.phase)", line.tone) }
        page.content.element("div", .css("actions")) { bar in
            for action in line.actions { bar.button(action, about: line.program) }
        }
        page.content.part("Before and after") { part in
            let rows = [
                ("95th percentile", Numbers.seconds(line.originalP95Seconds), Numbers.seconds(line.targetP95Seconds)),
                ("Failures", Numbers.percent(line.originalFailures), Numbers.percent(line.targetFailures)),
            ]
            part.table("The original and the target", [Column("Measure"), Column("Original", isNumber: true), Column("Target", isNumber: true)], rows, empty: "") {
                line, row, cells in
                cells.header(&line, 0) { $0.write(row.0) }
                cells.cell(&line, 1, row.1)
                cells.cell(&line, 2, row.2)
            }
        }
        page.content.part("About it") { part in
            part.facts(
                [
                    Fact("Program", line.program), Fact("Target", line.target), Fact("Stage", line.stage), Fact("In it since", Numbers.moment(line.since)), Fact("Limits", details.limits),
                    Fact("Calls of this stage", Numbers.count(line.calls)),
                    Fact("Compared, differing", "\(Numbers.count(line.compared)), \(Numbers.count(line.differing))"),
                    Fact("Calls the original had to answer", Numbers.count(line.detours)),
                ] + (details.promotion.isEmpty ? [] : [Fact("Promotion", details.promotion.joined(separator: ", "))])
                    + (line.firstDifference.map { [Fact("First difference", $0)] } ?? []))
        }
        page.content.part("What happened") { part in
            part.table(
                "History, the newest first", [Column("When", isNumber: true), Column("What"), Column("Stage", .roomy), Column("Details")],
                details.history, empty: "Nothing has happened yet."
            ) { line, entry, cells in
                cells.cell(&line, 0) { $0.age(entry.at, now: now) }
                cells.header(&line, 1) { $0.name(entry.kind) }
                cells.cell(&line, 2, entry.stage)
                cells.cell(&line, 3) { $0.name(entry.text, limit: 1000) }
            }
        }
        return page
    }
}

extension ShiftLine {
    var actions: [DashboardAction] {
        var actions: [DashboardAction] = []
        if canRollBack { actions.append(.rollBackShift(id)) }
        if canPause { actions.append(.pauseShift(id)) }
        if canResume { actions.append(.resumeShift(id)) }
        return actions
    }
}

extension Markup {
    mutating func shiftTable(_ shifts: [ShiftLine]) {
        let columns = [
            Column("Program"), Column("To"), Column("Stage"), Column("State"), Column("Calls", isNumber: true),
            Column("Compared", isNumber: true, .roomy), Column("Differing", isNumber: true), Column("p95 before", isNumber: true, .roomy),
            Column("p95 after", isNumber: true, .roomy), Column("Actions"),
        ]
        table("Shifts of programs", columns, shifts, empty: "No program is shifted.") { line, shift, cells in
            cells.header(&line, 0) { cell in
                cell.element("a", .href(Place(["shifts", shift.id]))) { $0.name(shift.program) }
            }
            cells.cell(&line, 1, shift.target)
            cells.cell(&line, 2) { cell in
                cell.share(shift.percent)
                cell.name(shift.stage)
            }
            cells.cell(&line, 3) { $0.state(shift.phase, shift.tone) }
            cells.cell(&line, 4, Numbers.count(shift.calls))
            cells.cell(&line, 5, Numbers.count(shift.compared))
            cells.cell(&line, 6) { cell in
                if shift.differing > 0 {
                    cell.state(Numbers.count(shift.differing), .bad)
                } else {
                    cell.write("0")
                }
            }
            cells.cell(&line, 7, Numbers.seconds(shift.originalP95Seconds))
            cells.cell(&line, 8, Numbers.seconds(shift.targetP95Seconds))
            cells.cell(&line, 9) { cell in
                for action in shift.actions { cell.button(action, about: shift.program) }
            }
        }
    }

    /// How much of a hundred, as a bar; the words stand beside it.
    mutating func share(_ percent: Int) {
        element("meter", Attribute("min", "0"), Attribute("max", "100"), Attribute("value", "\(percent)"), Attribute("aria-label", "\(percent) %"), text: "\(percent) %")
    }
}
