package import JSON

/// A document that looks like what it changes (RFC 7386), `application/merge-patch+json`: members replace members, null
/// removes, lists are replaced as a whole.
///
/// Invariant: it is the RFC's own pseudo code. (`the examples of the RFC`)
package enum JSONMergePatch {
    package static func apply(_ patch: JSONValue, to target: JSONValue) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        var result = (target.object ?? [:]).removing(changes.nullNames)
        for change in changes.members where !change.value.isNull {
            result[change.key] = apply(change.value, to: result[change.key] ?? .null)
        }
        return .object(result)
    }
}

extension JSONObject {
    /// The members that are null, as a set of names: names are told apart by their bytes, which a `Set` would not.
    var nullNames: JSONObject {
        var names = JSONObject()
        for member in members where member.value.isNull { names[member.key] = .null }
        return names
    }

    /// Without these members, in one pass: to remove one after the other takes quadratic time.
    func removing(_ names: JSONObject) -> JSONObject {
        guard !names.isEmpty else { return self }
        var result = JSONObject()
        for member in members where !names.contains(member.key) { result[member.key] = member.value }
        return result
    }
}
