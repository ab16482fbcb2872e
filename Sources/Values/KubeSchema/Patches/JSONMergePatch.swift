package import JSON

/// A document that looks like what it changes (RFC 7386), `application/merge-patch+json`: members replace members, null
/// removes, lists are replaced as a whole.
///
/// Invariant: it is the RFC's own pseudo code. (`the examples of the RFC`)
package enum JSONMergePatch {
    package static func apply(_ patch: JSONValue, to target: JSONValue) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        var result = target.object ?? [:]
        for change in changes.members {
            if change.value.isNull {
                result[change.key] = nil
            } else {
                result[change.key] = apply(change.value, to: result[change.key] ?? .null)
            }
        }
        return .object(result)
    }
}
