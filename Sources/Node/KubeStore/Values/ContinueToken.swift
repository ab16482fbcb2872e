internal import JSON

/// Where a list goes on: the revision that all its pages show, and the last key of the page before.
///
/// Invariants
/// 1. A text that `text` has not made is refused, whatever it is. (test: `what is no token is refused`)
/// 2. A token continues the list that it is from and no other. (test: `a token of another list is refused`)
package struct ContinueToken: Hashable, Sendable {
    /// nil: whatever is newest ("inconsistent", as Kubernetes calls it).
    package let revision: Int64?
    package let scope: ResourceScope
    /// The next page begins behind it.
    package let last: ObjectKey

    /// - Parameter last: is in `scope`.
    package init(revision: Int64?, scope: ResourceScope, last: ObjectKey) {
        precondition(scope.contains(last), "\(last) is no part of \(scope)")
        self.revision = revision
        self.scope = scope
        self.last = last
    }

    /// The same place in the newest state: for a client whose list has become too old and that would rather go on than
    /// begin again.
    package var inconsistent: ContinueToken { ContinueToken(revision: nil, scope: scope, last: last) }
}

extension ContinueToken {
    private static let version: Int64 = 1

    /// In the alphabet of RFC 4648 section 5, which needs no escapes in a URL.
    package var text: String {
        let value: JSONValue = [
            "v": .integer(Self.version), "rv": .integer(revision ?? -1), "resource": .string(scope.resource),
            "scope": .string(scope.namespace ?? ""), "namespace": .string(last.namespaceText),
            "name": .string(last.name),
        ]
        return String(
            Base64.text(JSONWriter.bytes(value)).compactMap { digit -> Character? in
                switch digit {
                case "+": "-"
                case "/": "_"
                case "=": nil
                default: digit
                }
            })
    }

    /// Reads what a client has sent back.
    package init(text: String) throws(ObjectStoreFailure) {
        let failure = ObjectStoreFailure.invalidToken("the continue token is none that this server has given out")
        let digits = text.map { digit -> Character in digit == "-" ? "+" : digit == "_" ? "/" : digit }
        guard let bytes = Base64.bytes(String(digits)), let value = try? JSONParser.parse(bytes),
            value["v"]?.integer == Self.version, let revision = value["rv"]?.integer, revision >= -1,
            let resource = value["resource"]?.string, !resource.isEmpty, let scopeText = value["scope"]?.string,
            let namespace = value["namespace"]?.string, let name = value["name"]?.string, !name.isEmpty
        else { throw failure }
        let scope = ResourceScope(resource, namespace: scopeText.isEmpty ? nil : scopeText)
        let last = ObjectKey(resource, namespace: namespace.isEmpty ? nil : namespace, name)
        guard scope.contains(last) else { throw failure }
        self.init(revision: revision == -1 ? nil : revision, scope: scope, last: last)
        // One text for each token: nothing hides in spaces, padding or further members.
        guard self.text == text else { throw failure }
    }
}
