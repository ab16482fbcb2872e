import JSON
import KubeObjects
import KubeStore
import TestKit
import Testing

@testable import KubeControllers

/// Deployments and ReplicaSets against a world in which everything goes wrong that can.
@Suite(.timeLimit(.minutes(5)))
struct RolloutSimulationTests {
    static let controllers: [any Controller] = [DeploymentController(), ReplicaSetController()]

    private static func bounded(_ replicas: Int64, surge: Int64, unavailable: Int64) -> JSONValue {
        [
            "strategy": [
                "type": "RollingUpdate",
                "rollingUpdate": ["maxSurge": .integer(surge), "maxUnavailable": .integer(unavailable)],
            ]
        ]
    }

    @Test(arguments: 0..<12)
    func `rollouts keep their bounds, whatever happens`(seed: UInt64) async throws {
        let simulation = Simulation(Self.controllers, seed: seed, chaos: .init(failures: 15, restarts: true))
        let replicas: Int64 = 4
        let (surge, unavailable): (Int64, Int64) = [(1, 0), (0, 1), (2, 1), (1, 1)][Int(seed) % 4]
        try await simulation.api.create(
            .deployments,
            Fixture.deployment(replicas: replicas, Self.bounded(replicas, surge: surge, unavailable: unavailable)))
        try await simulation.settle()
        simulation.chaos.failures = 15
        simulation.check = { simulation in
            let sets = await simulation.objects(.replicaSets)
            let wanted = sets.reduce(0) { $0 + $1.wanted }
            #expect(
                wanted <= replicas + surge, "too many pods are wanted (\(simulation.chance), step \(simulation.steps))")
            let pods = await simulation.objects(.pods)
            let active = pods.filter(\.isActivePod)
            #expect(
                active.count <= Int(replicas + surge), "too many pods (\(simulation.chance), step \(simulation.steps))")
            let available = active.count(where: \.isReadyPod)
            #expect(
                available >= Int(replicas - unavailable),
                "too few pods are available (\(simulation.chance), step \(simulation.steps))")
        }
        for round in 0..<4 {
            var deployment = try #require(await simulation.object(.deployments, "web"))
            deployment.json["spec", default: [:]]["template"] = Fixture.template(image: "round-\(round % 3)")
            try await simulation.api.update(.deployments, deployment, subresource: nil)
            try await simulation.run(seed % 2 == 0 ? 400 : 90)
        }
        try await simulation.settle()
        try await expectSettled(simulation, replicas)
    }

    private func expectSettled(_ simulation: Simulation, _ replicas: Int64) async throws {
        let deployment = try #require(await simulation.object(.deployments, "web"))
        #expect(deployment.status.count("updatedReplicas") == replicas, "\(simulation.chance)")
        #expect(deployment.status.count("availableReplicas") == replicas)
        #expect(deployment.status.count("replicas") == replicas)
        #expect(deployment.status.count("observedGeneration") == deployment.metadata.generation)
        #expect(deployment.condition("Progressing")?["reason"]?.string == "NewReplicaSetAvailable")
        #expect(deployment.condition("Available")?["status"]?.string == "True")
        let images = Set(await simulation.objects(.pods).map { $0.spec["containers"]?[0]?["image"]?.string })
        #expect(images == [deployment.json["spec", "template", "spec", "containers"]?[0]?["image"]?.string])
    }

    @Test(arguments: 0..<8)
    func `scaling, deleted pods and restarts in the midst of a rollout end where the spec says`(seed: UInt64)
        async throws
    {
        let chaos = Simulation.Chaos(failures: 20, deletesPods: true, restarts: true)
        let simulation = Simulation(Self.controllers, seed: 100 + seed, chaos: chaos)
        try await simulation.api.create(.deployments, Fixture.deployment(replicas: 3))
        var replicas: Int64 = 3
        for round in 0..<6 {
            try await simulation.run(120)
            var deployment = try #require(await simulation.object(.deployments, "web"))
            replicas = Int64.random(in: 0...8, using: &simulation.chance)
            deployment.json["spec", default: [:]]["replicas"] = .integer(replicas)
            if round % 2 == 0 {
                deployment.json["spec", default: [:]]["template"] = Fixture.template(image: "round-\(round)")
            }
            try await simulation.api.update(.deployments, deployment, subresource: nil)
        }
        try await simulation.settle()
        try await expectSettled(simulation, replicas)
    }
}
