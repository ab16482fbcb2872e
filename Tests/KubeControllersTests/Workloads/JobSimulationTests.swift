import JSON
import KubeObjects
import KubeStore
import TestKit
import Testing

@testable import KubeControllers

/// Jobs against a world in which everything goes wrong that can.
@Suite(.timeLimit(.minutes(5)))
struct JobSimulationTests {
    private func simulation(_ seed: UInt64, _ chaos: Simulation.Chaos, _ parallelism: Int) -> Simulation {
        let simulation = Simulation([JobController()], seed: seed, chaos: chaos)
        simulation.ends = { [unowned simulation] _ in
            guard simulation.isSettling || Int.random(in: 0..<3, using: &simulation.chance) == 0 else { return nil }
            return Int.random(in: 0..<100, using: &simulation.chance) < simulation.chaos.failingPods
                ? "Failed" : "Succeeded"
        }
        simulation.check = { simulation in
            let active = await simulation.objects(.pods).count(where: \.isActivePod)
            #expect(active <= parallelism, "too many pods (\(simulation.chance), step \(simulation.steps))")
        }
        return simulation
    }

    @Test(arguments: 0..<10)
    func `a job never runs more pods than its parallelism, and completes exactly`(seed: UInt64) async throws {
        let chaos = Simulation.Chaos(failures: 15, restarts: true, failingPods: 10)
        let simulation = simulation(seed, chaos, 3)
        try await simulation.api.create(
            .jobs, Fixture.job("work", ["completions": 7, "parallelism": 3, "backoffLimit": 1000]))
        try await simulation.run(600)
        try await simulation.settle()
        let job = try #require(await simulation.object(.jobs, "work"))
        #expect(job.condition("Complete")?["status"]?.string == "True", "\(simulation.chance)")
        #expect(job.condition("SuccessCriteriaMet")?["reason"]?.string == "CompletionsReached")
        #expect(job.status.count("succeeded") == 7, "\(simulation.chance)")
        let pods = await simulation.objects(.pods)
        #expect(pods.count { $0.phase == "Succeeded" } == 7)
        #expect(pods.count { $0.phase == "Failed" } == Int(job.status.count("failed")), "\(simulation.chance)")
        #expect(pods.allSatisfy { !$0.isTracked })
        #expect(job.status["uncountedTerminatedPods"] == [:])
    }

    @Test(arguments: 0..<10)
    func `every index succeeds once`(seed: UInt64) async throws {
        let chaos = Simulation.Chaos(failures: 15, deletesPods: true, restarts: true, failingPods: 20)
        let simulation = simulation(50 + seed, chaos, 4)
        try await simulation.api.create(
            .jobs,
            Fixture.job(
                "work",
                ["completions": 9, "parallelism": 4, "completionMode": "Indexed", "backoffLimit": 10000]))
        try await simulation.run(800)
        try await simulation.settle(horizon: .seconds(100_000))
        let job = try #require(await simulation.object(.jobs, "work"))
        #expect(job.condition("Complete")?["status"]?.string == "True", "\(simulation.chance)")
        #expect(job.status["completedIndexes"]?.string == "0-8", "\(simulation.chance)")
        #expect(job.status.count("succeeded") == 9)
        let indexes = await simulation.objects(.pods).filter { $0.phase == "Succeeded" }.compactMap(\.completionIndex)
        #expect(Set(indexes).count == indexes.count, "an index has succeeded twice (\(simulation.chance))")
    }
}
