import Linux

// Pieces that several pages are made of.

/// A column of a table.
struct Column: Sendable {
    enum Width: Sendable { case always, roomy }

    var title: String
    var isNumber = false
    /// `roomy`: left out where there is little room.
    var width = Width.always
    var order: WorkloadSelection.Order?

    init(_ title: String, isNumber: Bool = false, _ width: Width = .always, order: WorkloadSelection.Order? = nil) {
        self.title = title
        self.isNumber = isNumber
        self.width = width
        self.order = order
    }

    var css: StaticString {
        switch (isNumber, width) {
        case (false, .always): "text"
        case (true, .always): "number"
        case (false, .roomy): "text roomy"
        case (true, .roomy): "number roomy"
        }
    }
}

extension Markup {
    /// A part of a page with a heading of the second level.
    mutating func part(_ title: String, body: (inout Markup) -> Void) {
        element("section") { section in
            section.element("h2", text: title)
            body(&section)
        }
    }

    /// A table with a caption, headers with scope, and the row's name as its header. A region that scrolls can be reached by keys.
    ///
    /// - Parameters:
    ///   - empty: the sentence that stands there instead when there are no rows.
    ///   - sorting: where a click on a header leads; nil: the order is fixed.
    mutating func table<Row>(
        _ caption: String, _ columns: [Column], _ rows: [Row], empty: String, sorting: WorkloadSelection? = nil,
        row: (inout Markup, Row, Cells) -> Void
    ) {
        guard !rows.isEmpty else { return element("p", .css("quiet"), text: empty) }
        element("div", .css("scroll"), Attribute("role", "region"), Attribute("aria-label", caption), Attribute("tabindex", "0")) { region in
            region.element("table") { table in
                table.element("caption", text: caption)
                table.element("thead") { head in
                    head.element("tr") { line in
                        for column in columns { line.header(column, sorting) }
                    }
                }
                table.element("tbody") { body in
                    for one in rows { body.element("tr") { row(&$0, one, Cells(columns: columns)) } }
                }
            }
        }
    }

    private mutating func header(_ column: Column, _ sorting: WorkloadSelection?) {
        guard let sorting, let order = column.order else {
            return element("th", Attribute("scope", "col"), .css(column.css), text: column.title)
        }
        var wish = sorting
        wish.page = 0
        let isCurrent = sorting.order == order
        wish.order = order
        // Numbers are looked at from the largest on.
        wish.isDescending = isCurrent ? !sorting.isDescending : column.isNumber
        let direction = !isCurrent ? "none" : sorting.isDescending ? "descending" : "ascending"
        element("th", Attribute("scope", "col"), .css(column.css), Attribute("aria-sort", direction)) { cell in
            cell.element("a", .href(Place(["workloads"], query: wish.query)), Attribute("id", "sort-\(order.rawValue)")) { link in
                link.write(column.title)
                if isCurrent { link.element("span", Attribute("aria-hidden", "true"), text: sorting.isDescending ? " ▾" : " ▴") }
            }
        }
    }

    /// A state in words, with a dot in its colour.
    mutating func state(_ text: String, _ tone: Tone) {
        element("span", .css(Self.css(tone))) { $0.name(text, limit: 120) }
    }

    private static func css(_ tone: Tone) -> StaticString {
        switch tone {
        case .good: "state good"
        case .busy: "state busy"
        case .idle: "state idle"
        case .warning: "state warning"
        case .bad: "state bad"
        }
    }

    /// What leads to the question whether something should be done.
    mutating func button(_ action: DashboardAction, about name: String) {
        element("a", .css(action.isDestructive ? "button danger" : "button"), .href(Place(["confirm"], query: action.fields))) { link in
            link.write(action.title)
            link.element("span", .css("unseen")) {
                $0.write(" ")
                $0.name(name)
            }
        }
    }

    mutating func facts(_ facts: [Fact]) {
        guard !facts.isEmpty else { return }
        element("dl", .css("facts")) { list in
            for fact in facts {
                list.element("div") { pair in
                    pair.element("dt", text: fact.name)
                    pair.element("dd") { $0.name(fact.value, limit: DisplayText.textLimit) }
                }
            }
        }
    }

    mutating func courses(_ courses: [Course]) {
        guard !courses.isEmpty else { return }
        element("div", .css("courses")) { grid in
            for course in courses {
                grid.element("figure") { figure in
                    figure.element("figcaption") { caption in
                        caption.element("span", text: course.title)
                        caption.element("strong", text: course.text(course.values.last ?? nil))
                    }
                    figure.spark(course.values, label: course.words, width: 240, height: 48)
                    figure.element("p", .css("quiet"), text: "\(course.span), highest \(course.text(course.highest))")
                }
            }
        }
    }
}

/// Writes the cells of a row under their columns.
struct Cells: Sendable {
    var columns: [Column]

    /// The cell that names the row.
    func header(_ markup: inout Markup, _ column: Int, body: (inout Markup) -> Void) {
        markup.element("th", Attribute("scope", "row"), .css(columns[column].css), body: body)
    }

    func cell(_ markup: inout Markup, _ column: Int, body: (inout Markup) -> Void) {
        markup.element("td", .css(columns[column].css), body: body)
    }

    func cell(_ markup: inout Markup, _ column: Int, _ text: String) {
        markup.element("td", .css(columns[column].css)) { $0.name(text) }
    }
}

extension Course {
    var highest: Double? { values.compactMap { $0 }.max() }

    func text(_ value: Double?) -> String {
        guard let value else { return Numbers.nothing }
        switch unit {
        case .perSecond: return Numbers.rate(value) + "/s"
        case .seconds: return Numbers.seconds(value)
        case .bytes: return Numbers.bytes(Int(value))
        case .cpus: return Numbers.cpus(value)
        case .count: return Numbers.rate(value)
        }
    }

    /// What the line shows, in words.
    var words: String { "\(title), \(span): now \(text(values.last ?? nil)), highest \(text(highest))" }
}
