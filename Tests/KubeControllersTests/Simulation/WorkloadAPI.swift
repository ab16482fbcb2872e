import JSON
import KubeObjects
import KubeSchema
import KubeStore
import Linux
import Synchronization

@testable import KubeControllers

/// Time that stands still until a test moves it.
final class StoppedClock: WallClock {
    private struct State {
        var now: Linux.Timestamp
        var sleepers: [(until: Linux.Timestamp, wake: CheckedContinuation<Void, Never>)] = []
    }
    private let state: Mutex<State>

    init(_ text: String = "2026-03-01T12:00:00Z") { state = Mutex(State(now: Linux.Timestamp(text)!)) }

    var now: Linux.Timestamp { state.withLock { $0.now } }

    var sleeperCount: Int { state.withLock { $0.sleepers.count } }

    func advance(_ duration: Duration) { set(now.adding(duration)) }

    func set(_ moment: Linux.Timestamp) {
        let due = state.withLock { state in
            state.now = max(state.now, moment)
            let now = state.now
            defer { state.sleepers.removeAll { $0.until <= now } }
            return state.sleepers.filter { $0.until <= now }
        }
        for sleeper in due { sleeper.wake.resume() }
    }

    /// Sets the clock, also back: every sleeper wakes, as the kernel has it.
    func jump(to moment: Linux.Timestamp) {
        let all = state.withLock { state in
            state.now = moment
            defer { state.sleepers = [] }
            return state.sleepers
        }
        for sleeper in all { sleeper.wake.resume() }
    }

    func sleep(until moment: Linux.Timestamp) async {
        // Cancelled sleepers stay until the clock has moved, which does no harm: each is of no use to anybody.
        let isDue = await withTaskCancellationHandler {
            await withCheckedContinuation { (wake: CheckedContinuation<Void, Never>) in
                let isDue = state.withLock { state in
                    guard state.now < moment, !Task.isCancelled else { return true }
                    state.sleepers.append((moment, wake))
                    return false
                }
                if isDue { wake.resume() }
            }
            return true
        } onCancel: {
            let all = state.withLock { state in
                defer { state.sleepers.removeAll { $0.until == moment } }
                return state.sleepers.filter { $0.until == moment }
            }
            for sleeper in all { sleeper.wake.resume() }
        }
        _ = isDue
    }
}

/// The API as controllers see it, over a store in memory: defaults, generations, statuses apart, finalizers. Writes can be
/// made to fail.
final class WorkloadAPI: ObjectClient {
    struct Written: Sendable {
        var change: ObjectCache.Change
        var revision: Int64
    }

    private struct State {
        var nextUID = 0
        var log: [String: [Written]] = [:]
        var requests = 0
    }

    let store: any ObjectStoring
    private let clock: any WallClock
    private let state = Mutex(State())
    /// Asked before each write: why it fails, if it does.
    private let fault: @Sendable (_ verb: String, Resource, KubeObject?) -> APIFailure?

    init(
        _ store: any ObjectStoring, clock: any WallClock,
        fault: @escaping @Sendable (_ verb: String, Resource, KubeObject?) -> APIFailure? = { _, _, _ in nil }
    ) {
        self.store = store
        self.clock = clock
        self.fault = fault
    }

    /// How many writes were asked for.
    var requests: Int { state.withLock { $0.requests } }

    /// What happened to a resource, from a place in its history on.
    func log(_ resource: Resource, from place: Int) -> [Written] {
        state.withLock { Array(($0.log[resource.storeName] ?? []).dropFirst(place)) }
    }

    private func note(_ resource: Resource, _ old: StoredObject?, _ new: StoredObject?, _ revision: Int64) {
        let key = (new ?? old)!.key
        state.withLock {
            $0.log[resource.storeName, default: []].append(
                Written(
                    change: ObjectCache.Change(resource: resource, key: key, old: old, new: new), revision: revision))
        }
    }

    private func check(_ verb: String, _ resource: Resource, _ object: KubeObject?) throws(APIFailure) {
        state.withLock { $0.requests += 1 }
        if let failure = fault(verb, resource, object) { throw failure }
    }

    private func stored(_ resource: Resource, _ namespace: String?, _ name: String) async throws(APIFailure)
        -> StoredObject
    {
        do throws(ObjectStoreFailure) { return try await store.get(resource.key(namespace: namespace, name)) } catch {
            throw APIFailure(error, resource, name)
        }
    }

    func get(_ resource: Resource, namespace: String?, _ name: String) async throws(APIFailure) -> KubeObject {
        KubeObject(try await stored(resource, namespace, name))
    }

    func list(_ resource: Resource, namespace: String?, labels: LabelSelector) async throws(APIFailure) -> [KubeObject]
    {
        let page = try! await store.list(ListRequest(resource.scope(namespace: namespace)))
        return page.objects.map { KubeObject($0) }.filter { labels.matches($0.json["metadata", "labels"]) }
    }

    @discardableResult
    func create(_ resource: Resource, _ object: KubeObject) async throws(APIFailure) -> KubeObject {
        try check("create", resource, object)
        var object = object
        let number = state.withLock { state in
            state.nextUID += 1
            return state.nextUID
        }
        if let kind = Schema.kubernetes.kind(group: resource.group, version: resource.version, plural: resource.plural)
        {
            Defaulting.apply(to: &object.json, of: kind, in: .kubernetes)
        }
        if resource == .jobs, object.spec["selector"] == nil {
            object.json["spec", default: [:]]["selector"] = [
                "matchLabels": ["batch.kubernetes.io/job-name": .string(object.name)]
            ]
            object.json["spec", "template", "metadata", "labels", "batch.kubernetes.io/job-name"] = .string(object.name)
        }
        if object.name.isEmpty { object.metadata.name = "\(object.metadata.generateName ?? "x-")\(number)" }
        object.metadata.uid = "uid-\(number)"
        object.metadata.creationTimestamp = clock.now.kubeTime
        object.metadata.generation = 1
        if resource == .pods { object.status = ["phase": "Pending"] }
        do throws(ObjectStoreFailure) {
            let new = try await store.create(resource.key(namespace: object.namespace, object.name), object.json)
            note(resource, nil, new, new.revision)
            return KubeObject(new)
        } catch { throw APIFailure(error, resource, object.name) }
    }

    @discardableResult
    func update(_ resource: Resource, _ object: KubeObject, subresource: String?) async throws(APIFailure) -> KubeObject
    {
        try check(subresource == nil ? "update" : "update \(subresource!)", resource, object)
        let old = try await stored(resource, object.namespace, object.name)
        let current = KubeObject(old)
        if let version = object.metadata.resourceVersion, version != old.resourceVersion {
            throw .conflict(resource, object.name, APIFailure.modified)
        }
        var next = object
        if let kind = Schema.kubernetes.kind(group: resource.group, version: resource.version, plural: resource.plural)
        {
            Defaulting.apply(to: &next.json, of: kind, in: .kubernetes)
        }
        if subresource == "status" {
            next = current
            next.json["status"] = object.json["status"]
        } else {
            next.json["status"] = current.json["status"]
            for field in ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] {
                next.json["metadata", default: [:]][field] = current.json["metadata"]?[field]
            }
            let changed = next.json["spec"] != current.json["spec"]
            next.metadata.generation = (current.metadata.generation ?? 0) + (changed ? 1 : 0)
        }
        if next.isBeingDeleted, !isHeld(resource, next), isGone(resource, next) {
            try await remove(resource, old)
            return next
        }
        do throws(ObjectStoreFailure) {
            let written = try await store.update(old.key, next.json, if: Precondition(revision: old.revision))
            if written.isChanged { note(resource, old, written.object, written.object.revision) }
            return KubeObject(written.object)
        } catch { throw APIFailure(error, resource, object.name) }
    }

    /// A pod goes when its containers have ended; all else when nothing holds it.
    private func isGone(_ resource: Resource, _ object: KubeObject) -> Bool {
        resource != .pods || object.metadata.deletionGracePeriodSeconds == 0
    }

    private func isHeld(_ resource: Resource, _ object: KubeObject) -> Bool {
        let own = resource == .namespaces ? object.spec["finalizers"]?.array ?? [] : []
        return !object.metadata.finalizers.isEmpty || !own.isEmpty
    }

    private func remove(_ resource: Resource, _ old: StoredObject) async throws(APIFailure) {
        do throws(ObjectStoreFailure) {
            let gone = try await store.delete(old.key, if: Precondition(revision: old.revision))
            note(resource, old, nil, gone.revision)
        } catch { throw APIFailure(error, resource, old.key.name) }
    }

    func delete(
        _ resource: Resource, namespace: String?, _ name: String, _ options: DeletionOptions
    ) async throws(APIFailure) {
        let old = try await stored(resource, namespace, name)
        var object = KubeObject(old)
        try check("delete", resource, object)
        if let uid = options.uid, uid != object.uid { throw .conflict(resource, name, "the uid is another") }
        if let version = options.resourceVersion, version != old.resourceVersion {
            throw .conflict(resource, name, APIFailure.modified)
        }
        let isUnassigned = object.spec["nodeName"]?.string == nil
        let atOnce = resource != .pods || options.gracePeriodSeconds == 0 || isUnassigned
        if atOnce, !isHeld(resource, object) { return try await remove(resource, old) }
        if object.isBeingDeleted, !(atOnce && object.metadata.deletionGracePeriodSeconds != 0) { return }
        let grace: Int64 = atOnce ? 0 : 30
        object.metadata.deletionTimestamp = clock.now.adding(seconds: grace).kubeTime
        object.metadata.deletionGracePeriodSeconds = grace
        do throws(ObjectStoreFailure) {
            let written = try await store.update(old.key, object.json, if: Precondition(revision: old.revision))
            note(resource, old, written.object, written.object.revision)
        } catch { throw APIFailure(error, resource, name) }
    }
}
