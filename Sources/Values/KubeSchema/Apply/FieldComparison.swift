import JSON

/// Sets of fields that follow from objects (`typed.ToFieldSet` and `typed.Compare` of structured-merge-diff).
struct FieldComparison {
    private(set) var added = FieldSet()
    private(set) var modified = FieldSet()
    private(set) var removed = FieldSet()

    private let schema: Schema

    /// What differs between two objects of a kind.
    /// - Throws: `FieldShapeError`.
    init(_ old: JSONValue, _ new: JSONValue, _ type: ObjectType.ID, in schema: Schema) throws(FieldShapeError) {
        self.schema = schema
        try compare(old, new, .object(type), [])
    }

    mutating func leaveOut(_ ignored: FieldSet) {
        added = added.subtractingWhole(ignored)
        modified = modified.subtractingWhole(ignored)
        removed = removed.subtractingWhole(ignored)
    }

    private mutating func compare(
        _ old: JSONValue?, _ new: JSONValue?, _ shape: FieldShape, _ path: [PathElement]
    ) throws(FieldShapeError) {
        let before = try parts(of: old, shape, path)
        let after = try parts(of: new, shape, path)
        switch (old, new) {
        case (nil, nil): return
        case (nil, _?): Self.insertWhole(&added, path, isTop: path.count == 1 && !(after ?? []).isEmpty)
        case (_?, nil): Self.insertWhole(&removed, path, isTop: path.count == 1 && !(before ?? []).isEmpty)
        case (let old?, let new?):
            if before == nil || after == nil, old != new { modified.insert(path) }
        }
        let news = Dictionary((after ?? []).map { ($0.element, $0.json) }, uniquingKeysWith: { first, _ in first })
        var olds: Set<PathElement> = []
        for part in before ?? [] {
            olds.insert(part.element)
            try compare(part.json, news[part.element], part.shape, path + [part.element])
        }
        for part in after ?? [] where !olds.contains(part.element) {
            try compare(nil, part.json, part.shape, path + [part.element])
        }
    }

    private func parts(
        of json: JSONValue?, _ shape: FieldShape, _ path: [PathElement]
    ) throws(FieldShapeError) -> [FieldPart]? {
        guard let json else { return nil }
        return try shape.parts(of: json, at: path.map(\.step).joined(), in: schema)
    }

    /// spec, status and metadata are there in every object of the server, whoever wrote them.
    ///
    /// Static: a method would hold a copy of all three sets while one of them changes, and each change would copy it.
    private static func insertWhole(_ set: inout FieldSet, _ path: [PathElement], isTop: Bool) {
        if !isTop { set.insert(path) }
    }
}

extension FieldSet {
    /// The fields that an applied object names.
    /// - Throws: `FieldShapeError`.
    init(of json: JSONValue, _ type: ObjectType.ID, in schema: Schema) throws(FieldShapeError) {
        self.init()
        try collect(json, .object(type), [], schema)
    }

    private mutating func collect(
        _ json: JSONValue, _ shape: FieldShape, _ path: [PathElement], _ schema: Schema
    ) throws(FieldShapeError) {
        guard let parts = try shape.parts(of: json, at: path.map(\.step).joined(), in: schema) else {
            return insert(path)
        }
        // An object without fields is owned itself; so is each element of a list.
        let isObject = json.object != nil
        if isObject, parts.isEmpty { insert(path) }
        if case .field = path.last {} else { insert(path) }
        for part in parts { try collect(part.json, part.shape, path + [part.element], schema) }
    }
}
