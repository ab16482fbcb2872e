import JSON
import KubeObjects
import KubeSchema
import KubeStore
import Synchronization

/// How watchers of one kind are shown events: as objects, as tables, as metadata.
struct WatchEncoder: Sendable {
    /// Tells forms apart in the cache of what is encoded.
    var form = ""
    let kind: Kind
    /// The JSON of an object as the form shows it.
    var object: @Sendable (StoredObject) -> [UInt8] = { $0.bytes }
    /// The JSON of a bookmark's object, from the object that stands for it.
    var bookmark: @Sendable (JSONValue) -> [UInt8] = { JSONWriter.bytes($0) }

    static let endAnnotation = "k8s.io/initial-events-end"

    /// A line of the stream.
    func line(_ event: WatchEvent, _ shared: EncodedEvents) -> [UInt8] {
        switch event {
        case .added(let stored): shared.line("ADDED", stored, form, object)
        case .modified(let stored): shared.line("MODIFIED", stored, form, object)
        case .deleted(let stored): shared.line("DELETED", stored, form, object)
        case .bookmark(let revision, let ends): Self.line("BOOKMARK", bookmark(mark(revision, ends)))
        }
    }

    private func mark(_ revision: Int64, _ endsInitialEvents: Bool) -> JSONValue {
        var object: JSONValue = [
            "kind": .string(kind.id.kind), "apiVersion": .string(kind.id.apiVersion),
            "metadata": ["resourceVersion": .string(String(revision)), "creationTimestamp": .null],
        ]
        if endsInitialEvents { object["metadata", "annotations"] = [Self.endAnnotation: "true"] }
        return object
    }

    static func line(_ type: String, _ object: [UInt8]) -> [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(object.count + 40)
        line += "{\"type\":\"".utf8
        line += type.utf8
        line += "\",\"object\":".utf8
        line += object
        line += "}\n".utf8
        return line
    }
}

/// The last events as bytes, which all watchers of a form share.
///
/// Invariant: it keeps no more than its limits. (test: `what is encoded for watchers is bounded`)
final class EncodedEvents: Sendable {
    private struct Key: Hashable {
        var object: ObjectIdentifier
        var type: String
        var form: String
    }

    private struct Entry {
        var key: Key
        /// Held, so that no other object gets its identity.
        var object: StoredObject
        var line: [UInt8]
    }

    private struct State {
        var lines: [Key: [UInt8]] = [:]
        var order: [Entry] = []
        var next = 0
    }

    private let state = Mutex(State())
    let limit: Int
    /// Larger lines are encoded for each watcher: a few of them would be all that is kept.
    let bytesLimit: Int

    init(limit: Int = 256, bytesLimit: Int = 64 << 10) {
        self.limit = limit
        self.bytesLimit = bytesLimit
    }

    var count: Int { state.withLock { $0.order.count } }

    func line(
        _ type: String, _ object: StoredObject, _ form: String, _ encode: (StoredObject) -> [UInt8]
    ) -> [UInt8] {
        let key = Key(object: ObjectIdentifier(object), type: type, form: form)
        if let line = state.withLock({ $0.lines[key] }) { return line }
        let line = WatchEncoder.line(type, encode(object))
        guard line.count <= bytesLimit else { return line }
        state.withLock { state in
            guard state.lines[key] == nil else { return }
            let entry = Entry(key: key, object: object, line: line)
            if state.order.count < limit {
                state.order.append(entry)
            } else {
                state.lines[state.order[state.next].key] = nil
                state.order[state.next] = entry
                state.next = (state.next + 1) % limit
            }
            state.lines[key] = line
        }
        return line
    }
}
