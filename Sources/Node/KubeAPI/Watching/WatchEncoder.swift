import JSON
import KubeObjects
import KubeSchema
import KubeStore
import Synchronization

/// How watchers of one kind are shown events: as objects, as tables, as metadata.
struct WatchEncoder: Sendable {
    /// An event as a line, from its type and the JSON of its object.
    typealias Encode = @Sendable (_ type: String, _ object: [UInt8], _ isFirst: Bool) -> [UInt8]

    private let kind: Kind
    /// Tells forms apart among what is encoded for several watchers.
    private let form: String
    /// Whether the first event of a watch is unlike the others.
    private let hasHead: Bool
    private let encode: Encode

    static let endAnnotation = "k8s.io/initial-events-end"

    init(_ kind: Kind, form: String, hasHead: Bool = false, _ encode: @escaping Encode) {
        self.kind = kind
        self.form = form
        self.hasHead = hasHead
        self.encode = encode
    }

    func line(_ event: WatchEvent, isFirst: Bool, _ shared: EncodedEvents) -> [UInt8] {
        switch event {
        case .added(let stored): line("ADDED", stored, isFirst, shared)
        case .modified(let stored): line("MODIFIED", stored, isFirst, shared)
        case .deleted(let stored): line("DELETED", stored, isFirst, shared)
        case .bookmark(let revision, let ends): encode("BOOKMARK", JSONWriter.bytes(mark(revision, ends)), isFirst)
        }
    }

    private func line(_ type: String, _ stored: StoredObject, _ isFirst: Bool, _ shared: EncodedEvents) -> [UInt8] {
        if isFirst, hasHead { return encode(type, stored.bytes, true) }
        return shared.line(type, stored, form) { encode(type, $0.bytes, false) }
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

/// The last events as lines, which all watchers of a form share.
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
        let line = encode(object)
        guard line.count <= bytesLimit else { return line }
        state.withLock { state in
            guard state.lines[key] == nil else { return }
            let entry = Entry(key: key, object: object)
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
