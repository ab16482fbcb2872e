package import JSON

/// What must hold for an object so that it is changed.
package struct Precondition: Hashable, Sendable, CustomStringConvertible {
    /// The revision that it has, `metadata.resourceVersion`.
    package var revision: Int64?
    /// Its `metadata.uid`: not another object of the same name.
    package var uid: String?

    package init(revision: Int64? = nil, uid: String? = nil) {
        self.revision = revision
        self.uid = uid
    }

    package static let none = Precondition()

    package var description: String {
        let parts = [revision.map { "at revision \($0)" }, uid.map { "the one with the uid \($0)" }].compactMap(\.self)
        return parts.isEmpty ? "there" : parts.joined(separator: " and ")
    }

    func holds(for object: StoredObject) -> Bool {
        (revision.map { $0 == object.revision } ?? true) && (uid.map { $0 == object.uid } ?? true)
    }
}

/// One change of one object. Several are committed all together or not at all, each seeing those before it.
package struct ObjectWrite: Sendable {
    package enum Action: Sendable {
        /// Fails when there is one.
        case create(JSONValue)
        /// Fails when there is none.
        case update(JSONValue)
        /// Fails when there is none.
        case delete
    }

    package var key: ObjectKey
    package var action: Action
    package var precondition: Precondition

    package static func create(_ key: ObjectKey, _ value: JSONValue) -> ObjectWrite {
        ObjectWrite(key: key, action: .create(value), precondition: .none)
    }

    package static func update(
        _ key: ObjectKey, _ value: JSONValue, if precondition: Precondition = .none
    ) -> ObjectWrite { ObjectWrite(key: key, action: .update(value), precondition: precondition) }

    package static func delete(_ key: ObjectKey, if precondition: Precondition = .none) -> ObjectWrite {
        ObjectWrite(key: key, action: .delete, precondition: precondition)
    }
}

/// What a write has left.
package struct WrittenObject: Sendable, Equatable {
    /// The object as it is now; of a deletion its last content, at the revision of the deletion.
    package var object: StoredObject
    /// false when an update brought the very bytes that were there: it has no revision, and nobody hears of it.
    package var isChanged: Bool
}
