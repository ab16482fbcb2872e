import Linux

extension Page {
    static func ledger(_ model: LedgerModel, _ search: LedgerSearch, now: Timestamp) -> Page {
        var page = Page("Ledger", in: .ledger, isLive: true)
        page.fixed.element("form", Attribute("method", "get"), .action(Place(["ledger"])), .css("search"), Attribute("role", "search")) { form in
            form.field("Workload", "workload", search.workload)
            form.field("Request id", "request", search.requestID)
            form.choice("Outcome", "outcome", [("", "Any")] + model.outcomes.map { ($0, $0) }, search.outcome)
            form.field("From", "from", search.from, placeholder: "2026-11-23 or 2026-11-23T06:00:00Z")
            form.field("Until", "to", search.to, placeholder: "2026-11-24")
            form.element("button", Attribute("type", "submit"), text: "Search")
        }
        page.content.element("div", .css("summary")) { line in
            if model.isVerifying {
                line.state("It is being verified.", .busy)
            } else if let check = model.check {
                if let fault = check.fault {
                    line.state("Damaged: \(fault)", .bad)
                } else {
                    line.state(check.good == 1 ? "Verified: 1 record is good." : "Verified: \(Numbers.count(check.good)) records are good.", .good)
                }
                line.element("span", .css("quiet")) { note in
                    note.write(" ")
                    note.age(check.at, now: now)
                    note.write(" ago; head ")
                    note.element("code") { $0.name(check.head, limit: 120) }
                }
            } else {
                line.state("Not verified since the node was started.", .idle)
            }
            line.button(.verifyLedger, about: "the ledger")
        }
        if let problem = model.problem { page.content.element("p", .css("notice bad"), Attribute("role", "alert")) { $0.name(problem, limit: 500) } }
        let columns = [
            Column("Record", isNumber: true), Column("Time (UTC)"), Column("Workload"), Column("Outcome"), Column("Start", .roomy),
            Column("Source", .roomy), Column("Waited", isNumber: true, .roomy), Column("Took", isNumber: true),
            Column("Peak memory", isNumber: true, .roomy), Column("Request id", .roomy),
        ]
        page.content.element("p", .css("quiet"), text: "The newest first, at most \(LedgerSearch.limit).")
        page.content.table(
            "Records, the newest first, at most \(LedgerSearch.limit)", columns, model.records, empty: "No record is like that."
        ) { line, record, cells in
            cells.header(&line, 0) { $0.write("\(record.sequence)") }
            cells.cell(&line, 1) { $0.moment(record.at) }
            cells.cell(&line, 2) { cell in
                cell.element("a", .href(Place(["ledger"], query: [("workload", record.workload)]))) { $0.name(record.workload) }
            }
            cells.cell(&line, 3) { $0.state(record.outcome, record.tone) }
            cells.cell(&line, 4, record.start)
            cells.cell(&line, 5, record.source)
            cells.cell(&line, 6, Numbers.seconds(record.queueSeconds))
            cells.cell(&line, 7, Numbers.seconds(record.durationSeconds))
            cells.cell(&line, 8, Numbers.bytes(record.peakMemoryBytes))
            cells.cell(&line, 9) { $0.element("code") { $0.name(record.requestID, limit: 64) } }
        }
        return page
    }
}
