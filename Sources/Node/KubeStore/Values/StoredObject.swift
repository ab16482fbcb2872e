package import JSON
internal import Synchronization

/// An object as it was at a revision. Its JSON is kept as bytes, which most readers only pass on.
package final class StoredObject: Sendable {
    package let key: ObjectKey
    /// The revision that made it.
    package let createRevision: Int64
    /// The revision that wrote it last; of an object that is gone, the one that deleted it.
    package let revision: Int64
    let body: ObjectBody
    private let parsed = Mutex<JSONValue?>(nil)

    init(_ key: ObjectKey, createRevision: Int64, revision: Int64, _ body: ObjectBody) {
        self.key = key
        self.createRevision = createRevision
        self.revision = revision
        self.body = body
    }

    /// The JSON with `metadata.resourceVersion`, compact.
    package var bytes: [UInt8] { body.bytes(revision: revision) }

    /// About as many bytes as `bytes` has.
    package var byteCount: Int { body.bytes.count + 48 }

    /// Writes `bytes` behind others: long lists are put together so.
    package func append(to bytes: inout [UInt8]) { body.append(revision: revision, to: &bytes) }

    /// The same as a value; parsed at the first use, for all who share this object.
    package var value: JSONValue {
        parsed.withLock { parsed in
            if let parsed { return parsed }
            // `ObjectBody` has checked what is stored.
            let value = try! JSONParser.parse(bytes)
            parsed = value
            return value
        }
    }

    /// `metadata.uid`.
    package var uid: String? { value["metadata", "uid"]?.string }

    /// `metadata.resourceVersion`.
    package var resourceVersion: String { String(revision) }

    /// Whether somebody has asked for `value`.
    var isParsed: Bool { parsed.withLock { $0 != nil } }

    /// The same content, to be kept: `value` is parsed for whoever asks this one for it.
    var unparsed: StoredObject { StoredObject(key, createRevision: createRevision, revision: revision, body) }

    /// The same content at another revision: what an event tells of something that is gone.
    func at(_ revision: Int64) -> StoredObject {
        StoredObject(key, createRevision: createRevision, revision: revision, body)
    }
}

extension StoredObject: Equatable, CustomStringConvertible {
    package static func == (a: StoredObject, b: StoredObject) -> Bool {
        a === b
            || a.revision == b.revision && a.createRevision == b.createRevision && a.key == b.key && a.body == b.body
    }

    package var description: String { "\(key) at revision \(revision)" }
}

/// What a write has done to an object.
struct ObjectEvent: Sendable, Equatable {
    enum Kind: Int64, Sendable { case added, modified, deleted }

    var kind: Kind
    /// The object after the write; when it was deleted, its last content at the revision of the deletion.
    var object: StoredObject
    /// The object before the write; nil when it was made by it.
    var previous: StoredObject?

    var revision: Int64 { object.revision }
    var key: ObjectKey { object.key }

    /// The same event with objects of its own, of which nothing is parsed yet.
    var unparsed: ObjectEvent { ObjectEvent(kind: kind, object: object.unparsed, previous: previous?.unparsed) }
}
