package import JSON

/// One step to a field, as managed fields name it (`fieldpath.PathElement` of structured-merge-diff).
package enum PathElement: Hashable, Sendable {
    /// "f:NAME": a member of an object or a map.
    case field(String)
    /// "k:{...}": an element of a list, by its keys.
    case key(JSONObject)
    /// "v:...": an element of a set of scalars.
    case value(JSONValue)
    /// "i:N": an element of a list by its place.
    case index(Int)

    /// As it stands in a message: `.spec`, `[name="web"]`, `[="a"]`, `[0]`.
    var step: String {
        switch self {
        case .field(let name): "." + name
        case .key(let keys):
            "[" + keys.members.map { "\($0.key)=\(JSONWriter.text($0.value))" }.joined(separator: ",") + "]"
        case .value(let value): "[=\(JSONWriter.text(value))]"
        case .index(let index): "[\(index)]"
        }
    }
}

/// A set of paths of fields, as a tree (`fieldpath.Set`).
///
/// Invariants (tests in FieldSetTests):
/// 1. No child is empty: equal sets are equal values. (`sets of fields follow the laws of sets`)
/// 2. What is written as FieldsV1 reads back. (`field sets read back`)
package struct FieldSet: Hashable, Sendable {
    /// Paths of one step that belong to the set.
    private(set) var members: Set<PathElement> = []
    /// What lies below a step; the step itself need not be a member.
    private(set) var children: [PathElement: FieldSet] = [:]

    package init() {}

    init(_ paths: [[PathElement]]) { for path in paths { insert(path) } }

    package var isEmpty: Bool { members.isEmpty && children.isEmpty }

    mutating func insert(_ path: [PathElement]) { insert(path[...]) }

    private mutating func insert(_ path: ArraySlice<PathElement>) {
        guard let first = path.first else { return }
        if path.count == 1 {
            members.insert(first)
        } else {
            children[first, default: FieldSet()].insert(path.dropFirst())
        }
    }

    /// Puts a whole set below a step.
    mutating func insert(_ set: FieldSet, below element: PathElement) {
        guard !set.isEmpty else { return }
        children[element] = children[element]?.union(set) ?? set
    }

    package func contains(_ path: [PathElement]) -> Bool {
        guard let last = path.last else { return false }
        var set = self
        for element in path.dropLast() {
            guard let next = set.children[element] else { return false }
            set = next
        }
        return set.members.contains(last)
    }

    func child(_ element: PathElement) -> FieldSet { children[element] ?? FieldSet() }

    package func union(_ other: FieldSet) -> FieldSet {
        var result = self
        result.members.formUnion(other.members)
        result.children.merge(other.children) { $0.union($1) }
        return result
    }

    package func intersection(_ other: FieldSet) -> FieldSet {
        var result = FieldSet()
        result.members = members.intersection(other.members)
        for (element, child) in children {
            guard let both = other.children[element]?.intersection(child), !both.isEmpty else { continue }
            result.children[element] = both
        }
        return result
    }

    package func subtracting(_ other: FieldSet) -> FieldSet {
        var result = FieldSet()
        result.members = members.subtracting(other.members)
        for (element, child) in children {
            let rest = other.children[element].map(child.subtracting) ?? child
            if !rest.isEmpty { result.children[element] = rest }
        }
        return result
    }

    /// Without these fields and all below them.
    func subtractingWhole(_ other: FieldSet) -> FieldSet {
        var result = FieldSet()
        result.members = members.subtracting(other.members)
        for (element, child) in children where !other.members.contains(element) {
            let rest = other.children[element].map(child.subtractingWhole) ?? child
            if !rest.isEmpty { result.children[element] = rest }
        }
        return result
    }

    /// With every named field that something lies below, so that an object goes with the last of its fields.
    func withNamedParents() -> FieldSet {
        var result = self
        for (element, child) in children {
            if case .field = element { result.members.insert(element) }
            result.children[element] = child.withNamedParents()
        }
        return result
    }

    /// All paths, in the order of their texts.
    package var paths: [String] { collect("").sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }

    private func collect(_ before: String) -> [String] {
        members.map { before + $0.step } + children.flatMap { $1.collect(before + $0.step) }
    }
}
