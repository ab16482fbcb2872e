import JSON
import KubeObjects
import KubeSchema
import KubeStore
import Linux
import Synchronization

/// The API as a test has it: objects in memory, with what pods need of versions, generations and deletion.
final class TestAPI: ObjectClient {
    let store: MemoryObjectStore
    private let writes = Mutex<[String]>([])

    init() { store = MemoryObjectStore() }

    /// Names of what was written: "update status default/a".
    var written: [String] { writes.withLock { $0 } }

    func get(_ resource: Resource, namespace: String?, _ name: String) async throws(APIFailure) -> KubeObject {
        do throws(ObjectStoreFailure) {
            return Self.shown(try await store.get(resource.key(namespace: namespace, name)))
        } catch {
            throw APIFailure(error, resource, name)
        }
    }

    func list(_ resource: Resource, namespace: String?, labels: LabelSelector) async throws(APIFailure) -> [KubeObject]
    {
        do throws(ObjectStoreFailure) {
            return try await store.list(ListRequest(resource.scope(namespace: namespace))).objects.map(Self.shown)
        } catch { throw APIFailure(error, resource, "") }
    }

    func create(_ resource: Resource, _ object: KubeObject) async throws(APIFailure) -> KubeObject {
        var object = object
        if object.metadata.uid == nil { object.metadata.uid = Self.uid() }
        object.metadata.creationTimestamp = Clock.now().kubeTime
        object.metadata.generation = 1
        do throws(ObjectStoreFailure) {
            return Self.shown(
                try await store.create(resource.key(namespace: object.namespace, object.name), object.json))
        } catch { throw APIFailure(error, resource, object.name) }
    }

    func update(_ resource: Resource, _ object: KubeObject, subresource: String?) async throws(APIFailure) -> KubeObject
    {
        writes.withLock { $0.append("update \(subresource ?? "object") \(object.namespace ?? "")/\(object.name)") }
        let key = resource.key(namespace: object.namespace, object.name)
        let version = object.metadata.resourceVersion.flatMap { Int64($0) }
        do throws(ObjectStoreFailure) {
            let current = try await store.get(key)
            var value = current.value
            if subresource == "status" {
                value["status"] = object.json["status"]
            } else {
                value = object.json
                value["status"] = current.value["status"]
            }
            value["metadata"]?["resourceVersion"] = nil
            return Self.shown(
                try await store.update(key, value, if: version.map { Precondition(revision: $0) } ?? .none).object)
        } catch { throw APIFailure(error, resource, object.name) }
    }

    func delete(_ resource: Resource, namespace: String?, _ name: String, _ options: DeletionOptions)
        async throws(APIFailure)
    {
        let key = resource.key(namespace: namespace, name)
        let current = try await get(resource, namespace: namespace, name)
        if let uid = options.uid, uid != current.uid { throw .conflict(resource, name, "another uid") }
        let grace = options.gracePeriodSeconds ?? current.spec["terminationGracePeriodSeconds"]?.integer ?? 30
        do throws(ObjectStoreFailure) {
            guard resource == .pods, grace > 0 else {
                try await store.delete(key)
                return
            }
            let time = Timestamp(nanoseconds: Clock.now().nanoseconds + Int(grace) * 1_000_000_000)
            _ = try await store.modify(key) { (stored: StoredObject) throws(APIFailure) in
                var object = KubeObject(stored)
                object.metadata.deletionTimestamp = time.kubeTime
                object.metadata.deletionGracePeriodSeconds = grace
                object.metadata.resourceVersion = nil
                return object.json
            }
        } catch { throw APIFailure(error, resource, name) }
    }

    private static func shown(_ stored: StoredObject) -> KubeObject {
        var object = KubeObject(stored)
        object.metadata.resourceVersion = "\(stored.revision)"
        return object
    }

    static func uid() -> String {
        let digits = (0..<2).map { _ in
            let text = String(UInt64.random(in: .min ... .max), radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }.joined()
        let parts = [8, 4, 4, 4, 12]
        var rest = digits[...]
        return parts.map { count in
            defer { rest = rest.dropFirst(count) }
            return String(rest.prefix(count))
        }.joined(separator: "-")
    }
}
