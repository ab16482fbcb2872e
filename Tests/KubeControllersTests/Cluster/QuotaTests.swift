import JSON
import KubeStore
import Testing

@testable import KubeControllers
@testable import KubeObjects

/// What namespaces use of their quotas.
@Suite(.timeLimit(.minutes(1))) struct QuotaTests {
    private let world = World()
    private let controller = ResourceQuotaController(
        kinds: StoredKinds([
            .configMaps, .secrets, .deployments, .services, .pods, .persistentVolumeClaims, .resourceQuotas,
        ]))

    private func addQuota(_ name: String, _ hard: [String: String], _ spec: JSONValue = [:]) async throws {
        var spec = spec
        spec["hard"] = hard.json
        try await world.add(.resourceQuotas, name, ["spec": spec])
        try await world.settle(controller)
    }

    private func used(_ name: String = "team") throws -> JSONValue? {
        try world.object(.resourceQuotas, name).status["used"]
    }

    @Test func `pods count by what they request and are limited to, until they end`() async throws {
        try await addQuota(
            "team",
            [
                "pods": "10", "requests.cpu": "4", "limits.memory": "8Gi", "cpu": "4", "requests.example.com/gpu": "1",
            ])
        #expect(
            try used() == [
                "pods": "0", "requests.cpu": "0", "limits.memory": "0", "cpu": "0", "requests.example.com/gpu": "0",
            ])
        for name in ["a", "b"] {
            try await world.addPod(name) {
                $0.spec["containers"] = [
                    [
                        "name": "m",
                        "resources": [
                            "requests": ["cpu": "250m", "example.com/gpu": "1"], "limits": ["memory": "1Gi"],
                        ],
                    ]
                ]
            }
        }
        try await world.settle(controller)
        #expect(
            try used() == [
                "pods": "2", "requests.cpu": "500m", "limits.memory": "2Gi", "cpu": "500m",
                "requests.example.com/gpu": "2",
            ])
        try await world.change(.pods, "a") { $0.status["phase"] = "Succeeded" }
        try await world.settle(controller)
        #expect(try used()?["pods"] == "1" && used()?["limits.memory"] == "1Gi")
        #expect(try world.object(.resourceQuotas, "team").status["hard"]?["pods"] == "10")
    }

    @Test func `objects count by kind`() async throws {
        try await addQuota(
            "team",
            [
                "configmaps": "5", "count/deployments.apps": "5", "services": "5", "services.nodeports": "2",
                "services.loadbalancers": "1", "persistentvolumeclaims": "3", "requests.storage": "10Gi",
                "fast.storageclass.storage.k8s.io/requests.storage": "5Gi", "count/pods": "9",
            ])
        try await world.add(.configMaps, "a", [:])
        try await world.add(.configMaps, "b", in: "elsewhere", [:])
        try await world.add(.deployments, "d", [:])
        try await world.add(.services, "n", ["spec": ["type": "NodePort", "ports": [["port": 1], ["port": 2]]]])
        try await world.add(.services, "l", ["spec": ["type": "LoadBalancer", "ports": [["port": 1]]]])
        for (name, storageClass) in [("x", "fast"), ("y", "slow")] {
            try await world.add(
                .persistentVolumeClaims, name,
                [
                    "spec": [
                        "storageClassName": .string(storageClass), "resources": ["requests": ["storage": "2Gi"]],
                    ]
                ])
        }
        try await world.addPod("ended") { $0.status["phase"] = "Failed" }
        try await world.settle(controller)
        #expect(
            try used() == [
                "configmaps": "1", "count/deployments.apps": "1", "services": "2", "services.nodeports": "3",
                "services.loadbalancers": "1", "persistentvolumeclaims": "2", "requests.storage": "4Gi",
                "fast.storageclass.storage.k8s.io/requests.storage": "2Gi", "count/pods": "1",
            ])
    }

    @Test func `scopes choose pods`() async throws {
        try await addQuota("best", ["pods": "5"], ["scopes": ["BestEffort"]])
        try await addQuota("timed", ["pods": "5"], ["scopes": ["Terminating", "NotBestEffort"]])
        try await addQuota(
            "high", ["pods": "5"],
            [
                "scopeSelector": [
                    "matchExpressions": [["scopeName": "PriorityClass", "operator": "In", "values": ["high"]]]
                ]
            ])
        try await world.addPod("plain")
        try await world.addPod("timed", cpu: "1") { $0.spec["activeDeadlineSeconds"] = 60 }
        try await world.addPod("high", cpu: "1") { $0.spec["priorityClassName"] = "high" }
        try await world.settle(controller)
        for name in ["best", "timed", "high"] { #expect(try used(name) == ["pods": "1"], "\(name)") }
    }
}
