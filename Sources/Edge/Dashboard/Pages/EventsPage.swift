import Linux

extension Page {
    static func events(_ events: [EventLine], now: Timestamp) -> Page {
        var page = Page("Events", in: .events, isLive: true)
        page.content.eventTable(events, now)
        return page
    }
}

extension Markup {
    mutating func eventTable(_ events: [EventLine], _ now: Timestamp) {
        let columns = [Column("Age", isNumber: true), Column("What"), Column("Event"), Column("Whose"), Column("Details", .roomy)]
        table("Events, the newest first", columns, events, empty: "Nothing has happened since the node was started.") { line, event, cells in
            cells.cell(&line, 0) { $0.age(event.at, now: now) }
            cells.cell(&line, 1, event.kind)
            cells.header(&line, 2) { cell in
                if event.isWarning { cell.state(event.action, .warning) } else { cell.name(event.action) }
            }
            cells.cell(&line, 3, event.subject)
            cells.cell(&line, 4) { $0.name(event.text, limit: 300) }
        }
    }
}
