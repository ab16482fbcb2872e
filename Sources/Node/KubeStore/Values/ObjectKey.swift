/// Where an object is: its group resource, its namespace if it has one, and its name.
///
/// Invariant: keys are equal, and in order, by their UTF-8 as in SQLite: Swift's own `==` takes two spellings of "é" for
/// one. (test: `keys are compared by their bytes`)
package struct ObjectKey: Sendable, CustomStringConvertible {
    /// Group and plural as in a path below /apis: "apps/deployments", of the core group "pods".
    package let resource: String
    /// nil for what belongs to the whole cluster.
    package let namespace: String?
    package let name: String

    /// Empty texts are programmer errors: nothing could be found by them.
    package init(_ resource: String, namespace: String? = nil, _ name: String) {
        precondition(!resource.isEmpty && namespace != "" && !name.isEmpty, "an object's key has an empty part")
        self.resource = resource
        self.namespace = namespace
        self.name = name
    }

    /// "pods default/web", "nodes one".
    package var description: String { "\(resource) " + (namespace.map { $0 + "/" } ?? "") + name }

    /// What the database and every order have in place of a missing namespace.
    var namespaceText: String { namespace ?? "" }
}

extension ObjectKey: Hashable, Comparable {
    package static func == (a: ObjectKey, b: ObjectKey) -> Bool {
        haveSameBytes(a.name, b.name) && haveSameBytes(a.namespaceText, b.namespaceText)
            && haveSameBytes(a.resource, b.resource)
    }

    package static func < (a: ObjectKey, b: ObjectKey) -> Bool {
        if !haveSameBytes(a.resource, b.resource) { return precedes(a.resource, b.resource) }
        if !haveSameBytes(a.namespaceText, b.namespaceText) { return precedes(a.namespaceText, b.namespaceText) }
        return precedes(a.name, b.name)
    }

    private static func precedes(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
}

/// All objects of a resource, or those in one namespace: what is listed and watched.
package struct ResourceScope: Hashable, Sendable, CustomStringConvertible {
    package let resource: String
    /// nil for every namespace, and for what has none.
    package let namespace: String?

    package init(_ resource: String, namespace: String? = nil) {
        precondition(!resource.isEmpty && namespace != "", "a scope has an empty part")
        self.resource = resource
        self.namespace = namespace
    }

    package func contains(_ key: ObjectKey) -> Bool {
        haveSameBytes(key.resource, resource) && (namespace.map { haveSameBytes($0, key.namespaceText) } ?? true)
    }

    package var description: String { namespace.map { "\(resource) in \($0)" } ?? resource }
}

/// The comparison of strings comes first because it is the fast one.
private func haveSameBytes(_ a: String, _ b: String) -> Bool { a == b && a.utf8.elementsEqual(b.utf8) }
