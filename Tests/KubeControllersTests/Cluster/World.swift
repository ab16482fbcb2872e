import JSON
import KubeSchema
import KubeStore
import Linux
import Synchronization
import Testing

@testable import KubeControllers
@testable import KubeObjects

/// Objects in memory with what the server does about actions, as far as controllers notice: identities, versions, statuses apart
/// from specs, finalizers, graceful deletion. Time stands still unless a test moves it.
final class World: ObjectView {
    private struct State {
        var objects: [String: [ObjectKey: StoredObject]] = [:]
        var changes: [ObjectCache.Change] = []
        var events: [String] = []
        var uids = 0
        var now = Linux.Timestamp(nanoseconds: 1_780_000_000_000_000_000)
        var writes = 0
        var unseen: Set<String> = []
    }

    private let store = MemoryObjectStore()
    private let state = Mutex(State())

    var now: Linux.Timestamp {
        get { state.withLock(\.now) }
        set { state.withLock { $0.now = newValue } }
    }
    /// "Warning FailedScheduling pods default/web: ..."
    var events: [String] { state.withLock(\.events) }
    var writes: Int { state.withLock(\.writes) }

    // MARK: What controllers see

    func get(_ resource: Resource, namespace: String?, _ name: String) -> StoredObject? {
        state.withLock { $0.objects[resource.storeName]?[resource.key(namespace: namespace, name)] }
    }

    func objects(_ resource: Resource, namespace: String?) -> [StoredObject] {
        let all = state.withLock { $0.objects[resource.storeName] ?? [:] }
        return all.values.filter { namespace == nil || $0.key.namespace == namespace }
    }

    func has(_ resource: Resource) -> Bool { state.withLock { !$0.unseen.contains(resource.storeName) } }

    // MARK: What tests do

    /// Whether all objects of a resource are here, which is so unless a test says otherwise.
    func see(_ resource: Resource, _ isSeen: Bool) {
        state.withLock { state in
            if isSeen { state.unseen.remove(resource.storeName) } else { state.unseen.insert(resource.storeName) }
        }
    }

    func object(_ resource: Resource, _ name: String, in namespace: String? = "default") throws -> KubeObject {
        let stored = get(resource, namespace: resource.isNamespaced ? namespace : nil, name)
        return KubeObject(try #require(stored, "\(resource) \(name)"))
    }

    func names(_ resource: Resource) -> [String] { objects(resource, namespace: nil).map(\.key.name).sorted() }

    /// Makes an object as a user would.
    @discardableResult
    func add(_ resource: Resource, _ name: String, in namespace: String? = "default", _ json: JSONValue) async throws
        -> KubeObject
    {
        var object = KubeObject(json: json)
        object.metadata.name = name
        object.metadata.namespace = resource.isNamespaced ? namespace : nil
        try await perform(.create(resource, object))
        return try self.object(resource, name, in: namespace)
    }

    /// Changes an object whatever it is, status and all.
    func change(
        _ resource: Resource, _ name: String, in namespace: String? = "default", _ edit: (inout KubeObject) -> Void
    ) async throws {
        var object = try self.object(resource, name, in: namespace)
        edit(&object)
        try await put(resource, object)
    }

    func delete(
        _ resource: Resource, _ name: String, in namespace: String? = "default", _ options: DeletionOptions = .init()
    ) async throws {
        let namespace = resource.isNamespaced ? namespace : nil
        try await perform(.delete(resource, namespace: namespace, name: name, options))
    }

    /// What the pod's agent does in the end.
    func finish(_ name: String, in namespace: String = "default") async throws {
        try await remove(.pods, Resource.pods.key(namespace: namespace, name))
    }

    // MARK: Running controllers

    /// Lets controllers work until nothing is left to be done, and sees to it that nothing is.
    func settle(_ controllers: any Controller..., rounds: Int = 2000) async throws {
        var queue: [(controller: Int, key: ObjectKey)] = []
        for (index, controller) in controllers.enumerated() {
            for resource in controller.resources {
                for object in objects(resource, namespace: nil) {
                    let change = ObjectCache.Change(resource: resource, key: object.key, old: nil, new: object)
                    queue += controller.concerned(by: change, in: self).map { (index, $0) }
                }
            }
        }
        var seen: Set<String> = []
        var keys: [(controller: Int, key: ObjectKey)] = []
        var left = rounds
        queue += drain(controllers)
        while !queue.isEmpty {
            let next = queue.removeFirst()
            queue.removeAll { $0.controller == next.controller && $0.key == next.key }
            if seen.insert("\(next.controller) \(next.key)").inserted { keys.append(next) }
            // Each key is looked at after the last of the changes that concern it.
            left -= 1
            try #require(left > 0, "no end to \(controllers[next.controller].name) about \(next.key)")
            let decision = controllers[next.controller].decide(next.key, in: self, now: now)
            try await perform(decision)
            queue += drain(controllers)
        }
        for (index, key) in keys {
            let again = controllers[index].decide(key, in: self, now: now)
            #expect(again.actions.isEmpty, "\(controllers[index].name) about \(key): a second decision")
        }
    }

    private func drain(_ controllers: [any Controller]) -> [(controller: Int, key: ObjectKey)] {
        let changes = state.withLock { state in
            defer { state.changes = [] }
            return state.changes
        }
        return changes.flatMap { change in
            controllers.enumerated().flatMap { index, controller in
                controller.watches(change.resource)
                    ? controller.concerned(by: change, in: self).map { (index, $0) } : []
            }
        }
    }

    /// As the worker does: a second update of an object is made on top of the first.
    private func perform(_ decision: Decision) async throws {
        var written: Set<ObjectKey> = []
        for action in decision.actions {
            guard case .update(let resource, var object, let subresource) = action else {
                try await perform(action)
                continue
            }
            if !written.insert(resource.key(namespace: object.namespace, object.name)).inserted {
                let current = try self.object(resource, object.name, in: object.namespace)
                object.metadata.resourceVersion = current.metadata.resourceVersion
            }
            try await perform(.update(resource, object, subresource: subresource))
        }
    }

    // MARK: What the server does

    func perform(_ action: ObjectAction) async throws {
        switch action {
        case .create(let resource, let object): try await create(resource, object)
        case .update(let resource, let object, let subresource): try await update(resource, object, subresource)
        case .delete(let resource, let namespace, let name, let options):
            try await delete(resource, resource.key(namespace: namespace, name), options)
        case .confirmEmpty(let kinds, let namespace):
            for kind in kinds {
                guard let left = objects(kind, namespace: namespace).first else { continue }
                throw APIFailure.conflict(kind, left.key.name, "still there")
            }
        case .event(let object, let resource, let type, let reason, let message):
            let place = object.namespace.map { $0 + "/" } ?? ""
            state.withLock { $0.events.append("\(type) \(reason) \(resource) \(place)\(object.name): \(message)") }
        }
    }

    private func create(_ resource: Resource, _ object: KubeObject) async throws {
        var object = object
        let key = resource.key(namespace: object.namespace, object.name)
        guard get(resource, namespace: key.namespace, key.name) == nil else {
            throw APIFailure.alreadyExists(resource, key.name)
        }
        object.json["apiVersion"] = .string(resource.apiVersion)
        object.json["kind"] = .string(resource.kind)
        object.metadata.uid = state.withLock { state in
            state.uids += 1
            return "uid-\(state.uids)"
        }
        object.metadata.creationTimestamp = now.kubeTime
        object.metadata.generation = 1
        let stored = try await store.create(key, object.json)
        tell(resource, key, nil, stored)
    }

    private func update(_ resource: Resource, _ object: KubeObject, _ subresource: String?) async throws {
        let current = try self.object(resource, object.name, in: object.namespace)
        if subresource == "binding" { return try await bind(object, object.spec["nodeName"]?.string ?? "") }
        guard object.metadata.resourceVersion == current.metadata.resourceVersion else {
            throw APIFailure.conflict(resource, object.name, APIFailure.modified)
        }
        var new = object
        switch subresource {
        case nil:
            if Schema.kubernetes.kind(group: resource.group, version: resource.version, plural: resource.plural)?
                .subresources.contains("status") ?? false
            {
                new.json["status"] = current.json["status"]
            }
            if new.spec != current.spec { new.metadata.generation = (current.metadata.generation ?? 0) + 1 }
        case "status":
            new = current
            new.status = object.status
        case "finalize":
            new = current
            new.spec = object.spec
        default: throw APIFailure.badRequest("no subresource \(subresource ?? "")")
        }
        try await put(resource, new)
    }

    /// Stores an object, or lets it go when nothing holds it any longer.
    private func put(_ resource: Resource, _ object: KubeObject) async throws {
        let key = resource.key(namespace: object.namespace, object.name)
        let holders = object.metadata.finalizers.count + (object.spec["finalizers"]?.array?.count ?? 0)
        if object.isBeingDeleted, holders == 0, object.metadata.deletionGracePeriodSeconds ?? 0 == 0 {
            return try await remove(resource, key)
        }
        let old = get(resource, namespace: key.namespace, key.name)
        let written = try await store.update(key, object.json)
        if written.isChanged { tell(resource, key, old, written.object) }
    }

    private func delete(_ resource: Resource, _ key: ObjectKey, _ options: DeletionOptions) async throws {
        guard let stored = get(resource, namespace: key.namespace, key.name) else { return }
        var object = KubeObject(stored)
        if let uid = options.uid, uid != object.uid { throw APIFailure.conflict(resource, key.name, "uid") }
        if let version = options.resourceVersion, version != object.metadata.resourceVersion {
            throw APIFailure.conflict(resource, key.name, APIFailure.modified)
        }
        var finalizers = object.metadata.finalizers.filter { $0 != "orphan" && $0 != "foregroundDeletion" }
        switch options.propagation {
        case .orphan: finalizers.append("orphan")
        case .foreground: finalizers.append("foregroundDeletion")
        case .background: break
        case nil: finalizers = object.metadata.finalizers
        }
        object.metadata.finalizers = finalizers
        let isOnNode = resource == .pods && object.spec["nodeName"] != nil && !SchedulingPod.isFinished(object.json)
        if !object.isBeingDeleted {
            object.metadata.deletionTimestamp = now.kubeTime
            object.metadata.deletionGracePeriodSeconds = isOnNode ? options.gracePeriodSeconds ?? 30 : 0
        } else if options.gracePeriodSeconds == 0 {
            object.metadata.deletionGracePeriodSeconds = 0
        }
        try await put(resource, object)
    }

    private func bind(_ pod: KubeObject, _ node: String) async throws {
        var current = try object(.pods, pod.name, in: pod.namespace)
        guard current.uid == pod.uid, current.spec["nodeName"] == nil, !current.isBeingDeleted else {
            throw APIFailure.conflict(.pods, pod.name, "pod \(pod.name) is already assigned to a node")
        }
        current.spec["nodeName"] = .string(node)
        current.setCondition("PodScheduled", true, reason: "", message: "", now: now)
        try await put(.pods, current)
    }

    private func remove(_ resource: Resource, _ key: ObjectKey) async throws {
        let old = get(resource, namespace: key.namespace, key.name)
        try await store.delete(key)
        tell(resource, key, old, nil)
    }

    private func tell(_ resource: Resource, _ key: ObjectKey, _ old: StoredObject?, _ new: StoredObject?) {
        state.withLock { state in
            state.writes += 1
            state.objects[resource.storeName, default: [:]][key] = new
            state.changes.append(ObjectCache.Change(resource: resource, key: key, old: old, new: new))
        }
    }
}
