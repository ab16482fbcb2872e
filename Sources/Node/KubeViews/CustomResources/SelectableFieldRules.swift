import JSON
import KubeSchema

/// Which fields objects of a custom kind may be found by (KEP-4358, `ValidateCustomResourceSelectableFields`).
enum SelectableFieldRules {
    static let limit = 8

    /// - Parameter schema: of the version; nil for one that cannot be read.
    static func causes(_ fields: [JSONValue], _ schema: SchemaNode?, _ path: FieldPath) -> [Cause] {
        var causes: [Cause] = []
        var seen: Set<[String]> = []
        for (index, field) in fields.prefix(1000).enumerated() {
            let place = path.index(index).child("jsonPath")
            let text = field.text("jsonPath")
            guard !text.isEmpty else {
                causes.append(Cause(.required, place, value: ""))
                continue
            }
            guard let names = names(text), let node = node(names, schema) else {
                causes.append(
                    Cause(.invalid, place, value: .string(text), "is an invalid path: does not refer to a valid field"))
                continue
            }
            if names.first == "metadata" {
                causes.append(Cause(.invalid, place, value: .string(text), "must not point to fields in metadata"))
            }
            if !["string", "boolean", "integer"].contains(node.type) {
                causes.append(
                    Cause(
                        .invalid, place, value: .string(text),
                        "must point to a field of type string, boolean or integer. Enum string fields and strings with formats "
                            + "are allowed."))
            }
            if !seen.insert(names).inserted { causes.append(Cause(.duplicate, place, value: .string(text))) }
        }
        if seen.count > limit {
            causes.append(
                Cause(.tooMany, path, value: .integer(Int64(seen.count)), "must have at most \(limit) items"))
        }
        return causes
    }

    /// ".spec.color" as names; nil for a path with anything else in it.
    private static func names(_ text: String) -> [String]? {
        guard text.hasPrefix(".") else { return nil }
        let names = text.dropFirst().split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        return names.allSatisfy({ !$0.isEmpty && !$0.contains("[") }) ? names : nil
    }

    private static func node(_ names: [String], _ schema: SchemaNode?) -> SchemaNode? {
        names.reduce(schema) { $0?.property($1) }
    }
}
