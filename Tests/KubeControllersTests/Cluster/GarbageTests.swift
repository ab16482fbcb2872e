import JSON
import KubeStore
import TestKit
import Testing

@testable import KubeControllers
@testable import KubeObjects

/// What goes when its owners go, and in which order.
@Suite(.timeLimit(.minutes(2))) struct GarbageTests {
    private let world = World()
    private let collector = GarbageCollector(
        kinds: StoredKinds([
            .configMaps, .secrets, .deployments, .replicaSets, .pods, .clusterRoles, .namespaces,
        ]))

    private func owner(_ object: KubeObject, _ resource: Resource, blocks: Bool = true) -> JSONValue {
        [
            "apiVersion": .string(resource.apiVersion), "kind": .string(resource.kind), "name": .string(object.name),
            "uid": .string(object.uid), "blockOwnerDeletion": .bool(blocks),
        ]
    }

    @discardableResult
    private func add(
        _ resource: Resource, _ name: String, in namespace: String? = "default", owners: [JSONValue] = []
    ) async throws -> KubeObject {
        try await world.add(resource, name, in: namespace, ["metadata": ["ownerReferences": .array(owners)]])
    }

    /// A deployment with a replica set with a pod.
    private func addChain(blocks: Bool = true) async throws {
        let deployment = try await add(.deployments, "web")
        let set = try await add(.replicaSets, "web-1", owners: [owner(deployment, .deployments, blocks: blocks)])
        try await add(.configMaps, "web-1-a", owners: [owner(set, .replicaSets, blocks: blocks)])
        try await add(.configMaps, "free")
        try await world.settle(collector)
    }

    @Test func `in the background what is owned goes after its owner`() async throws {
        try await addChain()
        try await world.delete(.deployments, "web", DeletionOptions(propagation: .background))
        #expect(world.names(.deployments).isEmpty)
        try await world.settle(collector)
        #expect(world.names(.replicaSets).isEmpty && world.names(.configMaps) == ["free"])
    }

    @Test func `in the foreground the owner goes after what blocks it`() async throws {
        try await addChain()
        try await world.change(.configMaps, "web-1-a") { $0.metadata.finalizers = ["test/hold"] }
        try await world.delete(.deployments, "web", DeletionOptions(propagation: .foreground))
        try await world.settle(collector)
        #expect(try world.object(.deployments, "web").isBeingDeleted)
        #expect(try world.object(.replicaSets, "web-1").metadata.finalizers == ["foregroundDeletion"])
        #expect(try world.object(.configMaps, "web-1-a").isBeingDeleted)
        try await world.change(.configMaps, "web-1-a") { $0.metadata.finalizers = [] }
        try await world.settle(collector)
        #expect(world.names(.deployments).isEmpty && world.names(.replicaSets).isEmpty)
        #expect(world.names(.configMaps) == ["free"])
    }

    @Test func `what does not block does not hold an owner up`() async throws {
        try await addChain(blocks: false)
        try await world.change(.replicaSets, "web-1") { $0.metadata.finalizers = ["test/hold"] }
        try await world.delete(.deployments, "web", DeletionOptions(propagation: .foreground))
        try await world.settle(collector)
        #expect(world.names(.deployments).isEmpty)
        #expect(try world.object(.replicaSets, "web-1").isBeingDeleted)
    }

    @Test func `orphans stay and forget their owner`() async throws {
        try await addChain()
        try await world.delete(.deployments, "web", DeletionOptions(propagation: .orphan))
        try await world.settle(collector)
        #expect(world.names(.deployments).isEmpty)
        #expect(try world.object(.replicaSets, "web-1").metadata.ownerReferences.isEmpty)
        #expect(world.names(.configMaps) == ["free", "web-1-a"])
    }

    @Test func `one living owner keeps what it owns, and only it is named then`() async throws {
        let (a, b) = (try await add(.configMaps, "a"), try await add(.secrets, "b"))
        try await add(.configMaps, "child", owners: [owner(a, .configMaps), owner(b, .secrets)])
        try await world.settle(collector)
        try await world.delete(.configMaps, "a")
        try await world.settle(collector)
        #expect(try world.object(.configMaps, "child").metadata.ownerReferences.map(\.name) == ["b"])
        try await world.delete(.secrets, "b")
        try await world.settle(collector)
        #expect(world.names(.configMaps).isEmpty)
    }

    @Test func `an owner of another uid is none`() async throws {
        let old = try await add(.configMaps, "a")
        try await add(.secrets, "child", owners: [owner(old, .configMaps)])
        try await world.settle(collector)
        try await world.delete(.configMaps, "a")
        try await add(.configMaps, "a")
        try await world.settle(collector)
        #expect(world.names(.secrets).isEmpty && world.names(.configMaps) == ["a"])
    }

    @Test func `an owner that was never seen is waited for, then taken for gone`() async throws {
        let reference: JSONValue = [
            "apiVersion": "v1", "kind": "ConfigMap", "name": "late", "uid": "uid-2", "blockOwnerDeletion": true,
        ]
        try await add(.secrets, "early", owners: [reference])
        try await world.settle(collector)
        let key = Resource.secrets.key(namespace: "default", "early")
        let again = collector.decide(key, in: world, now: world.now).again
        #expect(again == world.now.later(bySeconds: 2))
        // It comes, and has the uid that was named.
        try await add(.configMaps, "late")
        world.now = world.now.later(bySeconds: 3)
        try await world.settle(collector)
        #expect(world.names(.secrets) == ["early"])
        try await add(
            .secrets, "never", owners: [["apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "none"]])
        try await world.settle(collector)
        #expect(world.names(.secrets) == ["early", "never"])
        world.now = world.now.later(bySeconds: 3)
        try await world.settle(collector)
        #expect(world.names(.secrets) == ["early"])
    }

    @Test func `owners of kinds that are not known keep what they own`() async throws {
        try await add(
            .secrets, "custom", owners: [["apiVersion": "example.com/v1", "kind": "Site", "name": "x", "uid": "1"]])
        world.now = world.now.later(bySeconds: 60)
        try await world.settle(collector)
        world.now = world.now.later(bySeconds: 60)
        try await world.settle(collector)
        #expect(world.names(.secrets) == ["custom"])
    }

    @Test func `cluster-wide owners own in namespaces`() async throws {
        let role = try await add(.clusterRoles, "admin", in: nil)
        try await add(.secrets, "child", owners: [owner(role, .clusterRoles)])
        try await world.settle(collector)
        #expect(world.names(.secrets) == ["child"])
        try await world.delete(.clusterRoles, "admin")
        try await world.settle(collector)
        #expect(world.names(.secrets).isEmpty)
    }

    @Test func `an owner in another namespace is none, and an event says why`() async throws {
        let other = try await add(.configMaps, "a", in: "other")
        try await add(.secrets, "child", owners: [owner(other, .configMaps)])
        try await world.settle(collector)
        #expect(world.names(.secrets).isEmpty)
        #expect(
            world.events == [
                "Warning OwnerRefInvalidNamespace secrets default/child: ownerRef [v1/ConfigMap, namespace: default, "
                    + "name: a, uid: \(other.uid)] does not exist in namespace \"default\""
            ])
    }

    @Test func `what is cluster-wide cannot have an owner in a namespace and stays`() async throws {
        let map = try await add(.configMaps, "a")
        try await add(.clusterRoles, "role", in: nil, owners: [owner(map, .configMaps)])
        try await world.settle(collector)
        try await world.delete(.configMaps, "a")
        world.now = world.now.later(bySeconds: 10)
        try await world.settle(collector)
        #expect(world.names(.clusterRoles) == ["role"])
        #expect(world.events.count == 1)
    }

    @Test func `a circle deleted in the foreground goes`() async throws {
        let a = try await add(.configMaps, "a")
        let b = try await add(.configMaps, "b", owners: [owner(a, .configMaps)])
        try await world.change(.configMaps, "a") {
            $0.metadata.ownerReferences = [OwnerReference(json: owner(b, .configMaps))]
        }
        try await world.settle(collector)
        try await world.delete(.configMaps, "a", DeletionOptions(propagation: .foreground))
        try await world.settle(collector)
        #expect(world.names(.configMaps).isEmpty)
    }

    /// Chains and trees, deleted here and there: what is left is what has no owner, or one that is left.
    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8])
    func `exactly what has no living owner goes, whatever is deleted in whatever way`(seed: UInt64) async throws {
        var chance = SeededChance(seed: seed)
        var owners: [String: [String]] = [:]
        var objects: [KubeObject] = []
        for index in 0..<40 {
            let chosen = objects.shuffled(using: &chance).prefix(Int.random(in: 0...2, using: &chance))
            let references = chosen.map { owner($0, .configMaps, blocks: Bool.random(using: &chance)) }
            let object = try await add(.configMaps, "m\(index)", owners: references)
            owners[object.name] = chosen.map(\.name)
            objects.append(object)
        }
        try await world.settle(collector)
        var deleted: Set<String> = []
        for _ in 0..<6 {
            guard let victim = world.names(.configMaps).randomElement(using: &chance) else { break }
            let way: DeletionOptions.Propagation =
                [.background, .foreground, .orphan].randomElement(using: &chance) ?? .background
            if way == .orphan { for name in owners.keys { owners[name]?.removeAll { $0 == victim } } }
            deleted.insert(victim)
            try await world.delete(.configMaps, victim, DeletionOptions(propagation: way))
            if Bool.random(using: &chance) || way == .orphan { try await world.settle(collector) }
            // What the model says is left now: owners come before what they own.
            var left: Set<String> = []
            var forgotten: [String: [String]] = [:]
            for object in objects where !deleted.contains(object.name) {
                let named = owners[object.name] ?? []
                let living = named.filter(left.contains)
                if named.isEmpty || !living.isEmpty { left.insert(object.name) }
                forgotten[object.name] = living
            }
            guard way == .orphan else { continue }
            for object in objects where !left.contains(object.name) { deleted.insert(object.name) }
            for (name, living) in forgotten where left.contains(name) { owners[name] = living }
        }
        try await world.settle(collector)
        var left: Set<String> = []
        for object in objects where !deleted.contains(object.name) {
            let named = owners[object.name] ?? []
            if named.isEmpty || named.contains(where: left.contains) { left.insert(object.name) }
        }
        #expect(Set(world.names(.configMaps)) == left, "\(chance)")
    }

    @Test func `an owner of a kind that is not there yet is waited for`() async throws {
        let widgets = PassingKinds.widgets
        let kinds = PassingKinds()
        let collector = GarbageCollector(kinds: StoredKinds(kinds))
        let gone: JSONValue = [
            "apiVersion": "example.com/v1", "kind": "Widget", "name": "gone", "uid": "no-such-uid",
        ]
        try await add(.configMaps, "waits", owners: [gone])
        try await world.settle(collector)
        world.now = world.now.later(bySeconds: 60)
        try await world.settle(collector)
        #expect(world.names(.configMaps) == ["waits"])
        // The kind comes, and its objects are not here yet.
        world.see(widgets, false)
        kinds.set([widgets])
        try await world.settle(collector)
        #expect(world.names(.configMaps) == ["waits"])
        world.see(widgets, true)
        let key = Resource.configMaps.key(namespace: "default", "waits")
        #expect(collector.concerned(byNewcomer: widgets, in: world) == [key])
        // It is looked for a while, and collected.
        let first = collector.decide(key, in: world, now: world.now)
        #expect(first.actions.isEmpty && first.again != nil)
        world.now = world.now.later(bySeconds: 60)
        try await world.settle(collector)
        #expect(world.names(.configMaps).isEmpty)
        #expect(collector.concerned(byNewcomer: widgets, in: world).isEmpty)
    }

    @Test func `custom and built-in kinds own each other, also when the kind goes`() async throws {
        let widgets = PassingKinds.widgets
        let kinds = PassingKinds()
        kinds.set([widgets])
        let collector = GarbageCollector(kinds: StoredKinds(kinds))
        let deployment = try await add(.deployments, "web")
        let widget = try await add(widgets, "w", owners: [owner(deployment, .deployments)])
        try await add(.configMaps, "of-w", owners: [owner(widget, widgets)])
        try await world.settle(collector)
        // In the foreground, through a custom kind.
        try await world.change(.configMaps, "of-w") { $0.metadata.finalizers = ["test/hold"] }
        try await world.delete(.deployments, "web", DeletionOptions(propagation: .foreground))
        try await world.settle(collector)
        #expect(try world.object(widgets, "w").metadata.finalizers == ["foregroundDeletion"])
        #expect(world.names(.deployments) == ["web"])
        try await world.change(.configMaps, "of-w") { $0.metadata.finalizers = [] }
        try await world.settle(collector)
        #expect(world.names(.deployments).isEmpty && world.names(widgets).isEmpty && world.names(.configMaps).isEmpty)
        // Orphaned.
        let second = try await add(widgets, "second")
        try await add(.configMaps, "stays", owners: [owner(second, widgets)])
        try await world.settle(collector)
        try await world.delete(widgets, "second", DeletionOptions(propagation: .orphan))
        try await world.settle(collector)
        #expect(try world.object(.configMaps, "stays").metadata.ownerReferences.isEmpty)
        // The kind goes right behind its object, before anybody has looked at what the object owned.
        let third = try await add(widgets, "third")
        try await add(.configMaps, "of-third", owners: [owner(third, widgets)])
        try await world.settle(collector)
        try await world.delete(widgets, "third")
        kinds.set([])
        try await world.settle(collector)
        #expect(world.names(.configMaps) == ["stays"])
    }
}
