import JSON
import KubeStore
import Testing

@testable import KubeControllers
@testable import KubeObjects

/// How many pods may be evicted.
@Suite(.timeLimit(.minutes(1))) struct DisruptionTests {
    private let world = World()
    private let controller = DisruptionController()

    private func addPods(_ count: Int, ready: Int, owner: KubeObject? = nil) async throws {
        for index in 0..<count {
            try await world.addRunning(
                "web-\(index)", address: "10.1.0.\(index + 5)", labels: ["app": "web"], isReady: index < ready
            ) { if let owner { $0.metadata.ownerReferences = [OwnerReference(controller: owner, .replicaSets)] } }
        }
    }

    private func addBudget(_ spec: JSONValue) async throws {
        var spec = spec
        spec["selector"] = ["matchLabels": ["app": "web"]]
        try await world.add(.podDisruptionBudgets, "web", ["spec": spec])
        try await world.settle(controller)
    }

    private func addSet(_ replicas: Int64) async throws -> KubeObject {
        let deployment = try await world.add(.deployments, "web", ["spec": ["replicas": .integer(replicas)]])
        let reference = OwnerReference(controller: deployment, .deployments).json
        return try await world.add(
            .replicaSets, "web-1",
            ["spec": ["replicas": 1], "metadata": ["ownerReferences": [reference]]])
    }

    private func status() throws -> [Int64?] {
        let status = try world.object(.podDisruptionBudgets, "web").status
        return ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"].map { status[$0]?.integer }
    }

    @Test func `a number that must stay is counted from the pods there are`() async throws {
        try await addPods(4, ready: 3)
        try await addBudget(["minAvailable": 2])
        #expect(try status() == [1, 3, 2, 4])
        let budget = try world.object(.podDisruptionBudgets, "web")
        #expect(budget.condition("DisruptionAllowed")?["status"] == "True")
        #expect(budget.condition("DisruptionAllowed")?["reason"] == "SufficientPods")
        #expect(budget.status["observedGeneration"] == 1)
        try await world.setReady("web-0", false)
        try await world.settle(controller)
        #expect(try status() == [0, 2, 2, 4])
        #expect(
            try world.object(.podDisruptionBudgets, "web").condition("DisruptionAllowed")?["reason"]
                == "InsufficientPods")
    }

    @Test(
        arguments: [
            (["maxUnavailable": 1], [1, 5, 4, 5]), (["maxUnavailable": "30%"], [2, 5, 3, 5]),
            (["minAvailable": "50%"], [2, 5, 3, 5]), (["maxUnavailable": "100%"], [5, 5, 0, 5]),
        ] as [(JSONValue, [Int64])])
    func `parts are counted from what the pods' controllers want`(spec: JSONValue, wanted: [Int64]) async throws {
        try await addPods(5, ready: 5, owner: try await addSet(5))
        try await addBudget(spec)
        #expect(try status() == wanted)
    }

    @Test func `a controller that wants more is seen at once`() async throws {
        try await addPods(5, ready: 5, owner: try await addSet(5))
        try await addBudget(["maxUnavailable": 1])
        try await world.change(.deployments, "web") { $0.spec["replicas"] = 8 }
        try await world.settle(controller)
        #expect(try status() == [0, 5, 7, 8])
    }

    @Test func `an allowed eviction counts until the pod has gone`() async throws {
        try await addPods(3, ready: 3)
        try await addBudget(["minAvailable": 1])
        try await world.change(.podDisruptionBudgets, "web") {
            $0.status["disruptedPods"] = ["web-0": .string(world.now.kubeTime)]
        }
        try await world.settle(controller)
        #expect(try status() == [1, 2, 1, 3])
        let key = Resource.podDisruptionBudgets.key(namespace: "default", "web")
        #expect(controller.decide(key, in: world, now: world.now).again == world.now.later(bySeconds: 120))
        try await world.finish("web-0")
        try await world.settle(controller)
        #expect(try status() == [1, 2, 1, 2])
        #expect(try world.object(.podDisruptionBudgets, "web").status["disruptedPods"] == nil)
        // One that did not happen is forgotten.
        try await world.change(.podDisruptionBudgets, "web") {
            $0.status["disruptedPods"] = ["web-1": .string(world.now.kubeTime)]
        }
        world.now = world.now.later(bySeconds: 121)
        try await world.settle(controller)
        #expect(try status() == [1, 2, 1, 2])
    }

    @Test func `pods that nobody manages make parts impossible to tell`() async throws {
        try await addPods(2, ready: 2)
        try await addBudget(["maxUnavailable": 1])
        #expect(try status() == [0, 2, 0, 0])
        #expect(world.events.contains { $0.hasPrefix("Warning UnmanagedPods") && $0.contains("(selector: app=web)") })
    }

    @Test func `pods of controllers without a scale fail the budget`() async throws {
        try await addPods(1, ready: 1)
        try await world.change(.pods, "web-0") {
            $0.metadata.ownerReferences = [
                OwnerReference(json: [
                    "apiVersion": "batch/v1", "kind": "Job", "name": "x", "uid": "1", "controller": true,
                ])
            ]
        }
        try await addBudget(["maxUnavailable": 1])
        let condition = try world.object(.podDisruptionBudgets, "web").condition("DisruptionAllowed")
        #expect(condition?["reason"] == "SyncFailed")
        #expect(condition?["message"] == "found no controllers for pod \"web-0\"")
    }

    @Test func `roles take over the rules that they select`() async throws {
        let aggregation = ClusterRoleAggregation()
        func rule(_ resource: String) -> JSONValue {
            ["apiGroups": [""], "resources": [.string(resource)], "verbs": ["get"]]
        }
        try await world.add(
            .clusterRoles, "view",
            ["aggregationRule": ["clusterRoleSelectors": [["matchLabels": ["to-view": "true"]]]], "rules": []])
        try await world.add(
            .clusterRoles, "a",
            ["metadata": ["labels": ["to-view": "true"]], "rules": [rule("pods"), rule("secrets")]])
        try await world.add(
            .clusterRoles, "b", ["metadata": ["labels": ["to-view": "true"]], "rules": [rule("pods"), rule("nodes")]])
        try await world.add(.clusterRoles, "c", ["rules": [rule("events")]])
        try await world.settle(aggregation)
        #expect(
            try world.object(.clusterRoles, "view").json["rules"] == [rule("pods"), rule("secrets"), rule("nodes")])
        try await world.delete(.clusterRoles, "a")
        try await world.settle(aggregation)
        #expect(try world.object(.clusterRoles, "view").json["rules"] == [rule("pods"), rule("nodes")])
    }
}
