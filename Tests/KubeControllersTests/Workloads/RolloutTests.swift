import JSON
import KubeObjects
import KubeStore
import Linux
import Testing

@testable import KubeControllers

/// Rules of a Deployment's rollout, each by itself.
@Suite(.timeLimit(.minutes(2))) struct RolloutTests {
    private func simulation(_ replicas: Int64, _ more: JSONValue = [:]) async throws -> Simulation {
        let simulation = Simulation(RolloutSimulationTests.controllers, seed: 1)
        simulation.readies = { $0.spec["containers"]?[0]?["image"] != "broken" }
        try await simulation.api.create(.deployments, Fixture.deployment(replicas: replicas, more))
        try await simulation.settle(horizon: .seconds(2))
        return simulation
    }

    private func deployment(_ simulation: Simulation) async throws -> KubeObject {
        try #require(await simulation.object(.deployments, "web"))
    }

    private func change(_ simulation: Simulation, _ body: (inout JSONValue) -> Void) async throws {
        var deployment = try await deployment(simulation)
        body(&deployment.json["spec", default: [:]])
        try await simulation.api.update(.deployments, deployment, subresource: nil)
        try await simulation.settle(horizon: .seconds(2))
    }

    /// Sizes of the sets by their images.
    private func sizes(_ simulation: Simulation) async -> [String: Int64] {
        var sizes: [String: Int64] = [:]
        for set in await simulation.objects(.replicaSets) {
            sizes[set.json["spec", "template", "spec", "containers"]?[0]?["image"]?.string ?? ""] = set.wanted
        }
        return sizes
    }

    private func bounds(_ surge: JSONValue, _ unavailable: JSONValue) -> JSONValue {
        ["type": "RollingUpdate", "rollingUpdate": ["maxSurge": surge, "maxUnavailable": unavailable]]
    }

    @Test(
        arguments: [
            (10, "25%", "25%", 3, 2), (1, "25%", "25%", 1, 0), (3, "25%", "25%", 1, 0), (4, "50%", "50%", 2, 2),
            (5, 0, "10%", 0, 1), (5, 2, 0, 2, 0), (2, 0, 9, 0, 2), (3, "0%", "0%", 0, 1),
        ] as [(Int64, JSONValue, JSONValue, Int64, Int64)])
    func `percentages are rounded up for the surge and down for what may be missing`(
        replicas: Int64, surge: JSONValue, unavailable: JSONValue, most: Int64, missing: Int64
    ) async throws {
        let simulation = Simulation([DeploymentController()], seed: 1)
        let object = Fixture.deployment(replicas: replicas, ["strategy": bounds(surge, unavailable)])
        let rollout = Rollout(of: object, in: simulation.view, simulation.clock.now)
        #expect(rollout.maxSurge == most)
        #expect(rollout.maxUnavailable == missing)
    }

    @Test func `a new size in the midst of a rollout is shared in proportion`() async throws {
        // The example of the documentation of Deployments: "Proportional scaling".
        let simulation = try await simulation(10, ["strategy": bounds(3, 2)])
        try await change(simulation) { $0["template"] = Fixture.template(image: "broken") }
        #expect(await sizes(simulation) == ["one": 8, "broken": 5])
        try await change(simulation) { $0["replicas"] = 15 }
        #expect(await sizes(simulation) == ["one": 11, "broken": 7])
        try await change(simulation) { $0["replicas"] = 5 }
        let small = await sizes(simulation)
        #expect(small.values.reduce(0, +) == 8, "replicas and surge together: \(small)")
        #expect(small["one", default: 0] >= 3, "\(small)")
    }

    @Test func `a rollout that makes no progress is said so, and recovers`() async throws {
        let simulation = try await simulation(3, ["progressDeadlineSeconds": 60])
        #expect(try await deployment(simulation).condition("Progressing")?["reason"] == "NewReplicaSetAvailable")
        try await change(simulation) { $0["template"] = Fixture.template(image: "broken") }
        var progress = try await deployment(simulation).condition("Progressing")
        #expect(progress?["status"] == "True")
        #expect(progress?["reason"] == "ReplicaSetUpdated")
        try await simulation.settle(horizon: .seconds(50))
        #expect(try await deployment(simulation).condition("Progressing")?["status"] == "True")
        try await simulation.settle(horizon: .seconds(70))
        progress = try await deployment(simulation).condition("Progressing")
        #expect(progress?["status"] == "False")
        #expect(progress?["reason"] == "ProgressDeadlineExceeded")
        let set = try #require(
            await simulation.objects(.replicaSets).first { $0.annotation(RevisionAnnotations.revision) == "2" })
        #expect(progress?["message"]?.string == "ReplicaSet \"\(set.name)\" has timed out progressing.")
        // None of the old ones was given up for it.
        #expect(try await deployment(simulation).condition("Available")?["status"] == "True")
        #expect(await sizes(simulation) == ["one": 3, "broken": 1])
        simulation.readies = { _ in true }
        try await simulation.settle(horizon: .seconds(2))
        progress = try await deployment(simulation).condition("Progressing")
        #expect(progress?["status"] == "True")
        #expect(progress?["reason"] == "NewReplicaSetAvailable")
        #expect(await sizes(simulation) == ["one": 0, "broken": 3])
    }

    @Test func `a rollout that failed is undone by the old template`() async throws {
        let simulation = try await simulation(3, ["progressDeadlineSeconds": 10])
        try await change(simulation) { $0["template"] = Fixture.template(image: "broken") }
        try await simulation.settle(horizon: .seconds(60))
        #expect(try await deployment(simulation).condition("Progressing")?["status"] == "False")
        try await change(simulation) { $0["template"] = Fixture.template() }
        #expect(await sizes(simulation) == ["one": 3, "broken": 0])
        let after = try await deployment(simulation)
        #expect(after.condition("Progressing")?["reason"] == "NewReplicaSetAvailable")
        #expect(after.annotation(RevisionAnnotations.revision) == "3")
    }

    @Test func `a paused deployment scales but does not roll, and goes on when it is resumed`() async throws {
        let simulation = try await simulation(3)
        try await change(simulation) { $0["paused"] = true }
        #expect(try await deployment(simulation).condition("Progressing")?["reason"] == "DeploymentPaused")
        try await change(simulation) { $0["template"] = Fixture.template(image: "two") }
        try await change(simulation) { $0["replicas"] = 5 }
        #expect(await sizes(simulation) == ["one": 5])
        try await change(simulation) { $0["paused"] = false }
        #expect(await sizes(simulation) == ["one": 0, "two": 5])
        #expect(try await deployment(simulation).condition("Progressing")?["reason"] == "NewReplicaSetAvailable")
    }

    @Test func `with minReadySeconds a rollout waits for pods that stay ready`() async throws {
        let simulation = try await simulation(2, ["minReadySeconds": 30, "strategy": bounds(1, 0)])
        #expect(try await deployment(simulation).status.count("readyReplicas") == 2)
        #expect(try await deployment(simulation).status.count("availableReplicas") == 0)
        try await simulation.settle(horizon: .seconds(40))
        #expect(try await deployment(simulation).status.count("availableReplicas") == 2)
        try await change(simulation) { $0["template"] = Fixture.template(image: "two") }
        #expect(await sizes(simulation) == ["one": 2, "two": 1])
        try await simulation.settle(horizon: .seconds(25))
        #expect(await sizes(simulation) == ["one": 2, "two": 1], "not yet available")
        try await simulation.settle(horizon: .seconds(200))
        #expect(await sizes(simulation) == ["one": 0, "two": 2])
    }

    @Test func `a replication controller makes and removes pods by its plain selector`() async throws {
        let simulation = Simulation([ReplicaSetController.replicationControllers], seed: 1)
        let spec: JSONValue = ["replicas": 2, "selector": ["app": "web"], "template": Fixture.template()]
        let resource = ReplicatedKind.controllers
        try await simulation.api.create(resource, Fixture.object(resource, "web", spec))
        try await simulation.settle()
        var controller = try #require(await simulation.object(resource, "web"))
        #expect(await simulation.objects(.pods).count == 2)
        #expect(controller.status.count("readyReplicas") == 2)
        controller.json["spec", default: [:]]["replicas"] = 1
        try await simulation.api.update(resource, controller, subresource: nil)
        try await simulation.settle()
        let pods = await simulation.objects(.pods)
        #expect(pods.count == 1)
        #expect(pods.first?.metadata.controller?.kind == "ReplicationController")
    }
}
