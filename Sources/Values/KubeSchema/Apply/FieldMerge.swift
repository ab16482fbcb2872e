import JSON

/// Objects with fields put in and taken out (`typed.Merge` and `typed.RemoveItems` of structured-merge-diff).
struct FieldMerge {
    let schema: Schema

    /// The live object with everything that the applied one names.
    /// - Throws: `FieldShapeError`.
    func merge(_ live: JSONValue, _ applied: JSONValue, _ type: ObjectType.ID) throws(FieldShapeError) -> JSONValue {
        try merge(live, applied, .object(type), "")
    }

    private func merge(
        _ live: JSONValue, _ applied: JSONValue, _ shape: FieldShape, _ path: String
    ) throws(FieldShapeError) -> JSONValue {
        guard let before = try shape.parts(of: live, at: path, in: schema),
            let after = try shape.parts(of: applied, at: path, in: schema)
        else { return applied }
        let known = Dictionary(before.map { ($0.element, $0) }, uniquingKeysWith: { first, _ in first })
        var merged: [PathElement: JSONValue] = [:]
        for part in after {
            if let old = known[part.element] {
                merged[part.element] = try merge(old.json, part.json, part.shape, path + part.element.step)
            } else {
                merged[part.element] = part.json
            }
        }
        guard live.array == nil else { return .array(ordered(before, after, merged)) }
        var result = live.object ?? [:]
        for part in after { if case .field(let name) = part.element { result[name] = merged[part.element] } }
        return .object(result)
    }

    /// Elements that both have stand in the order of the applied list, at the places where the live list has such; the
    /// live list's own stay where they are; new ones come before the next that both have.
    private func ordered(_ before: [FieldPart], _ after: [FieldPart], _ merged: [PathElement: JSONValue]) -> [JSONValue]
    {
        let live = Set(before.map(\.element))
        var (result, rest) = ([JSONValue](), after[...])
        for part in before {
            guard merged[part.element] != nil else {
                result.append(part.json)
                continue
            }
            while let next = rest.popFirst() {
                result.append(merged[next.element] ?? next.json)
                if live.contains(next.element) { break }
            }
        }
        return result + rest.map { merged[$0.element] ?? $0.json }
    }

    /// The object without these fields. What is left of an object without any goes too, unless it is owned itself.
    /// - Throws: `FieldShapeError`.
    func removing(
        _ fields: FieldSet, from json: JSONValue, _ type: ObjectType.ID, owned: FieldSet
    ) throws(FieldShapeError) -> JSONValue {
        try removing(fields, from: json, .object(type), "", owned) ?? .object([:])
    }

    /// nil when nothing is left that was there.
    private func removing(
        _ fields: FieldSet, from json: JSONValue, _ shape: FieldShape, _ path: String, _ owned: FieldSet
    ) throws(FieldShapeError) -> JSONValue? {
        guard !fields.isEmpty, let parts = try shape.parts(of: json, at: path, in: schema), !parts.isEmpty else {
            return json
        }
        var kept: [(PathElement, JSONValue)] = []
        for part in parts where !fields.members.contains(part.element) {
            let element = part.element
            let below = try removing(
                fields.child(element), from: part.json, part.shape, path + element.step, owned.child(element))
            if let below {
                kept.append((element, below))
            } else if owned.members.contains(element) {
                kept.append((element, part.json.array == nil ? .object([:]) : .array([])))
            }
        }
        guard !kept.isEmpty else { return nil }
        if json.array != nil { return .array(kept.map(\.1)) }
        var result = JSONObject()
        for (element, value) in kept { if case .field(let name) = element { result[name] = value } }
        return .object(result)
    }
}
