import Linux

extension Page {
    /// The table of all workloads.
    static func workloads(
        _ rows: [Workload], _ selection: WorkloadSelection, total: Int, pages: Int, now: Timestamp
    ) -> Page {
        var page = Page("Workloads", in: .workloads, isLive: true)
        page.fixed.element("form", Attribute("method", "get"), .action(Place(["workloads"])), .css("search"), Attribute("role", "search")) {
            $0.field("Search", "q", selection.search, placeholder: "name, image, state")
            $0.choice("Rung", "rung", [("", "All rungs")] + WorkloadRung.allCases.map { ($0.rawValue, $0.plural) }, selection.rung?.rawValue ?? "")
            $0.void("input", Attribute("type", "hidden"), Attribute("name", "sort"), Attribute("value", selection.order.rawValue))
            $0.void("input", Attribute("type", "hidden"), Attribute("name", "order"), Attribute("value", selection.isDescending ? "desc" : "asc"))
            $0.element("button", Attribute("type", "submit"), text: "Search")
        }
        page.content.element("p", .css("quiet"), Attribute("id", "count")) { line in
            line.write("\(Numbers.count(total)) \(total == 1 ? "workload" : "workloads")")
            if pages > 1 { line.write(", page \(selection.page + 1) of \(pages)") }
        }
        page.content.workloadTable("Workloads on all rungs", rows, sorting: selection, now)
        page.content.pager(selection, pages)
        return page
    }

    static func workload(_ details: WorkloadDetails, now: Timestamp) -> Page {
        let workload = details.workload
        var page = Page(workload.name, in: .workloads, isLive: true)
        if let problem = details.problem { page.content.element("p", .css("notice bad")) { $0.name(problem, limit: 2000) } }
        page.content.element("p", .css("summary")) { line in
            line.state(workload.state, workload.tone)
            line.element("span", .css("tag"), text: workload.rung.rawValue)
            line.element("span", .css("tag"), text: workload.key.kind.rawValue)
        }
        if !details.actions.isEmpty {
            page.content.element("div", .css("actions")) { bar in
                for action in details.actions { bar.button(action, about: workload.name) }
            }
        }
        let figures = workload.figures
        page.content.element("div", .css("tiles")) { tiles in
            tiles.tile("Calls", Numbers.rate(figures.callsPerSecond), "per second")
            tiles.tile("Median", Numbers.seconds(figures.p50Seconds), "last minute")
            tiles.tile("p99", Numbers.seconds(figures.p99Seconds), "last minute")
            tiles.tile("Errors", Numbers.percent(figures.errorShare), "last minute")
            tiles.tile("CPU", Numbers.cpus(workload.cpus), "processors")
            tiles.tile("Memory", Numbers.bytes(workload.memoryBytes), "now")
        }
        if !details.courses.isEmpty { page.content.part("Over time") { $0.courses(details.courses) } }
        page.content.part("About it") { $0.facts(details.facts) }
        if workload.rung == .function || workload.key.kind == .shift {
            page.content.element("p") {
                $0.element("a", .href(Place(["ledger"], query: [("workload", workload.key.id)])), text: "Its calls in the ledger")
            }
        }
        if !details.log.isEmpty {
            page.content.part("Last lines of its log") { part in
                part.element("pre", Attribute("tabindex", "0"), Attribute("role", "region"), Attribute("aria-label", "Log")) { log in
                    for line in details.log {
                        log.name(line, limit: 1000)
                        log.write("\n")
                    }
                }
            }
        }
        return page
    }
}

extension Markup {
    mutating func workloadTable(_ caption: String, _ rows: [Workload], sorting: WorkloadSelection?, _ now: Timestamp) {
        let columns = [
            Column("Name", order: .name), Column("Rung", order: .rung), Column("State", order: .state), Column("What", .roomy),
            Column("Calls/s", isNumber: true, order: .calls), Column("p50", isNumber: true, .roomy, order: .p50),
            Column("p99", isNumber: true, order: .p99), Column("Errors", isNumber: true, .roomy), Column("CPU", isNumber: true, .roomy),
            Column("Memory", isNumber: true, .roomy), Column("Age", isNumber: true, .roomy, order: .since),
        ]
        table(caption, columns, rows, empty: "There is no such workload.", sorting: sorting) { line, workload, cells in
            cells.header(&line, 0) { cell in
                cell.element("a", .href(workload.key.place)) { $0.name(workload.name) }
            }
            cells.cell(&line, 1) { $0.element("span", .css("tag"), text: workload.rung.rawValue) }
            cells.cell(&line, 2) { $0.state(workload.state, workload.tone) }
            cells.cell(&line, 3, workload.what)
            cells.cell(&line, 4, Numbers.rate(workload.figures.callsPerSecond))
            cells.cell(&line, 5, Numbers.seconds(workload.figures.p50Seconds))
            cells.cell(&line, 6, Numbers.seconds(workload.figures.p99Seconds))
            cells.cell(&line, 7, Numbers.percent(workload.figures.errorShare))
            cells.cell(&line, 8, Numbers.cpus(workload.cpus))
            cells.cell(&line, 9, Numbers.bytes(workload.memoryBytes))
            cells.cell(&line, 10) { $0.age(workload.since, now: now) }
        }
    }

    mutating func pager(_ selection: WorkloadSelection, _ pages: Int) {
        guard pages > 1 else { return }
        element("nav", .css("pager"), Attribute("aria-label", "Pages")) { nav in
            if selection.page > 0 {
                nav.element("a", .href(selection.place(page: selection.page - 1)), Attribute("rel", "prev"), Attribute("id", "previous"), text: "Previous")
            }
            nav.element("span", text: "Page \(selection.page + 1) of \(pages)")
            if selection.page + 1 < pages {
                nav.element("a", .href(selection.place(page: selection.page + 1)), Attribute("rel", "next"), Attribute("id", "next"), text: "Next")
            }
        }
    }

    /// A labelled field for a line of text.
    mutating func field(_ label: String, _ name: StaticString, _ value: String, placeholder: String = "", kind: StaticString = "text") {
        element("label") { field in
            field.element("span", text: label)
            field.void(
                "input", Attribute("type", kind.description), Attribute("name", name.description), Attribute("value", value),
                Attribute("placeholder", placeholder), Attribute("maxlength", "512"), Attribute("autocomplete", "off"), Attribute("spellcheck", "false"))
        }
    }

    mutating func choice(_ label: String, _ name: StaticString, _ options: [(String, String)], _ chosen: String) {
        element("label") { field in
            field.element("span", text: label)
            field.element("select", Attribute("name", name.description)) { list in
                for (value, title) in options {
                    if value == chosen {
                        list.element("option", Attribute("value", value), .flag("selected"), text: title)
                    } else {
                        list.element("option", Attribute("value", value), text: title)
                    }
                }
            }
        }
    }
}

extension WorkloadKey {
    var place: Place {
        switch kind {
        case .shift: Place(["shifts", id])
        default: Place(["workloads", kind.rawValue, id])
        }
    }
}

extension WorkloadSelection {
    fileprivate func place(page: Int) -> Place {
        var wish = self
        wish.page = page
        return Place(["workloads"], query: wish.query)
    }
}
