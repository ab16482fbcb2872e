import JSON
import KubeObjects
import KubeSchema
import KubeStore
import KubeViews
import Synchronization

/// Serves what CustomResourceDefinitions define: writes their status, tells the catalog, and takes the objects of one that
/// goes with it. One worker does all of it, one definition after the other.
///
/// Invariants
/// 1. Who has made a definition can use its kind. (test: `a kind is served when its definition is made`)
/// 2. A definition stays until its objects are gone. (test: `a definition goes when its objects have gone`)
final class Definitions: Sendable {
    static let resource: Resource = {
        guard
            let kind = Schema.kubernetes.kind(
                group: "apiextensions.k8s.io", version: "v1", plural: "customresourcedefinitions")
        else { preconditionFailure("the schema has no CustomResourceDefinition") }
        return Resource(kind)
    }()

    /// Who waits for a look at all definitions; nil for nobody.
    private typealias Wish = CheckedContinuation<Void, Never>?

    private let wishes: AsyncStream<Wish>
    private let input: AsyncStream<Wish>.Continuation
    /// Resources whose definition is going, by their names in the store.
    private let going = Mutex<Set<String>>([])

    init() { (wishes, input) = AsyncStream.makeStream() }

    /// Works until `end`, and does what is wished before. Its task is not to be cancelled: somebody may wait.
    func run(_ server: APIServer) async {
        for await wish in wishes {
            await look(server)
            wish?.resume()
        }
    }

    func end() { input.finish() }

    /// Waits until the definitions as they are now are served.
    func reviewed() async {
        await withCheckedContinuation { continuation in
            if case .terminated = input.yield(continuation) { continuation.resume() }
        }
    }

    /// Whether nothing may be made of a resource any more.
    func isGoing(_ resource: Resource) -> Bool { going.withLock { $0.contains(resource.storeName) } }

    /// An object has gone, for which a definition may wait.
    func left(_ resource: String) {
        if going.withLock({ $0.contains(resource) }) { input.yield(nil) }
    }

    // MARK: The worker

    private func look(_ server: APIServer) async {
        // What has to be tried more often is tried with the next wish: nobody tells of changes any more at the end.
        for _ in 0..<100 {
            let stored = server.known.objects(Self.resource).sorted { $0.key < $1.key }
            var isSettled = true
            for definition in stored where await !review(definition, stored, server) { isSettled = false }
            if isSettled { break }
        }
        server.kinds.replace(with: server.known.objects(Self.resource).map(\.value))
        for definition in server.known.objects(Self.resource)
        where definition.value["metadata", "deletionTimestamp"] != nil {
            await remove(definition, server)
        }
        let names = Set(
            server.known.objects(Self.resource).filter { $0.value["metadata", "deletionTimestamp"] != nil }.map(
                Self.storeName))
        going.withLock { $0 = names }
    }

    private static func storeName(_ definition: StoredObject) -> String {
        let spec = definition.value["spec"]
        return "\(spec?["group"]?.string ?? "")/\(spec?["names", "plural"]?.string ?? "")"
    }

    /// Writes what the review says of a definition.
    /// - Returns: false when somebody else wrote it meanwhile.
    private func review(_ stored: StoredObject, _ all: [StoredObject], _ server: APIServer) async -> Bool {
        var value = stored.value
        let others = all.filter { $0.key != stored.key }.map(\.value)
        value["status"] = CustomResourceReview.decide(value, others: others, now: server.time())
        var finalizers = value["metadata", "finalizers"]?.array ?? []
        let own = JSONValue.string(CustomResourceReview.finalizer)
        if value["metadata", "deletionTimestamp"] == nil, !finalizers.contains(own) {
            finalizers.append(own)
            value["metadata", "finalizers"] = .array(finalizers)
        }
        guard value != stored.value else { return true }
        return await write(.update(stored.key, value, if: Precondition(revision: stored.revision)), server)
    }

    private func write(_ write: ObjectWrite, _ server: APIServer) async -> Bool {
        do throws(ObjectStoreFailure) {
            let written = try await server.store.commit([write])
            for one in written where one.isChanged {
                await server.known.reached(one.object.key.resource, one.object.revision)
            }
            return true
        } catch {
            switch error {
            case .conflict(let current, _):
                await server.known.reached(current.key.resource, current.revision)
                return false
            case .notFound: return false
            // A full disk: the definition is looked at again with the next one.
            default: return true
            }
        }
    }

    /// Deletes the objects of a definition that is going, and lets it go when none is left.
    private func remove(_ definition: StoredObject, _ server: APIServer) async {
        let finalizers = definition.value["metadata", "finalizers"]?.array ?? []
        guard finalizers.contains(.string(CustomResourceReview.finalizer)) else { return }
        _ = going.withLock { $0.insert(Self.storeName(definition)) }
        let scope = ResourceScope(Self.storeName(definition))
        let served = server.kinds.kinds.first { $0.custom?.definition == definition.key.name }
        for object in (try? await server.store.list(ListRequest(scope)))?.objects ?? [] {
            guard let served, object.value["metadata", "deletionTimestamp"] == nil else { continue }
            var call = Call(.anonymous, served, namespace: object.key.namespace, name: object.key.name)
            call.isTrusted = true
            _ = try? await server.delete(call, DeleteOptions())
        }
        guard let rest = try? await server.store.list(ListRequest(scope, limit: 1)), rest.objects.isEmpty else {
            return
        }
        let others = finalizers.filter { $0 != .string(CustomResourceReview.finalizer) }
        var value = definition.value
        value["metadata", "finalizers"] = .array(others)
        let precondition = Precondition(revision: definition.revision)
        _ = await write(
            others.isEmpty
                ? .delete(definition.key, if: precondition) : .update(definition.key, value, if: precondition), server)
        server.kinds.replace(with: server.known.objects(Self.resource).map(\.value))
    }
}
