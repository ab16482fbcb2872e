import Linux

extension Page {
    static func functions(_ model: FunctionsModel) -> Page {
        var page = Page("Functions", in: .functions, isLive: true)
        if let all = model.memoryMB, let used = model.usedMemoryMB {
            page.content.element("p", .css("quiet"), text: "Copies have \(Numbers.count(used)) of \(Numbers.count(all)) MB of memory.")
        }
        let columns = [
            Column("Function"), Column("Runtime", .roomy), Column("Memory MB", isNumber: true, .roomy), Column("Calls", isNumber: true),
            Column("Errors", isNumber: true), Column("Cold", isNumber: true), Column("p50", isNumber: true, .roomy),
            Column("p99", isNumber: true), Column("Billed s", isNumber: true, .roomy), Column("Cost", isNumber: true),
            Column("Kept ready", isNumber: true, .roomy), Column("Actions"),
        ]
        page.content.part("Functions with their cost") { part in
            part.table("Functions with their calls and cost", columns, model.functions, empty: "No function is declared.") { line, function, cells in
                cells.header(&line, 0) { cell in
                    cell.element("a", .href(Place(["workloads", "function", function.name]))) { $0.name(function.name) }
                }
                cells.cell(&line, 1, function.runtime)
                cells.cell(&line, 2, Numbers.count(function.memoryMB))
                cells.cell(&line, 3, Numbers.count(function.calls))
                cells.cell(&line, 4, Numbers.count(function.errors))
                cells.cell(&line, 5, Numbers.count(function.coldStarts))
                cells.cell(&line, 6, Numbers.seconds(function.p50Seconds))
                cells.cell(&line, 7, Numbers.seconds(function.p99Seconds))
                cells.cell(&line, 8, Numbers.rate(function.billedSeconds))
                cells.cell(&line, 9, function.cost ?? Numbers.nothing)
                cells.cell(&line, 10, Numbers.count(function.provisioned))
                cells.cell(&line, 11) { cell in
                    for qualifier in function.qualifiers.prefix(3) {
                        cell.button(.provision(function: function.name, qualifier: qualifier, copies: nil), about: "\(function.name), \(qualifier)")
                    }
                    cell.button(.deleteFunction(function.name), about: function.name)
                }
            }
            if let note = model.costNote { part.element("p", .css("quiet"), text: note) }
        }
        page.content.part("Pools and cold starts") { $0.poolTable(model.pools) }
        return page
    }
}
