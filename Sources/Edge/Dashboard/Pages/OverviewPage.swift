import Linux

extension Page {
    static func overview(_ model: Overview, now: Timestamp) -> Page {
        var page = Page("Overview", in: .overview, isLive: true)
        for remark in model.remarks {
            page.content.element("p", .css("notice bad")) { $0.name(remark, limit: 500) }
        }
        page.content.element("div", .css("tiles")) { tiles in
            for count in model.rungs {
                tiles.element("a", .css("tile"), .href(Place(["workloads"], query: [("rung", count.rung.rawValue)]))) { tile in
                    tile.element("span", .css("label"), text: count.rung.plural)
                    tile.element("strong", text: Numbers.count(count.running))
                    tile.element("span", .css("quiet"), text: "of \(Numbers.count(count.all))")
                }
            }
            tiles.tile("Calls", Numbers.rate(model.figures.callsPerSecond), "per second")
            tiles.tile("Median", Numbers.seconds(model.figures.p50Seconds), "last minute")
            tiles.tile("p99", Numbers.seconds(model.figures.p99Seconds), "last minute")
            tiles.tile("Errors", Numbers.percent(model.figures.errorShare), "last minute")
            tiles.tile("Node memory", Numbers.bytes(model.residentBytes), "up \(Numbers.age(since: model.startedAt, now: now))")
        }
        page.content.part("Calls over time") { part in
            part.courses(model.courses)
            if model.courses.isEmpty { part.element("p", .css("quiet"), text: "Nothing has been measured yet.") }
        }
        page.content.part("Shifts in progress") { $0.shiftTable(model.shifts) }
        page.content.part("Busiest workloads") { part in
            part.workloadTable("The workloads with the most calls", model.workloads, sorting: nil, now)
            part.element("p") { $0.element("a", .href(Place(["workloads"])), text: "All workloads") }
        }
        page.content.part("Pools and cold starts") { $0.poolTable(model.pools) }
        page.content.part("Latest events") { part in
            part.eventTable(model.events, now)
            part.element("p") { $0.element("a", .href(Place(["events"])), text: "All events") }
        }
        page.content.element("p", .css("quiet")) { $0.write("Forkless \(model.version)") }
        return page
    }
}

extension Markup {
    mutating func tile(_ label: String, _ value: String, _ note: String) {
        element("div", .css("tile")) { tile in
            tile.element("span", .css("label"), text: label)
            tile.element("strong", text: value)
            tile.element("span", .css("quiet"), text: note)
        }
    }

    mutating func poolTable(_ pools: [PoolLine]) {
        let columns = [
            Column("Function"), Column("Version", .roomy), Column("Busy", isNumber: true), Column("Idle", isNumber: true),
            Column("Starting", isNumber: true), Column("Waiting calls", isNumber: true), Column("Calls", isNumber: true),
            Column("Cold", isNumber: true), Column("Copies started", isNumber: true, .roomy),
            Column("Failed starts", isNumber: true, .roomy), Column("Note", .roomy),
        ]
        table("Pools of copies", columns, pools, empty: "No function has been called yet: there are no pools.") { line, pool, cells in
            cells.header(&line, 0) { $0.name(pool.function) }
            cells.cell(&line, 1, pool.version)
            let numbers = [pool.busy, pool.idle, pool.starting, pool.waiting, pool.calls]
            for (index, number) in numbers.enumerated() { cells.cell(&line, 2 + index, Numbers.count(number)) }
            cells.cell(&line, 7, Numbers.count(pool.coldCalls))
            cells.cell(&line, 8, Numbers.count(pool.launched))
            cells.cell(&line, 9, Numbers.count(pool.failedStarts))
            cells.cell(&line, 10, pool.problem ?? "")
        }
    }
}

extension WorkloadRung {
    var plural: String {
        switch self {
        case .process: "Processes"
        case .container: "Containers"
        case .service: "Services"
        case .function: "Functions"
        }
    }
}
