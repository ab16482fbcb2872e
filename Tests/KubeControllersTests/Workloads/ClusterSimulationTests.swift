import JSON
import KubeObjects
import KubeStore
import TestKit
import Testing

@testable import KubeControllers

/// Controllers and the life of pods together, in a world in which everything goes wrong that can: writes fail and conflict, watches
/// lag, controllers and the node forget everything, the keeper dies, programs end. Once that is over, all comes to rest as wanted.
@Suite(.timeLimit(.minutes(5)))
struct ClusterSimulationTests {
    private func simulation(_ controllers: [any Controller], _ seed: UInt64) -> (Simulation, MachineKubelet) {
        let chaos = Simulation.Chaos(failures: 15, deletesPods: seed % 2 == 0, restarts: true)
        let simulation = Simulation(controllers, seed: seed, chaos: chaos)
        let node = MachineKubelet(
            simulation.api, .init(restarts: 2, keeperDeaths: seed % 3 == 0 ? 1 : 0, crashes: 10, failures: 10))
        simulation.node = node
        return (simulation, node)
    }

    /// No pod runs twice, nor do two of one name.
    private func watchOver(_ simulation: Simulation, _ node: MachineKubelet) {
        simulation.check = { simulation in
            #expect(node.problems == [], "\(simulation.chance), step \(simulation.steps)")
            #expect(
                Set(node.running).count == node.running.count,
                "\(node.running) \(simulation.chance), step \(simulation.steps)")
        }
    }

    /// What runs is what there is.
    private func expectAtRest(_ simulation: Simulation, _ node: MachineKubelet) async {
        let pods = await simulation.objects(.pods)
        #expect(node.known.isSubset(of: pods.map(\.name)), "\(simulation.chance)")
        let active = pods.filter { $0.phase == "Running" }.map(\.name).sorted()
        #expect(node.running == active, "\(simulation.chance)")
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func `a deployment comes to rest once faults end, and no pod runs twice`(group: UInt64) async throws {
        for seed in group * 10..<(group + 1) * 10 {
            let (simulation, node) = simulation([DeploymentController(), ReplicaSetController()], seed)
            watchOver(simulation, node)
            try await simulation.api.create(.deployments, Fixture.deployment(replicas: 3))
            for round in 0..<2 {
                try await simulation.run(150)
                var deployment = try #require(await simulation.object(.deployments, "web"))
                deployment.json["spec", default: [:]]["template"] = Fixture.template(image: "round-\(round)")
                try await simulation.api.update(.deployments, deployment, subresource: nil)
            }
            try await simulation.settle()
            let deployment = try #require(await simulation.object(.deployments, "web"))
            #expect(deployment.status.count("updatedReplicas") == 3, "\(simulation.chance)")
            #expect(deployment.status.count("availableReplicas") == 3, "\(simulation.chance)")
            #expect(node.running.count == 3, "\(simulation.chance)")
            await expectAtRest(simulation, node)
        }
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func `a stateful set never runs one name twice, and comes to rest`(group: UInt64) async throws {
        for seed in group * 25..<(group + 1) * 25 {
            let (simulation, node) = simulation([StatefulSetController()], 1000 + seed)
            watchOver(simulation, node)
            let spec: JSONValue = [
                "replicas": 3, "selector": ["matchLabels": ["app": "web"]], "template": Fixture.template(),
                "serviceName": "web",
            ]
            try await simulation.api.create(.statefulSets, Fixture.object(.statefulSets, "web", spec))
            try await simulation.run(400)
            try await simulation.settle()
            let set = try #require(await simulation.object(.statefulSets, "web"))
            #expect(set.status.count("readyReplicas") == 3, "\(simulation.chance)")
            #expect(node.running == ["web-0", "web-1", "web-2"], "\(simulation.chance)")
            await expectAtRest(simulation, node)
        }
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func `a job completes exactly though its programs, its node and its keeper end at random`(group: UInt64)
        async throws
    {
        for seed in group * 25..<(group + 1) * 25 {
            let (simulation, node) = simulation([JobController()], 2000 + seed)
            watchOver(simulation, node)
            simulation.ends = { [unowned simulation] _ in
                simulation.isSettling || Int.random(in: 0..<3, using: &simulation.chance) == 0 ? "Succeeded" : nil
            }
            try await simulation.api.create(
                .jobs, Fixture.job("work", ["completions": 5, "parallelism": 2, "backoffLimit": 1000]))
            try await simulation.run(400)
            try await simulation.settle(horizon: .seconds(100_000))
            let job = try #require(await simulation.object(.jobs, "work"))
            #expect(job.condition("Complete")?["status"]?.string == "True", "\(simulation.chance)")
            #expect(job.status.count("succeeded") == 5, "\(simulation.chance)")
            #expect(node.running == [], "\(simulation.chance)")
            await expectAtRest(simulation, node)
        }
    }
}
