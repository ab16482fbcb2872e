import JSON
import KubeObjects
import KubeStore
import TestKit
import Testing

@testable import KubeControllers

@Suite(.timeLimit(.minutes(3)))
struct StatefulSetTests {
    private static func set(_ more: JSONValue = [:], replicas: Int64 = 3) -> KubeObject {
        var spec: JSONValue = [
            "replicas": .integer(replicas), "selector": ["matchLabels": ["app": "web"]],
            "template": Fixture.template(), "serviceName": "web",
        ]
        for member in more.object?.members ?? [] { spec[member.key] = member.value }
        return Fixture.object(.statefulSets, "web", spec)
    }

    private static let claims: JSONValue = [
        [
            "metadata": ["name": "data"],
            "spec": ["accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": "1Gi"]]],
        ]
    ]

    private func simulation(_ seed: UInt64 = 1, _ chaos: Simulation.Chaos = .init()) -> Simulation {
        Simulation([StatefulSetController()], seed: seed, chaos: chaos)
    }

    private func change(_ simulation: Simulation, _ body: (inout JSONValue) -> Void) async throws {
        var set = try #require(await simulation.object(.statefulSets, "web"))
        body(&set.json["spec", default: [:]])
        try await simulation.api.update(.statefulSets, set, subresource: nil)
    }

    @Test(arguments: 0..<8)
    func `pods of a stateful set start in order and end in reverse, whatever happens`(seed: UInt64) async throws {
        let simulation = simulation(seed, .init(failures: 15, restarts: true))
        try await simulation.api.create(.statefulSets, Self.set(["volumeClaimTemplates": Self.claims], replicas: 4))
        simulation.check = { simulation in
            // A pod is there only when all before it are.
            let numbers = await simulation.objects(.pods).compactMap { Int($0.name.dropFirst(4)) }.sorted()
            #expect(numbers == Array(0..<numbers.count), "\(simulation.chance), step \(simulation.steps)")
            // Only one at a time is not ready.
            let unready = await simulation.objects(.pods).count { !$0.isHealthyPod }
            #expect(unready <= 1, "\(simulation.chance), step \(simulation.steps)")
        }
        for replicas: Int64 in [4, 1, 3, 0, 2] {
            try await change(simulation) { $0["replicas"] = .integer(replicas) }
            try await simulation.run(120)
        }
        try await simulation.settle()
        #expect(await simulation.objects(.pods).map(\.name) == ["web-0", "web-1"])
        let set = try #require(await simulation.object(.statefulSets, "web"))
        #expect(set.status.count("readyReplicas") == 2)
        #expect(set.status["currentRevision"] == set.status["updateRevision"])
        // Claims stay when their pods go.
        #expect(await simulation.objects(.persistentVolumeClaims).contains { $0.name == "data-web-0" })
    }

    @Test(arguments: 0..<6)
    func `an update goes from the last number down, one at a time`(seed: UInt64) async throws {
        let simulation = simulation(20 + seed, .init(failures: 10, restarts: true))
        try await simulation.api.create(.statefulSets, Self.set())
        try await simulation.settle()
        simulation.chaos.failures = 10
        let old = try #require(await simulation.object(.statefulSets, "web")).status["updateRevision"]?.string
        simulation.check = { simulation in
            let pods = await simulation.objects(.pods)
            let unready = pods.count { !$0.isHealthyPod } + 3 - pods.count
            #expect(unready <= 1, "\(simulation.chance), step \(simulation.steps)")
            // New ones lie behind old ones.
            let isOld = pods.map { $0.label(StatefulSetSpec.revisionLabel) == old }
            #expect(isOld == isOld.sorted { $0 && !$1 }, "\(simulation.chance), step \(simulation.steps)")
        }
        try await change(simulation) { $0["template"] = Fixture.template(image: "two") }
        try await simulation.run(300)
        try await simulation.settle()
        let set = try #require(await simulation.object(.statefulSets, "web"))
        #expect(set.status.count("updatedReplicas") == 3)
        #expect(set.status["currentRevision"]?.string != old)
        #expect(await simulation.objects(.pods).allSatisfy { $0.spec["containers"]?[0]?["image"] == "two" })
    }

    @Test func `numbers below the partition keep the old template, also when their pods are made anew`() async throws {
        let simulation = simulation()
        try await simulation.api.create(
            .statefulSets, Self.set(["updateStrategy": ["type": "RollingUpdate", "rollingUpdate": ["partition": 2]]]))
        try await simulation.settle()
        try await change(simulation) { $0["template"] = Fixture.template(image: "two") }
        try await simulation.settle()
        func images() async -> [String?] {
            await simulation.objects(.pods).map { $0.spec["containers"]?[0]?["image"]?.string }
        }
        #expect(await images() == ["one", "one", "two"])
        try await simulation.api.delete(.pods, namespace: "default", "web-1", DeletionOptions(gracePeriodSeconds: 0))
        try await simulation.settle()
        #expect(await images() == ["one", "one", "two"])
        let set = try #require(await simulation.object(.statefulSets, "web"))
        #expect(set.status.count("updatedReplicas") == 1)
        #expect(set.status.count("currentReplicas") == 2)
        #expect(set.status["currentRevision"] != set.status["updateRevision"])
    }

    @Test func `OnDelete waits until somebody deletes a pod`() async throws {
        let simulation = simulation()
        try await simulation.api.create(.statefulSets, Self.set(["updateStrategy": ["type": "OnDelete"]]))
        try await simulation.settle()
        try await change(simulation) { $0["template"] = Fixture.template(image: "two") }
        try await simulation.settle()
        #expect(await simulation.objects(.pods).allSatisfy { $0.spec["containers"]?[0]?["image"] == "one" })
        try await simulation.api.delete(.pods, namespace: "default", "web-0", DeletionOptions(gracePeriodSeconds: 0))
        try await simulation.settle()
        #expect(await simulation.objects(.pods).map { $0.spec["containers"]?[0]?["image"] } == ["two", "one", "one"])
    }

    @Test func `pods and claims have the names and labels that clients look for`() async throws {
        let simulation = simulation()
        try await simulation.api.create(
            .statefulSets,
            Self.set(["volumeClaimTemplates": Self.claims, "ordinals": ["start": 5]], replicas: 2))
        try await simulation.settle()
        let pods = await simulation.objects(.pods)
        #expect(pods.map(\.name) == ["web-5", "web-6"])
        #expect(pods[0].label("statefulset.kubernetes.io/pod-name") == "web-5")
        #expect(pods[0].label("apps.kubernetes.io/pod-index") == "5")
        #expect(pods[0].spec["hostname"] == "web-5")
        #expect(pods[0].spec["subdomain"] == "web")
        #expect(pods[0].spec["volumes"]?[0]?["persistentVolumeClaim", "claimName"] == "data-web-5")
        let revision = try #require(await simulation.objects(.controllerRevisions).first)
        #expect(pods[0].label("controller-revision-hash") == revision.name)
        #expect(revision.json["data", "spec", "template", "$patch"] == "replace")
        #expect(revision.json["revision"] == 1)
        let claims = await simulation.objects(.persistentVolumeClaims)
        #expect(claims.map(\.name) == ["data-web-5", "data-web-6"])
        #expect(claims[0].label("app") == "web")
    }

    @Test func `Parallel makes all pods at once`() async throws {
        let simulation = simulation()
        let set = try await simulation.api.create(.statefulSets, Self.set(["podManagementPolicy": "Parallel"]))
        _ = simulation.view.take(.statefulSets)
        let decision = StatefulSetController().decide(
            Resource.statefulSets.key(namespace: "default", set.name), in: simulation.view, now: simulation.clock.now)
        let pods = decision.actions.compactMap { if case .create(.pods, let pod) = $0 { pod.name } else { nil } }
        #expect(pods == ["web-0", "web-1", "web-2"])
    }

    @Test func `a template that comes back takes its old revision, and old revisions are removed beyond the limit`()
        async throws
    {
        let simulation = simulation()
        try await simulation.api.create(.statefulSets, Self.set(["revisionHistoryLimit": 1], replicas: 1))
        for image in ["one", "two", "three", "two", "four"] {
            try await change(simulation) { $0["template"] = Fixture.template(image: image) }
            try await simulation.settle()
        }
        let revisions = await simulation.objects(.controllerRevisions).sorted { $0.revisionNumber < $1.revisionNumber }
        let images = revisions.map { $0.revisedTemplate?["spec", "containers"]?[0]?["image"]?.string }
        #expect(images == ["two", "four"])
        #expect(revisions.map(\.revisionNumber) == [4, 5])
    }

    @Test func `claims belong to the set or to the pod as the retention policy says`() async throws {
        let simulation = simulation()
        try await simulation.api.create(
            .statefulSets,
            Self.set(
                [
                    "volumeClaimTemplates": Self.claims,
                    "persistentVolumeClaimRetentionPolicy": ["whenDeleted": "Delete", "whenScaled": "Delete"],
                ], replicas: 2))
        try await simulation.settle()
        #expect(
            await simulation.objects(.persistentVolumeClaims).allSatisfy {
                $0.metadata.ownerReferences.map(\.kind) == ["StatefulSet"]
            })
        try await change(simulation) { $0["replicas"] = 1 }
        try await simulation.settle()
        let owners = await simulation.objects(.persistentVolumeClaims).map { $0.metadata.ownerReferences.map(\.kind) }
        #expect(owners == [["StatefulSet"], ["Pod"]])
        // The number comes back only when its old claim is gone.
        try await change(simulation) { $0["replicas"] = 2 }
        try await simulation.settle()
        #expect(await simulation.objects(.pods).map(\.name) == ["web-0"])
        try await simulation.api.delete(.persistentVolumeClaims, namespace: "default", "data-web-1", DeletionOptions())
        try await simulation.settle()
        #expect(await simulation.objects(.pods).map(\.name) == ["web-0", "web-1"])
    }
}
