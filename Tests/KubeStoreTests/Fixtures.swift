import JSON
import Linux
import Store
import Synchronization
import TestKit

@testable import KubeStore

/// The implementations that the contract holds for.
enum StoreKind: String, CaseIterable, Sendable {
    case database, memory

    /// An empty store.
    /// - Parameters:
    ///   - window: recent events in memory.
    ///   - buffer: events that may wait for a watcher.
    func open(window: Int = 2048, buffer: Int = 4096) async throws -> OpenStore {
        switch self {
        case .memory: return OpenStore(store: MemoryObjectStore(bufferLimit: buffer), directory: nil)
        case .database:
            let directory = try TemporaryDirectory("kube")
            var limits = WatchLimits()
            limits.windowEvents = window
            limits.buffer = buffer
            limits.batch = 3
            return OpenStore(store: try await openStore(directory, limits), directory: directory)
        }
    }
}

/// A store with the directory that it needs.
struct OpenStore {
    let store: any ObjectStoring
    let directory: TemporaryDirectory?
}

func openStore(_ directory: TemporaryDirectory, _ limits: WatchLimits = WatchLimits()) async throws -> ObjectStore {
    try await ObjectStore.open(
        try StateDatabase(path: directory.path("node.db"), migrations: ObjectStore.migrations), limits: limits)
}

func pod(_ name: String, in namespace: String = "default") -> ObjectKey {
    ObjectKey("pods", namespace: namespace, name)
}

/// An object with a label and something to change.
func object(_ size: Int = 0, app: String = "web", uid: String = "1") -> JSONValue {
    ["kind": "Pod", "metadata": ["uid": .string(uid), "labels": ["app": .string(app)]], "size": .integer(Int64(size))]
}

/// A selector: app=NAME.
func app(_ name: String) -> @Sendable (StoredObject) -> Bool {
    { $0.value["metadata", "labels", "app"]?.string == name }
}

/// The next events of a watch.
func take(_ count: Int, _ watch: any ObjectWatching) async throws -> [WatchEvent] {
    var events: [WatchEvent] = []
    while events.count < count, let event = try await watch.next() { events.append(event) }
    return events
}

extension WatchEvent {
    /// "+web=1", "~web=2", "-web=2": what happened to which object, and its size.
    var text: String {
        switch self {
        case .added(let object): "+" + Self.text(object)
        case .modified(let object): "~" + Self.text(object)
        case .deleted(let object): "-" + Self.text(object)
        case .bookmark(let revision, let ends): "bookmark \(revision)\(ends ? " ends" : "")"
        }
    }

    private static func text(_ object: StoredObject) -> String {
        "\(object.key.name)=\(object.value["size"]?.integer ?? -1)"
    }

    var object: StoredObject? {
        switch self {
        case .added(let object), .modified(let object), .deleted(let object): object
        case .bookmark: nil
        }
    }
}

/// Reads a watch to its end, on a task of its own.
final class WatchLog: Sendable {
    private final class Seen: Sendable {
        let events = Mutex<[WatchEvent]>([])
        let failure = Mutex<ObjectStoreFailure?>(nil)
    }

    private let seen = Seen()
    private let task: Task<Void, Never>

    init(_ watch: any ObjectWatching) {
        task = Task { [seen] in
            do throws(ObjectStoreFailure) {
                while let event = try await watch.next() { seen.events.withLock { $0.append(event) } }
            } catch { seen.failure.withLock { $0 = error } }
        }
    }

    var events: [WatchEvent] { seen.events.withLock { $0 } }
    var failure: ObjectStoreFailure? { seen.failure.withLock { $0 } }

    /// Stops reading, and returns what was read.
    func end() async -> [WatchEvent] {
        task.cancel()
        await task.value
        return events
    }
}
