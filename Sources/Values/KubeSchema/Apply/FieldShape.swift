import JSON

/// How finely a value is owned: as a whole, or by its parts (`x-kubernetes-list-type`, `map-type`, KEP-555).
enum FieldShape {
    case leaf
    case object(ObjectType.ID)
    case map(FieldType)
    case set
    case keyed([String], ObjectType.ID)

    init(_ type: FieldType, _ field: Field?, in schema: Schema) {
        switch type {
        case .object(let id): self = field?.isAtomic == true || schema[id].isAtomic ? .leaf : .object(id)
        case .map(let element): self = field?.isAtomic == true ? .leaf : .map(element)
        case .list(let element):
            switch (field?.listType, element) {
            case (.set?, _): self = .set
            case (.map(let keys)?, .object(let id)): self = .keyed(keys, id)
            default: self = .leaf
            }
        default: self = .leaf
        }
    }
}

/// Why an object cannot be taken apart: two elements of a list are the same, or one lacks its key.
struct FieldShapeError: Error, Hashable, CustomStringConvertible {
    var description: String
}

/// A part of a value: how it is named, how it is shaped, and what it is.
struct FieldPart {
    var element: PathElement
    var shape: FieldShape
    var json: JSONValue
}

extension FieldShape {
    /// The parts of a value, in its order; nil when it is owned as a whole, or is not of this shape.
    /// - Throws: `FieldShapeError`.
    func parts(
        of json: JSONValue, at path: @autoclosure () -> String, in schema: Schema
    ) throws(FieldShapeError) -> [FieldPart]? {
        switch self {
        case .leaf: return nil
        case .object(let id):
            let type = schema[id]
            return json.object?.members.compactMap { member in
                guard let field = type.field(member.key) else {
                    // What is kept without a schema is owned as a whole.
                    guard type.keepsUnknownFields else { return nil }
                    return FieldPart(element: .field(member.key), shape: .leaf, json: member.value)
                }
                return FieldPart(
                    element: .field(member.key), shape: FieldShape(field.type, field, in: schema), json: member.value)
            }
        case .map(let element):
            return json.object?.members.map { member in
                FieldPart(element: .field(member.key), shape: FieldShape(element, nil, in: schema), json: member.value)
            }
        case .set:
            guard let elements = json.array else { return nil }
            return try Self.distinct(elements.map { FieldPart(element: .value($0), shape: .leaf, json: $0) }, path())
        case .keyed(let keys, let id):
            guard let elements = json.array else { return nil }
            var parts: [FieldPart] = []
            for (index, element) in elements.enumerated() {
                let key = try Self.key(of: element, keys, schema[id], at: path(), index)
                parts.append(
                    FieldPart(element: .key(key), shape: FieldShape(.object(id), nil, in: schema), json: element))
            }
            return try Self.distinct(parts, path())
        }
    }

    private static func key(
        of element: JSONValue, _ keys: [String], _ type: ObjectType, at path: @autoclosure () -> String, _ index: Int
    ) throws(FieldShapeError) -> JSONObject {
        var result = JSONObject()
        var isFound = false
        for key in keys.sorted() {
            if let value = element[key], !value.isNull {
                result[key] = value
                isFound = true
            } else if let fallback = type.field(key)?.fallback {
                result[key] = fallback
            }
        }
        guard isFound else {
            throw FieldShapeError(
                description:
                    "\(path()): element \(index): associative list with keys has an element that omits key field "
                    + "\(quoted(keys[0])) (and doesn't have default value)")
        }
        return result
    }

    private static func distinct(
        _ parts: [FieldPart], _ path: @autoclosure () -> String
    ) throws(FieldShapeError) -> [FieldPart] {
        var seen: Set<PathElement> = []
        for part in parts where !seen.insert(part.element).inserted {
            throw FieldShapeError(description: "\(path()): duplicate entries for key \(part.element.step)")
        }
        return parts
    }
}
