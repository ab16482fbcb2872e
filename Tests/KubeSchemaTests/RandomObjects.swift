import JSON
import TestKit

@testable import KubeSchema

/// Makes objects by chance from the schema: mostly of the right types, with some of its fields.
struct RandomObjects {
    let schema: Schema
    /// How often a value is of any type, or a name is unknown.
    var mistakes = 0.0
    /// Few names, so that keys and merge keys collide.
    var words = ["a", "b", "c", "http", "x-y", ""]

    init(schema: Schema) { self.schema = schema }

    mutating func object(of kind: Kind, _ chance: inout SeededChance) -> JSONValue {
        var json = object(kind.type, 0, &chance)
        json["apiVersion"] = .string(kind.id.apiVersion)
        json["kind"] = .string(kind.id.kind)
        return json
    }

    func object(_ id: ObjectType.ID, _ depth: Int, _ chance: inout SeededChance) -> JSONValue {
        var result = JSONObject()
        let fields = schema[id].fields
        let share = fields.count > 12 ? 5.0 / Double(fields.count) : 0.5
        for field in fields where Double.random(in: 0..<1, using: &chance) < share {
            if depth > 9, case .object = field.type.innermost { continue }
            result[field.name] = value(field.type, field, depth, &chance)
        }
        if Double.random(in: 0..<1, using: &chance) < mistakes { result["unknown"] = anything(2, &chance) }
        return .object(result)
    }

    private func value(_ type: FieldType, _ field: Field, _ depth: Int, _ chance: inout SeededChance) -> JSONValue {
        if Double.random(in: 0..<1, using: &chance) < mistakes { return anything(2, &chance) }
        switch type {
        case .string: return .string((field.allowed ?? words).randomElement(using: &chance)!)
        case .boolean: return .bool(Bool.random(using: &chance))
        case .int32, .int64: return .integer(Int64.random(in: 0...5, using: &chance))
        case .double: return 0.5
        case .quantity: return .string(["1", "500m", "1Gi", "0.5", "1024Ki"].randomElement(using: &chance)!)
        case .intOrString: return Bool.random(using: &chance) ? 80 : "25%"
        case .time: return "2026-01-01T00:00:00+01:00"
        case .microTime: return "2026-01-01T00:00:00.000001Z"
        case .bytes: return "YWJj"
        case .any: return anything(2, &chance)
        case .object(let id): return object(id, depth + 1, &chance)
        case .list(let element):
            return .array(
                (0..<Int.random(in: 0...3, using: &chance)).map { _ in value(element, field, depth + 1, &chance) })
        case .map(let element):
            var map = JSONObject()
            for _ in 0..<Int.random(in: 0...3, using: &chance) {
                map[words.randomElement(using: &chance)!] = value(element, field, depth + 1, &chance)
            }
            return .object(map)
        }
    }

    func anything(_ depth: Int, _ chance: inout SeededChance) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &chance) {
        case 0: return .null
        case 1: return .bool(true)
        case 2: return .integer(Int64.random(in: -2...2, using: &chance))
        case 3: return 1.5
        case 4, 5: return .string(words.randomElement(using: &chance)!)
        case 6: return .array((0..<2).map { _ in anything(depth - 1, &chance) })
        default:
            var map = JSONObject()
            for _ in 0..<2 { map[words.randomElement(using: &chance)!] = anything(depth - 1, &chance) }
            return .object(map)
        }
    }
}
