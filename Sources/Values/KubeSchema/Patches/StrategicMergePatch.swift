package import JSON

/// Kubernetes' own patch, `application/strategic-merge-patch+json`: like a merge patch, but lists of objects that have a
/// merge key are merged element by element, and directives say what cannot be said by example
/// (`k8s.io/apimachinery/pkg/util/strategicpatch`).
///
/// - `$patch: replace` or `delete` in an object or a list element;
/// - `$deleteFromPrimitiveList/NAME` takes values out of a list of scalars;
/// - `$setElementOrder/NAME` gives the order of a list;
/// - `$retainKeys` removes all other members.
///
/// Invariants (tests in StrategicMergePatchTests):
/// 1. Any patch gives an object or an error. (`no strategic merge patch traps`)
/// 2. Without lists and directives it does what a merge patch does. (`without lists it is a merge patch`)
/// 3. No directive is left in the result. (the same)
package struct StrategicMergePatch {
    static let directive = "$patch"
    static let retainKeys = "$retainKeys"
    static let deleteFromList = "$deleteFromPrimitiveList/"
    static let elementOrder = "$setElementOrder/"

    let schema: Schema

    /// - Throws: `PatchError`, 400 for a directive of the wrong form, 422 for a patch that does not fit the kind.
    package static func apply(
        _ patch: JSONValue, to object: JSONValue, of kind: Kind, in schema: Schema
    ) throws(PatchError) -> JSONValue {
        guard case .object(let changes) = patch, case .object(let original) = object else {
            throw PatchError(
                .badRequest,
                "json: cannot unmarshal \(ObjectDecoder.goName(patch)) into Go value of type map[string]interface {}")
        }
        return .object(try StrategicMergePatch(schema: schema).merge(original, changes, .object(kind.type)))
    }

    // MARK: Objects

    func merge(_ original: JSONObject, _ patch: JSONObject, _ type: FieldType?) throws(PatchError) -> JSONObject {
        if let directive = patch[Self.directive] { return try replaced(by: patch, directive) }
        var (result, patch) = (original, patch)
        try retain(&result, &patch)
        try order(&result, &patch, type)
        result = result.removing(patch.nullNames)
        for change in patch.members {
            if change.key.hasPrefix(Self.deleteFromList) {
                try deleteValues(String(change.key.dropFirst(Self.deleteFromList.utf8.count)), change.value, &result)
                continue
            }
            guard !change.value.isNull else { continue }
            let field = field(change.key, of: type)
            result[change.key] = try merged(result[change.key], change.value, field)
        }
        return result
    }

    private func replaced(by patch: JSONObject, _ directive: JSONValue) throws(PatchError) -> JSONObject {
        var rest = patch
        rest[Self.directive] = nil
        switch directive {
        case "replace": return Self.clean(.object(rest))?.object ?? [:]
        case "delete": return [:]
        default: throw Self.unknown(directive, patch)
        }
    }

    private static func unknown(_ directive: JSONValue, _ patch: JSONObject) -> PatchError {
        PatchError(
            .unprocessable,
            "unknown patch type: \(directive.string ?? JSONWriter.text(directive)) in map: \(JSONWriter.text(.object(patch)))"
        )
    }

    /// The value of a member after the patch; nil when it goes.
    private func merged(_ original: JSONValue?, _ patch: JSONValue, _ field: FieldPlace) throws(PatchError)
        -> JSONValue?
    {
        switch (original, patch) {
        case (.object(let original)?, .object(let patch)):
            if field.patch.replaces { return Self.clean(.object(patch)) }
            return .object(try merge(original, patch, field.type))
        case (.array(let original)?, .array(let patch)):
            guard field.patch.merges else { return Self.clean(.array(patch)) }
            return .array(try mergeList(original, patch, field))
        default: return Self.clean(patch)
        }
    }

    /// Removes all members but those that the patch names.
    private func retain(_ result: inout JSONObject, _ patch: inout JSONObject) throws(PatchError) {
        guard let directive = patch[Self.retainKeys] else { return }
        patch[Self.retainKeys] = nil
        let wrong = PatchError(.badRequest, "invalid patch format of retainKeys")
        guard let names = directive.array else { throw wrong }
        let kept = Set(names.compactMap(\.string))
        for member in patch.members
        where !member.value.isNull && !member.key.hasPrefix("$") && !kept.contains(member.key) {
            throw wrong
        }
        var gone = JSONObject()
        for name in result.keys where !kept.contains(name) { gone[name] = .null }
        result = result.removing(gone)
    }

    /// What a new value looks like: without directives and nulls. nil when a directive takes it away.
    static func clean(_ json: JSONValue) -> JSONValue? {
        switch json {
        case .object(let members):
            if members[directive] != nil { return nil }
            var result = JSONObject()
            for member in members.members where !member.value.isNull {
                let isDirective =
                    member.key == retainKeys || member.key.hasPrefix(deleteFromList)
                    || member.key.hasPrefix(elementOrder)
                if !isDirective { result[member.key] = clean(member.value) }
            }
            return .object(result)
        case .array(let elements): return .array(elements.compactMap(clean))
        default: return json
        }
    }

    // MARK: The schema's part

    /// What the schema says of a member: nothing for keys of maps and for any JSON.
    struct FieldPlace {
        var patch = PatchStrategy()
        var type: FieldType?

        /// The type of a list's elements.
        var element: FieldType? {
            if case .list(let element)? = type { element } else { nil }
        }
    }

    func field(_ name: String, of type: FieldType?) -> FieldPlace {
        switch type {
        case .object(let id)?:
            guard let field = schema[id].field(name) else { return FieldPlace() }
            return FieldPlace(patch: field.patch, type: field.type)
        case .map(let element)?: return FieldPlace(type: element)
        default: return FieldPlace()
        }
    }
}
