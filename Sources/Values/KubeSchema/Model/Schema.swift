/// The kinds of an API with the types that their objects are made of. OpenAPI, discovery, decoding, defaults,
/// validation and patches follow from it.
///
/// Invariants:
/// 1. Every reference leads to a type, and inlined types do not lead back. (`the schema of kubernetes is whole`)
/// 2. Field names and numbers are unique in their type. (`a text that is wrong names its line`)
/// 3. The keys of a map list and the merge key are fields of the elements. (`keys of lists are fields of their
///    elements`)
package struct Schema: Sendable {
    package private(set) var types: [ObjectType]
    package private(set) var kinds: [Kind]
    private var byKind: [GroupVersionKind: Int]
    private var byResource: [GroupVersionKind: Int]
    private var byName: [String: Int]

    init(types: [ObjectType], kinds: [Kind]) {
        self.types = types
        self.kinds = kinds
        byKind = Dictionary(kinds.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
        byResource = Dictionary(
            kinds.enumerated().map { (Self.resourceKey($1.id, $1.plural), $0) }, uniquingKeysWith: { first, _ in first }
        )
        byName = Dictionary(types.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// A schema with one kind of its own beside the types that all objects have.
    /// - Parameter types: those of the kind, in the order of `TypeList`.
    package init(_ types: TypeList, kind: Kind) { self.init(types: types.types, kinds: [kind]) }

    package subscript(id: ObjectType.ID) -> ObjectType { types[id.index] }

    /// A type by package and name: "core/v1.Container".
    package func type(named name: String) -> ObjectType.ID? { byName[name].map(ObjectType.ID.init) }

    package func kind(_ id: GroupVersionKind) -> Kind? { byKind[id].map { kinds[$0] } }

    /// The kind whose objects are at /apis/GROUP/VERSION/PLURAL.
    package func kind(group: String, version: String, plural: String) -> Kind? {
        byResource[GroupVersionKind(group: group, version: version, kind: plural)].map { kinds[$0] }
    }

    private static func resourceKey(_ id: GroupVersionKind, _ plural: String) -> GroupVersionKind {
        GroupVersionKind(group: id.group, version: id.version, kind: plural)
    }

    /// The field at a path of names; elements of lists and values of maps are passed through ("spec.containers.image").
    package func field(_ path: [String], in type: ObjectType.ID) -> Field? {
        var type = type
        for (index, name) in path.enumerated() {
            guard let field = self[type].field(name) else { return nil }
            if index == path.count - 1 { return field }
            guard case .object(let next) = field.type.innermost else { return nil }
            type = next
        }
        return nil
    }
}
