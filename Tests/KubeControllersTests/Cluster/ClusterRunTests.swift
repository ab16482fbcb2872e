import JSON
import KubeStore
import Linux
import Synchronization
import TestKit
import Testing

@testable import KubeControllers
@testable import KubeObjects

/// All controllers of the cluster at work on one cache, as in a node.
@Suite(.timeLimit(.minutes(2))) struct ClusterRunTests {
    private func start(_ store: MemoryObjectStore) -> (
        group: ControllerGroup, api: WorkloadAPI, task: Task<Void, Never>
    ) {
        let api = WorkloadAPI(store, clock: SystemWallClock())
        let settings = ClusterControllers.Settings(
            node: "one",
            facts: {
                var facts = NodeFacts(name: "one")
                (facts.milliCPU, facts.memory, facts.ephemeralStorage) = (400_000, 64 << 30, 100 << 30)
                return facts
            }, certificate: "PEM", issue: { _ in "token" }, volumeDirectory: "/var/volumes")
        let group = ControllerGroup(ClusterControllers.all(settings), store: store, client: api)
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
}
