package import JSON

/// Why a text is no set of fields.
package struct FieldsV1Error: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String
}

extension FieldSet {
    /// The form of `fieldsV1` in managed fields (KEP-555): a member for each step, "." where the step itself belongs to
    /// the set and something lies below.
    package var fieldsV1: JSONValue {
        var steps: [String: FieldSet] = [:]
        for member in members { steps[member.fieldsV1] = FieldSet() }
        for (element, child) in children { steps[element.fieldsV1] = child }
        let own = Set(members.map(\.fieldsV1))
        var result = JSONObject()
        for (text, child) in steps.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            var below = JSONObject()
            if !child.isEmpty, own.contains(text) { below["."] = [:] }
            for member in child.fieldsV1.object?.members ?? [] { below[member.key] = member.value }
            result[text] = .object(below)
        }
        return .object(result)
    }

    /// - Throws: `FieldsV1Error` for a step that is none.
    package init(fieldsV1 json: JSONValue) throws(FieldsV1Error) {
        self.init()
        guard let object = json.object else {
            throw FieldsV1Error(description: "fieldsV1 has to be an object, not \(json.kindName)")
        }
        for member in object.members where member.key != "." {
            let element = try PathElement(fieldsV1: member.key)
            let below = try FieldSet(fieldsV1: member.value)
            if below.isEmpty || member.value["."] != nil { insert([element]) }
            insert(below, below: element)
        }
    }
}

extension PathElement {
    var fieldsV1: String {
        switch self {
        case .field(let name): "f:" + name
        case .key(let keys): "k:" + JSONWriter.text(.object(keys))
        case .value(let value): "v:" + JSONWriter.text(value)
        case .index(let index): "i:\(index)"
        }
    }

    init(fieldsV1 text: String) throws(FieldsV1Error) {
        let rest = String(text.dropFirst(2))
        switch text.prefix(2) {
        case "f:": self = .field(rest)
        case "i:":
            guard let index = Int(rest), index >= 0 else {
                throw FieldsV1Error(description: "\(quoted(text)) names no place in a list")
            }
            self = .index(index)
        case "k:", "v:":
            guard let json = try? JSONParser.parse(rest) else {
                throw FieldsV1Error(description: "\(quoted(text)) has no JSON after its second character")
            }
            if text.hasPrefix("v:") {
                self = .value(json)
            } else {
                guard let keys = json.object else {
                    throw FieldsV1Error(description: "\(quoted(text)) has no object of keys")
                }
                self = .key(PathElement.sorted(keys))
            }
        default:
            throw FieldsV1Error(
                description: "\(quoted(text)) is no step of a field's path: it begins with none of f:, k:, v:, i:")
        }
    }

    /// Keys in the order of their names, as they are written.
    static func sorted(_ keys: JSONObject) -> JSONObject {
        var result = JSONObject()
        for member in keys.members.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            result[member.key] = member.value
        }
        return result
    }
}
