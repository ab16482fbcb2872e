import JSON
import KubeSchema

/// Checks a custom resource by its schema, with the sentences of kube-openapi's validation.
///
/// Invariants (tests in CustomResourceTests):
/// 1. Any value and any schema give causes, at most `limit`, none traps.
///    (`any schema is read, and checked against anything`)
/// 2. What a schema's own defaults fill in is not refused for want of a field. (`defaults come before checks`)
struct ResourceCheck {
    private(set) var causes: [Cause] = []
    /// What expressions may cost for one object: values times the size of the expression.
    private var budget = 100_000_000

    static let limit = 100

    static func causes(_ object: JSONValue, _ node: SchemaNode) -> [Cause] {
        var check = ResourceCheck()
        check.value(object, node, .root)
        return check.causes
    }

    private mutating func add(_ reason: Cause.Reason, _ path: FieldPath, _ value: JSONValue = "", _ detail: String = "")
    {
        guard causes.count < Self.limit else { return }
        causes.append(Cause(reason, path, value: value, detail))
    }

    /// The place as sentences name it.
    private func place(_ path: FieldPath) -> String {
        let text = path.description
        return text.isEmpty ? "" : text + " "
    }

    // MARK: Values

    private mutating func value(_ json: JSONValue, _ node: SchemaNode, _ path: FieldPath) {
        if json.isNull, node.isNullable { return }
        guard hasType(json, node, path) else { return }
        if let values = node.values, !values.contains(json) {
            let list = values.map { $0.string.map(quoted) ?? JSONWriter.text($0) }.joined(separator: ", ")
            add(.notSupported, path, json, "supported values: \(list)")
        }
        switch json {
        case .string(let text): string(text, node, path)
        case .integer, .number: number(json, node, path)
        case .array(let elements): array(elements, node, path)
        case .object(let members): object(members, node, path)
        default: break
        }
        combinations(json, node, path)
    }

    private mutating func hasType(_ json: JSONValue, _ node: SchemaNode, _ path: FieldPath) -> Bool {
        let found = Self.typeName(json)
        let wanted: String
        if node.isIntOrString {
            if found == "integer" || found == "string" { return true }
            wanted = "integer,string"
        } else {
            guard !node.type.isEmpty, node.type != found else { return true }
            if node.type == "number", found == "integer" { return true }
            // 1.0 is an integer to JSON schemas.
            if node.type == "integer", let number = json.double, number.rounded() == number { return true }
            wanted = node.type
        }
        add(.typeInvalid, path, .string(found), "\(place(path))in body must be of type \(wanted): \(quoted(found))")
        return false
    }

    private static func typeName(_ json: JSONValue) -> String {
        switch json {
        case .null: "null"
        case .bool: "boolean"
        case .integer: "integer"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    private mutating func string(_ text: String, _ node: SchemaNode, _ path: FieldPath) {
        let count = Int64(text.unicodeScalars.count)
        if let least = node.lengths.least, count < least {
            add(.invalid, path, .string(text), "\(place(path))in body should be at least \(least) chars long")
        }
        if let most = node.lengths.most, count > most {
            add(.tooLong, path, .string(text), "may not be more than \(most) bytes")
        }
        if let expression = node.expression {
            switch expression.matches(text, budget: &budget) {
            case true?: break
            case false?:
                add(.invalid, path, .string(text), "\(place(path))in body should match '\(node.pattern)'")
            case nil: add(.invalid, path, "", "\(place(path))in body is too long to be matched with '\(node.pattern)'")
            }
        }
        if !node.isIntOrString, !node.format.isEmpty, TextFormat.accepts(text, node.format) == false {
            add(
                .invalid, path, .string(text), "\(place(path))in body must be of type \(node.format): \(quoted(text))")
        }
    }

    private mutating func number(_ json: JSONValue, _ node: SchemaNode, _ path: FieldPath) {
        guard let number = json.double else { return }
        func bound(_ value: Double) -> String {
            value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
        }
        if let (least, isExclusive) = node.minimum, isExclusive ? number <= least : number < least {
            let words = isExclusive ? "greater than" : "greater than or equal to"
            add(.invalid, path, json, "\(place(path))in body should be \(words) \(bound(least))")
        }
        if let (most, isExclusive) = node.maximum, isExclusive ? number >= most : number > most {
            let words = isExclusive ? "less than" : "less than or equal to"
            add(.invalid, path, json, "\(place(path))in body should be \(words) \(bound(most))")
        }
        if let factor = node.multipleOf, factor > 0 {
            let quotient = number / factor
            if quotient.rounded() != quotient {
                add(.invalid, path, json, "\(place(path))in body should be a multiple of \(bound(factor))")
            }
        }
        if json.integer != nil, !Self.fits(json, node.format) {
            add(.invalid, path, json, "\(place(path))in body must be of type \(node.format): \(JSONWriter.text(json))")
        }
    }

    private static func fits(_ json: JSONValue, _ format: String) -> Bool {
        format == "int32" ? json.integer.flatMap { Int32(exactly: $0) } != nil : true
    }

    // MARK: Parts

    private mutating func array(_ elements: [JSONValue], _ node: SchemaNode, _ path: FieldPath) {
        let count = Int64(elements.count)
        if let least = node.itemCounts.least, count < least {
            add(.invalid, path, .integer(count), "\(place(path))in body should have at least \(least) items")
        }
        if let most = node.itemCounts.most, count > most {
            add(.tooMany, path, .integer(count), "must have at most \(most) items")
        }
        if let items = node.items {
            for (index, element) in elements.enumerated() where causes.count < Self.limit {
                value(element, items, path.index(index))
            }
        }
        duplicates(elements, node, path)
    }

    /// Elements of sets and maps that are the same (`listtype` of apiextensions-apiserver).
    private mutating func duplicates(_ elements: [JSONValue], _ node: SchemaNode, _ path: FieldPath) {
        var seen: Set<JSONValue> = []
        for (index, element) in elements.enumerated() {
            let key: JSONValue
            switch node.listType {
            case .set?: key = element
            case .map(let keys)?:
                var object = JSONObject()
                for name in keys { object[name] = element[name] }
                key = .object(object)
            default: return
            }
            if !seen.insert(key).inserted { add(.duplicate, path.index(index), key) }
        }
    }

    private mutating func object(_ members: JSONObject, _ node: SchemaNode, _ path: FieldPath) {
        let count = Int64(members.count)
        if let least = node.memberCounts.least, count < least {
            add(.invalid, path, .integer(count), "\(place(path))in body should have at least \(least) properties")
        }
        if let most = node.memberCounts.most, count > most {
            add(.tooMany, path, .integer(count), "must have at most \(most) items")
        }
        for name in node.required where members[name] == nil { add(.required, path.child(name)) }
        for (name, below) in node.properties {
            if let member = members[name] { value(member, below, path.child(name)) }
        }
        if let additional = node.additional {
            for member in members.members where node.property(member.key) == nil && causes.count < Self.limit {
                value(member.value, additional, path.child(member.key))
            }
        }
        if node.isEmbedded { embedded(members, path) }
    }

    private mutating func embedded(_ members: JSONObject, _ path: FieldPath) {
        for name in ["apiVersion", "kind"] where (members[name]?.string ?? "").isEmpty {
            add(.required, path.child(name), "", "must not be empty")
        }
    }

    // MARK: Combinations

    private mutating func combinations(_ json: JSONValue, _ node: SchemaNode, _ path: FieldPath) {
        func holds(_ one: SchemaNode) -> Bool {
            var check = ResourceCheck()
            check.budget = budget
            check.value(json, one, path)
            budget = check.budget
            return check.causes.isEmpty
        }
        let name = quoted(path.description)
        if !node.allOf.isEmpty {
            for one in node.allOf { value(json, one, path) }
        }
        if !node.anyOf.isEmpty, !node.anyOf.contains(where: holds) {
            add(.invalid, path, "", "\(name) must validate at least one schema (anyOf)")
        }
        if !node.oneOf.isEmpty {
            let count = node.oneOf.count(where: holds)
            if count != 1 {
                let found = count == 0 ? "Found none valid" : "Found \(count) valid alternatives"
                add(.invalid, path, "", "\(name) must validate one and only one schema (oneOf). \(found)")
            }
        }
        if let not = node.not, holds(not) { add(.invalid, path, "", "\(name) must not validate the schema (not)") }
    }
}
