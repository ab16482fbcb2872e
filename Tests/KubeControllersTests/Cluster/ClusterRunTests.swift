import JSON
import KubeSchema
import KubeStore
import Linux
import Synchronization
import TestKit
import Testing

@testable import KubeControllers
@testable import KubeObjects

/// All controllers of the cluster at work on one cache, as in a node.
@Suite(.timeLimit(.minutes(2))) struct ClusterRunTests {
    private func start(
        _ store: MemoryObjectStore, kinds: StoredKinds = StoredKinds(BuiltInKinds())
    ) -> (
        group: ControllerGroup, api: WorkloadAPI, task: Task<Void, Never>
    ) {
        let api = WorkloadAPI(store, clock: SystemWallClock())
        let settings = ClusterControllers.Settings(
            node: "one",
            facts: {
                var facts = NodeFacts(name: "one")
                (facts.milliCPU, facts.memory, facts.ephemeralStorage) = (400_000, 64 << 30, 100 << 30)
                return facts
            }, certificate: "PEM", issue: { _ in "token" }, volumeDirectory: "/var/volumes", kinds: kinds)
        let group = ControllerGroup(ClusterControllers.all(settings), kinds: kinds, store: store, client: api)
        return (group, api, Task { await group.run() })
    }

    private func namespace(_ name: String) -> KubeObject {
        KubeObject(json: [
            "metadata": ["name": .string(name)], "spec": ["finalizers": ["kubernetes"]], "status": ["phase": "Active"],
        ])
    }

    @Test func `an empty cluster gets its node, and pods that arrive at once are all placed`() async throws {
        let store = MemoryObjectStore(bufferLimit: 100_000)
        let (group, api, task) = start(store)
        try await api.create(.namespaces, namespace("kube-node-lease"))
        try await api.create(.namespaces, namespace("default"))
        try await eventually("the node and its lease") {
            group.cache.get(.nodes, "one") != nil
                && group.cache.get(.leases, namespace: "kube-node-lease", "one") != nil
        }
        try await eventually("what namespaces have") {
            group.cache.get(.serviceAccounts, namespace: "default", "default") != nil
                && group.cache.get(.configMaps, namespace: "default", "kube-root-ca.crt") != nil
        }
        for index in 0..<100 {
            let pod: JSONValue = [
                "metadata": ["name": .string("web-\(index)"), "namespace": "default", "labels": ["app": "web"]],
                "spec": [
                    "schedulerName": "default-scheduler",
                    "containers": [["name": "m", "resources": ["requests": ["cpu": "100m"]]]],
                ], "status": ["phase": "Pending"],
            ]
            try await api.create(.pods, KubeObject(json: pod))
        }
        try await eventually("all pods on the node") {
            group.cache.objects(.pods).allSatisfy { $0.value["spec", "nodeName"] == "one" }
                && group.cache.objects(.pods).count == 100
        }
        store.endWatches()
        await task.value
    }

    @Test func `a kind that comes while the controllers run is counted, cleared and collected`() async throws {
        let store = MemoryObjectStore(bufferLimit: 100_000)
        let kinds = PassingKinds()
        let (group, api, task) = start(store, kinds: StoredKinds(kinds))
        try await api.create(.namespaces, namespace("team"))
        var quota = KubeObject(json: ["metadata": ["name": "q", "namespace": "team"]])
        quota.spec = ["hard": ["count/widgets.example.com": "5"]]
        try await api.create(.resourceQuotas, quota)
        try await eventually("a kind that is not there uses nothing") {
            group.cache.get(.resourceQuotas, namespace: "team", "q")?.value[
                "status", "used", "count/widgets.example.com"] == "0"
        }
        kinds.set([PassingKinds.widgets])
        let widget = try await api.create(
            PassingKinds.widgets, KubeObject(json: ["metadata": ["name": "w", "namespace": "team"]]))
        var owned = KubeObject(json: ["metadata": ["name": "owned", "namespace": "team"]])
        owned.metadata.ownerReferences = [OwnerReference(controller: widget, PassingKinds.widgets)]
        try await api.create(.configMaps, owned)
        try await eventually("the widget is counted") {
            group.cache.get(.resourceQuotas, namespace: "team", "q")?.value[
                "status", "used", "count/widgets.example.com"] == "1"
        }
        try await api.delete(PassingKinds.widgets, namespace: "team", "w", DeletionOptions())
        try await eventually("what it owned goes with it") {
            group.cache.get(.configMaps, namespace: "team", "owned") == nil
        }
        try await api.create(
            PassingKinds.widgets, KubeObject(json: ["metadata": ["name": "last", "namespace": "team"]]))
        try await api.delete(.namespaces, namespace: nil, "team", DeletionOptions())
        try await eventually("the namespace goes") { group.cache.get(.namespaces, "team") == nil }
        let left = try await api.list(PassingKinds.widgets, namespace: nil, labels: .everything)
        #expect(left.isEmpty)
        kinds.set([])
        try await eventually("the kind is not followed any more") { !group.cache.has(PassingKinds.widgets) }
        task.cancel()
        await task.value
    }
}
