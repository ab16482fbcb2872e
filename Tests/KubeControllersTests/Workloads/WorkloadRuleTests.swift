import JSON
import KubeObjects
import KubeStore
import Linux
import TestKit
import Testing

@testable import KubeControllers

/// Rules of the workloads, each by itself.
@Suite(.timeLimit(.minutes(2)))
struct WorkloadRuleTests {
    private func settled(_ controllers: [any Controller], _ resource: Resource, _ object: KubeObject) async throws
        -> Simulation
    {
        let simulation = Simulation(controllers, seed: 1)
        try await simulation.api.create(resource, object)
        try await simulation.settle()
        return simulation
    }

    private func decide(_ controller: any Controller, _ resource: Resource, _ name: String, _ simulation: Simulation)
        -> Decision
    {
        controller.decide(resource.key(namespace: "default", name), in: simulation.view, now: simulation.clock.now)
    }

    @Test func `a replica set makes the pods that are missing, and a settled one has nothing to do`() async throws {
        let simulation = try await settled([ReplicaSetController()], .replicaSets, Fixture.replicaSet(replicas: 3))
        #expect(await simulation.objects(.pods).count == 3)
        let set = try #require(await simulation.object(.replicaSets, "web"))
        #expect(set.status.count("availableReplicas") == 3)
        #expect(decide(ReplicaSetController(), .replicaSets, "web", simulation) == Decision())
    }

    @Test func `a settled deployment has nothing to do`() async throws {
        let simulation = try await settled(RolloutSimulationTests.controllers, .deployments, Fixture.deployment())
        #expect(decide(DeploymentController(), .deployments, "web", simulation) == Decision())
    }

    @Test func `unassigned, pending and unready pods go before ready ones`() {
        func pod(_ name: String, node: String?, _ phase: String, ready: Bool, cost: String? = nil) -> KubeObject {
            var pod = Fixture.object(.pods, name, [:])
            if let node { pod.spec = ["nodeName": .string(node)] }
            pod.status = [
                "phase": .string(phase), "conditions": [["type": "Ready", "status": ready ? "True" : "False"]],
            ]
            if let cost { pod.metadata.annotations[PodRanking.costAnnotation] = cost }
            return pod
        }
        let pods = [
            pod("ready", node: "n", "Running", ready: true),
            pod("cheap", node: "n", "Running", ready: true, cost: "-1"),
            pod("unready", node: "n", "Running", ready: false), pod("pending", node: "n", "Pending", ready: false),
            pod("unassigned", node: nil, "Pending", ready: false),
        ]
        let ranked = PodRanking(now: Linux.Timestamp(nanoseconds: 0)).sorted(pods).map(\.name)
        #expect(ranked == ["unassigned", "pending", "unready", "cheap", "ready"])
    }

    @Test func `a rollback takes the old replica set`() async throws {
        let simulation = try await settled(RolloutSimulationTests.controllers, .deployments, Fixture.deployment())
        let first = try #require(await simulation.objects(.replicaSets).first).name
        for image in ["two", "one"] {
            var deployment = try #require(await simulation.object(.deployments, "web"))
            deployment.json["spec", default: [:]]["template"] = Fixture.template(image: image)
            try await simulation.api.update(.deployments, deployment, subresource: nil)
            try await simulation.settle()
        }
        let sets = await simulation.objects(.replicaSets)
        #expect(sets.count == 2)
        let set = try #require(sets.first { $0.name == first })
        #expect(set.wanted == 3)
        #expect(set.annotation(RevisionAnnotations.revision) == "3")
        #expect(set.annotation(RevisionAnnotations.history) == "1")
        let deployment = try #require(await simulation.object(.deployments, "web"))
        #expect(deployment.annotation(RevisionAnnotations.revision) == "3")
    }

    @Test func `Recreate waits until the old pods are gone`() async throws {
        let strategy: JSONValue = ["strategy": ["type": "Recreate"]]
        let simulation = try await settled(
            RolloutSimulationTests.controllers, .deployments, Fixture.deployment("web", replicas: 3, strategy))
        simulation.check = { simulation in
            let images = Set(await simulation.objects(.pods).map { $0.spec["containers"]?[0]?["image"]?.string })
            #expect(images.count <= 1)
        }
        var deployment = try #require(await simulation.object(.deployments, "web"))
        deployment.json["spec", default: [:]]["template"] = Fixture.template(image: "two")
        try await simulation.api.update(.deployments, deployment, subresource: nil)
        try await simulation.run(150)
        try await simulation.settle()
        #expect(await simulation.objects(.pods).count == 3)
    }

    @Test func `a job that has ended stays as it is`() async throws {
        let simulation = Simulation([JobController()], seed: 1)
        simulation.ends = { _ in "Failed" }
        try await simulation.api.create(.jobs, Fixture.job("work", ["backoffLimit": 1]))
        try await simulation.settle()
        let job = try #require(await simulation.object(.jobs, "work"))
        #expect(job.jobEnd?["reason"] == "BackoffLimitExceeded")
        #expect(job.condition("FailureTarget")?["status"] == "True")
        #expect(job.status.count("failed") == 2)
        #expect(decide(JobController(), .jobs, "work", simulation) == Decision())
    }

    @Test func `indexes are written as ranges, and no text traps their parser`() {
        #expect(CompletionIndexes([5, 1, 3, 4, 9, 8]).text == "1,3-5,8,9")
        #expect(CompletionIndexes("1,3-5,7", below: 5).text == "1,3,4")
        #expect(CompletionIndexes("0-99999999999", below: 10).count == 10)
        #expect(CompletionIndexes([0, 2]).missing(below: 5, 2) == [1, 3])
        var chance = SeededChance(seed: 1)
        for _ in 0..<500 {
            let text = String((0..<12).map { _ in "0123456789-,,- x".randomElement(using: &chance)! })
            let read = CompletionIndexes(text, below: 1000)
            #expect(CompletionIndexes(read.text, below: 1000) == read, "\(text)")
        }
    }
}
