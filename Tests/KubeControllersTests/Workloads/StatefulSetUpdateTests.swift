import JSON
import KubeObjects
import KubeStore
import Testing

@testable import KubeControllers

/// Updates of StatefulSets: how many at once, what stops them, which numbers take part.
@Suite(.timeLimit(.minutes(2))) struct StatefulSetUpdateTests {
    private func simulation(_ more: JSONValue, replicas: Int64 = 4, seed: UInt64 = 1) async throws -> Simulation {
        var spec: JSONValue = [
            "replicas": .integer(replicas), "selector": ["matchLabels": ["app": "web"]],
            "template": Fixture.template(), "serviceName": "web",
        ]
        for member in more.object?.members ?? [] { spec[member.key] = member.value }
        let simulation = Simulation([StatefulSetController()], seed: seed)
        simulation.readies = { $0.spec["containers"]?[0]?["image"] != "broken" }
        try await simulation.api.create(.statefulSets, Fixture.object(.statefulSets, "web", spec))
        try await simulation.settle()
        return simulation
    }

    private func roll(_ simulation: Simulation, _ image: String, _ body: (inout JSONValue) -> Void = { _ in })
        async throws
    {
        var set = try #require(await simulation.object(.statefulSets, "web"))
        set.json["spec", default: [:]]["template"] = Fixture.template(image: image)
        body(&set.json["spec", default: [:]])
        try await simulation.api.update(.statefulSets, set, subresource: nil)
    }

    private func images(_ simulation: Simulation) async -> [String] {
        await simulation.objects(.pods).compactMap { $0.spec["containers"]?[0]?["image"]?.string }
    }

    private func strategy(_ update: JSONValue) -> JSONValue { ["type": "RollingUpdate", "rollingUpdate": update] }

    @Test(arguments: 0..<4, ["Parallel", "OrderedReady"])
    func `with maxUnavailable two pods go at once, and never three`(seed: UInt64, policy: String) async throws {
        let simulation = try await simulation(
            ["podManagementPolicy": .string(policy), "updateStrategy": strategy(["maxUnavailable": 2])], replicas: 5,
            seed: seed)
        let most = MostMissing()
        simulation.check = { simulation in
            let pods = await simulation.objects(.pods)
            let missing = 5 - pods.count(where: \.isHealthyPod)
            most.note(missing)
            #expect(missing <= 2, "\(simulation.chance), step \(simulation.steps)")
        }
        try await roll(simulation, "two")
        try await simulation.run(200)
        try await simulation.settle()
        #expect(await images(simulation) == Array(repeating: "two", count: 5))
        #expect(most.value == 2)
    }

    private final class MostMissing {
        private(set) var value = 0
        func note(_ count: Int) { value = max(value, count) }
    }

    @Test func `an update stops at a pod that does not become ready, until somebody removes it`() async throws {
        let simulation = try await simulation([:])
        try await roll(simulation, "broken")
        try await simulation.settle()
        #expect(await images(simulation) == ["one", "one", "one", "broken"])
        // As Kubernetes documents it under "Forced rollback": the good template alone does not replace the broken pod.
        try await roll(simulation, "two")
        try await simulation.settle()
        #expect(await images(simulation) == ["one", "one", "one", "broken"])
        try await simulation.api.delete(.pods, namespace: "default", "web-3", DeletionOptions(gracePeriodSeconds: 0))
        try await simulation.settle()
        #expect(await images(simulation) == ["two", "two", "two", "two"])
    }

    @Test func `with Parallel a broken pod is replaced by the next template`() async throws {
        let simulation = try await simulation(["podManagementPolicy": "Parallel"])
        try await roll(simulation, "broken")
        try await simulation.settle()
        #expect(await images(simulation) == ["one", "one", "one", "broken"])
        try await roll(simulation, "two")
        try await simulation.settle()
        #expect(await images(simulation) == ["two", "two", "two", "two"])
    }

    @Test func `a partition counts from the first number, and lowering it rolls on`() async throws {
        let simulation = try await simulation(["ordinals": ["start": 10], "updateStrategy": strategy(["partition": 3])])
        try await roll(simulation, "two")
        try await simulation.settle()
        #expect(await simulation.objects(.pods).map(\.name) == ["web-10", "web-11", "web-12", "web-13"])
        #expect(await images(simulation) == ["one", "one", "one", "two"])
        try await roll(simulation, "two") { $0["updateStrategy"] = self.strategy(["partition": 1]) }
        try await simulation.settle()
        #expect(await images(simulation) == ["one", "two", "two", "two"])
        // A partition beyond all numbers holds everything back.
        try await roll(simulation, "three") { $0["updateStrategy"] = self.strategy(["partition": 99]) }
        try await simulation.settle()
        #expect(await images(simulation).contains("three") == false)
        try await roll(simulation, "three") { $0["updateStrategy"] = self.strategy(["partition": 0]) }
        try await simulation.settle()
        #expect(await images(simulation) == ["three", "three", "three", "three"])
        let set = try #require(await simulation.object(.statefulSets, "web"))
        #expect(set.status["currentRevision"] == set.status["updateRevision"])
    }

    @Test func `numbers that start later move pods over`() async throws {
        let simulation = try await simulation([:], replicas: 2)
        try await roll(simulation, "one") { $0["ordinals"] = ["start": 1] }
        try await simulation.settle()
        #expect(await simulation.objects(.pods).map(\.name) == ["web-1", "web-2"])
    }
}
