import Linux

extension Page {
    static func reports(_ reports: [ReportLine], now: Timestamp) -> Page {
        var page = Page("Reports", in: .reports)
        let columns = [Column("Report"), Column("What was compared"), Column("State"), Column("Made", isNumber: true), Column("Size", isNumber: true, .roomy)]
        page.content.table(
            "Comparison reports", columns, reports, empty: "No report is saved. `forkless compare --save NAME -- PROGRAM` saves one."
        ) { line, report, cells in
            cells.header(&line, 0) { cell in
                cell.element("a", .href(Place(["reports", report.name]))) { $0.name(report.name) }
            }
            cells.cell(&line, 1) { $0.name(report.title, limit: 200) }
            cells.cell(&line, 2) { cell in
                if let problem = report.problem { cell.state(problem, .warning) } else { cell.state("complete", .good) }
            }
            cells.cell(&line, 3) { $0.age(report.savedAt, now: now) }
            cells.cell(&line, 4, Numbers.bytes(report.bytes))
        }
        return page
    }
}
