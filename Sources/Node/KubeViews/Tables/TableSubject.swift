import JSON
import KubeSchema

/// An object as a printer of rows sees it: with the time that ages are told from.
struct TableSubject {
    let json: JSONValue
    /// Since 1970-01-01T00:00:00Z.
    let now: Int64

    static let none = "<none>"
    static let unknown = "<unknown>"
    static let unset = "<unset>"

    var name: JSONValue { .string(json["metadata", "name"]?.string ?? "") }
    var age: JSONValue { .string(since(json["metadata", "creationTimestamp"])) }
    var isBeingDeleted: Bool { json["metadata", "deletionTimestamp"]?.string != nil }

    var spec: JSONValue { json["spec"] ?? .null }
    var status: JSONValue { json["status"] ?? .null }

    /// How long ago a time was, "<unknown>" for a missing one (`translateTimestampSince`).
    func since(_ time: JSONValue?) -> String {
        guard let seconds = Self.seconds(time) else { return Self.unknown }
        return HumanDuration.text(seconds: now - seconds)
    }

    /// A time of an object, with seconds or parts of them.
    static func seconds(_ time: JSONValue?) -> Int64? {
        guard let text = time?.string, !text.isEmpty else { return nil }
        return (try? Timestamp(text, .seconds))?.seconds
    }
}

extension JSONValue {
    /// An integer as a cell; 0 when it is missing, as in Go.
    func count(_ name: String) -> JSONValue { .integer(self[name]?.integer ?? 0) }

    func text(_ name: String) -> String { self[name]?.string ?? "" }

    /// A string, or words in its place when it is missing or empty.
    func text(_ name: String, or fallback: String) -> String {
        let text = self.text(name)
        return text.isEmpty ? fallback : text
    }

    func list(_ name: String) -> [JSONValue] { self[name]?.array ?? [] }

    /// The condition of that type.
    func condition(_ type: String) -> JSONValue? { list("conditions").first { $0["type"]?.string == type } }

    /// Labels as "a=b,c=d", in the order of their names (`labels.FormatLabels`).
    var labelText: String {
        let members = self.object?.members ?? []
        if members.isEmpty { return TableSubject.none }
        return members.map { "\($0.key)=\($0.value.string ?? "")" }.sorted().joined(separator: ",")
    }

    /// A selector as text (`metav1.FormatLabelSelector`).
    var selectorText: String {
        guard let selector = try? LabelSelector(object: self) else { return "<error>" }
        let text = selector.isNothing ? "" : selector.description
        return text.isEmpty ? TableSubject.none : text
    }

    /// Names and images of a pod template's containers (`layoutContainerCells`).
    var containerCells: [JSONValue] {
        let containers = self["spec"]?.list("containers") ?? []
        return ["name", "image"].map { field in .string(containers.map { $0.text(field) }.joined(separator: ",")) }
    }
}
