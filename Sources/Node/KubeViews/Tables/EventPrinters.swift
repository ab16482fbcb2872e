import JSON

/// Events of core/v1 and of events.k8s.io/v1, which name the same things otherwise.
enum EventPrinters {
    static let all: [String: Printer] = [
        "Event": printer(
            Names(
                object: "involvedObject", message: "message", source: "source", controller: "reportingComponent",
                first: "firstTimestamp", last: "lastTimestamp", count: "count")),
        "Event.events.k8s.io": printer(
            Names(
                object: "regarding", message: "note", source: "deprecatedSource", controller: "reportingController",
                first: "deprecatedFirstTimestamp", last: "deprecatedLastTimestamp", count: "deprecatedCount")),
    ]

    private struct Names {
        var object: String
        var message: String
        var source: String
        var controller: String
        var first: String
        var last: String
        var count: String
    }

    private static func printer(_ names: Names) -> Printer {
        let own = [
            names.object, names.message, names.source, names.controller, names.first, names.last, names.count,
        ]
        return Printer(own + ["type", "reason", "series", "eventTime", "reportingInstance"]) { subject in
            let json = subject.json
            let object = json[names.object] ?? .null
            let kind = object.text("kind").lowercased()
            let name = object.text("name")
            let source = json[names.source] ?? .null
            let component = source.text("component", or: json.text(names.controller))
            let host = source.text("host", or: json.text("reportingInstance"))
            let (first, last, count) = times(subject, names)
            return [
                .string(last), .string(json.text("type")), .string(json.text("reason")),
                .string(name.isEmpty ? kind : "\(kind)/\(name)"), .string(object.text("fieldPath")),
                .string(host.isEmpty ? component : "\(component), \(host)"), .string(trimmed(json.text(names.message))),
                .string(first), .integer(count), subject.name,
            ]
        }
    }

    /// When it happened first and last, and how often.
    private static func times(_ subject: TableSubject, _ names: Names) -> (String, String, Int64) {
        let json = subject.json
        func isMissing(_ name: String) -> Bool { json.text(name).isEmpty }
        let first = subject.since(json[isMissing(names.first) ? "eventTime" : names.first])
        var last = isMissing(names.last) ? first : subject.since(json[names.last])
        var count = json[names.count]?.integer ?? 0
        if let series = json["series"], !series.isNull {
            last = subject.since(series["lastObservedTime"])
            count = series["count"]?.integer ?? 0
        } else if count == 0 {
            // Events of the new API that have happened once have no count.
            count = 1
        }
        return (first, last, count)
    }

    private static func trimmed(_ text: String) -> String {
        var part = text[...]
        while part.first?.isWhitespace == true { part.removeFirst() }
        while part.last?.isWhitespace == true { part.removeLast() }
        return String(part)
    }
}
