package import JSON

/// One thing that is wrong with an object: where, what sort of mistake, and the words for it (`field.Error` in
/// k8s.io/apimachinery).
package struct Cause: Hashable, Sendable {
    /// `reason` of the cause in the Status.
    package enum Reason: String, Hashable, Sendable {
        case notFound = "FieldValueNotFound"
        case required = "FieldValueRequired"
        case duplicate = "FieldValueDuplicate"
        case invalid = "FieldValueInvalid"
        /// A value of another type.
        case typeInvalid = "FieldValueTypeInvalid"
        case notSupported = "FieldValueNotSupported"
        case forbidden = "FieldValueForbidden"
        case tooLong = "FieldValueTooLong"
        case tooMany = "FieldValueTooMany"

        var words: String {
            switch self {
            case .notFound: "Not found"
            case .required: "Required value"
            case .duplicate: "Duplicate value"
            case .invalid, .typeInvalid: "Invalid value"
            case .notSupported: "Unsupported value"
            case .forbidden: "Forbidden"
            case .tooLong: "Too long"
            case .tooMany: "Too many"
            }
        }

        var showsValue: Bool {
            switch self {
            case .notFound, .duplicate, .invalid, .typeInvalid, .notSupported, .tooMany: true
            case .required, .forbidden, .tooLong: false
            }
        }
    }

    package let reason: Reason
    package let path: FieldPath
    package let value: JSONValue
    package let detail: String

    package init(_ reason: Reason, _ path: FieldPath, value: JSONValue = "", _ detail: String = "") {
        self.init(reason: reason, path: path, value: value, detail: detail)
    }

    package init(reason: Reason, path: FieldPath, value: JSONValue, detail: String) {
        self.reason = reason
        self.path = path
        self.value = value
        self.detail = detail
    }

    /// What the Status says of it: `Invalid value: -1: must be greater than or equal to 0`.
    package var message: String {
        var text = reason.words
        if reason.showsValue {
            if let string = value.string {
                text += ": " + quoted(string)
            } else {
                text += ": " + JSONWriter.text(value)
            }
        }
        return detail.isEmpty ? text : text + ": " + detail
    }

    /// The message behind the path.
    package var description: String { "\(path): \(message)" }
}

/// An object that breaks rules of its kind. The server answers 422 with this.
package struct InvalidObject: Error, Hashable, Sendable, CustomStringConvertible {
    package let kind: GroupVersionKind
    package let name: String
    package let causes: [Cause]

    package init(kind: GroupVersionKind, name: String, causes: [Cause]) {
        self.kind = kind
        self.name = name
        self.causes = causes
    }

    /// `Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1: must be ...`; several stand in brackets.
    package var description: String {
        var seen: Set<String> = []
        let texts = causes.map(\.description).filter { seen.insert($0).inserted }
        let subject = kind.group.isEmpty ? kind.kind : "\(kind.kind).\(kind.group)"
        let list = texts.count == 1 ? texts[0] : "[" + texts.joined(separator: ", ") + "]"
        return "\(subject) \(quoted(name)) is invalid: \(list)"
    }

    /// The `details` of the Status.
    package var details: JSONValue {
        var details: JSONValue = ["name": .string(name)]
        if !kind.group.isEmpty { details["group"] = .string(kind.group) }
        details["kind"] = .string(kind.kind)
        details["causes"] = .array(
            causes.map { cause in
                [
                    "reason": .string(cause.reason.rawValue), "message": .string(cause.message),
                    "field": .string(cause.path.description),
                ]
            })
        return details
    }
}

/// Collects what is wrong.
struct Causes {
    private(set) var list: [Cause] = []

    /// As many as one answer says: an object of a million wrong labels does not make an answer of a gigabyte.
    static let limit = 1000

    private mutating func add(_ reason: Cause.Reason, _ place: Located, _ detail: String, _ value: JSONValue? = nil) {
        guard list.count < Self.limit else { return }
        list.append(Cause(reason: reason, path: place.path, value: value ?? place.json ?? "", detail: detail))
    }

    mutating func required(_ place: Located, _ detail: String = "") { add(.required, place, detail) }
    mutating func forbidden(_ place: Located, _ detail: String) { add(.forbidden, place, detail) }
    mutating func duplicate(_ place: Located, _ value: JSONValue? = nil) { add(.duplicate, place, "", value) }
    mutating func notFound(_ place: Located) { add(.notFound, place, "") }
    mutating func invalid(_ place: Located, _ detail: String, value: JSONValue? = nil) {
        add(.invalid, place, detail, value)
    }
    mutating func invalid(_ place: Located, _ details: [String], value: JSONValue? = nil) {
        for detail in details { invalid(place, detail, value: value) }
    }
    mutating func notSupported(_ place: Located, _ supported: [String]) {
        let list = supported.map(quoted).joined(separator: ", ")
        add(.notSupported, place, list.isEmpty ? "" : "supported values: \(list)")
    }
    mutating func tooLong(_ place: Located, limit: Int) { add(.tooLong, place, "may not be more than \(limit) bytes") }

    /// Says it of a list by the number of its elements.
    mutating func tooMany(_ place: Located, limit: Int) {
        add(.tooMany, place, "must have at most \(limit) items", .integer(Int64(place.elements.count)))
    }

    /// Says it when an integer that is there lies below 0.
    mutating func nonNegative(_ place: Located) {
        if let value = place.integer, value < 0 { invalid(place, "must be greater than or equal to 0") }
    }

    mutating func inRange(_ place: Located, _ range: ClosedRange<Int64>) {
        guard let value = place.integer, !range.contains(value) else { return }
        invalid(place, "must be between \(range.lowerBound) and \(range.upperBound), inclusive")
    }
}

/// A value with its place: rules walk an object and know at each step what to call it.
struct Located {
    let json: JSONValue?
    let path: FieldPath

    init(_ json: JSONValue?, _ path: FieldPath = .root) {
        self.json = json.flatMap { $0.isNull ? nil : $0 }
        self.path = path
    }

    subscript(name: String) -> Located { Located(json?[name], path.child(name)) }
    func entry(_ key: String) -> Located { Located(json?[key], path.key(key)) }

    var exists: Bool { json != nil }
    /// Empty when it is missing, as in Go.
    var text: String { json?.string ?? "" }
    var integer: Int64? { json?.integer }
    var isTrue: Bool { json?.bool == true }
    var elements: [Located] { (json?.array ?? []).enumerated().map { Located($1, path.index($0)) } }
    var entries: [(key: String, value: Located)] {
        (json?.object?.members ?? []).map { ($0.key, Located($0.value, path.key($0.key))) }
    }
    var isEmpty: Bool {
        switch json {
        case nil, .null: true
        case .string(let text): text.isEmpty
        case .array(let elements): elements.isEmpty
        case .object(let members): members.isEmpty
        default: false
        }
    }
}
