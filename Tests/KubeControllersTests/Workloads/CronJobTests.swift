import JSON
import KubeObjects
import KubeStore
import Linux
import TestKit
import Testing

@testable import KubeControllers

@Suite(.timeLimit(.minutes(2)))
struct CronJobTests {
    private static func cronJob(_ more: JSONValue = [:]) -> KubeObject {
        var spec: JSONValue = [
            "schedule": "* * * * *",
            "jobTemplate": ["spec": ["template": Fixture.template(["job": "tick"], restart: "Never")]],
        ]
        for member in more.object?.members ?? [] { spec[member.key] = member.value }
        return Fixture.object(.cronJobs, "tick", spec)
    }

    private func simulation(_ seed: UInt64 = 1, _ chaos: Simulation.Chaos = .init()) -> Simulation {
        Simulation([CronJobController()], seed: seed, chaos: chaos)
    }

    private func end(_ simulation: Simulation, _ name: String, _ type: String = "Complete") async throws {
        var job = try #require(await simulation.object(.jobs, name))
        job.json["status", default: [:]]["conditions"] = [
            ["type": .string(type), "status": "True", "lastTransitionTime": .string(simulation.clock.now.kubeTime)]
        ]
        job.json["status", default: [:]]["completionTime"] = .string(simulation.clock.now.kubeTime)
        try await simulation.api.update(.jobs, job, subresource: "status")
    }

    @Test(arguments: 0..<6)
    func `each time makes one job, whatever happens`(seed: UInt64) async throws {
        let simulation = simulation(seed, .init(failures: 20, restarts: true))
        let start = simulation.clock.now
        try await simulation.api.create(.cronJobs, Self.cronJob())
        try await simulation.run(600)
        try await simulation.settle(horizon: .seconds(2))
        let jobs = await simulation.objects(.jobs)
        let times = jobs.compactMap { $0.annotation("batch.kubernetes.io/cronjob-scheduled-timestamp") }
        #expect(times.count == jobs.count)
        #expect(Set(times).count == times.count)
        #expect(!jobs.isEmpty)
        for job in jobs {
            let minutes = try #require(Int(job.name.dropFirst("tick-".count)))
            #expect(minutes * 60_000_000_000 > start.nanoseconds)
            #expect(minutes * 60_000_000_000 <= simulation.clock.now.nanoseconds)
        }
        let cronJob = try #require(await simulation.object(.cronJobs, "tick"))
        #expect(cronJob.status["active"]?.array?.count == jobs.count)
    }

    @Test func `Forbid leaves out a time, Replace ends the job before`() async throws {
        for (policy, count) in [("Forbid", 1), ("Replace", 1), ("Allow", 2)] {
            let simulation = simulation()
            try await simulation.api.create(.cronJobs, Self.cronJob(["concurrencyPolicy": .string(policy)]))
            try await simulation.settle(horizon: .seconds(60))
            let first = try #require(await simulation.objects(.jobs).first)
            try await simulation.settle(horizon: .seconds(60))
            let jobs = await simulation.objects(.jobs)
            #expect(jobs.count == count, "\(policy)")
            #expect(jobs.contains { $0.name == first.name } == (policy != "Replace"))
        }
    }

    @Test func `a suspended cron job makes nothing, and afterwards the last time that was missed`() async throws {
        let simulation = simulation()
        try await simulation.api.create(.cronJobs, Self.cronJob(["suspend": true]))
        try await simulation.settle()
        simulation.clock.advance(.seconds(600))
        try await simulation.settle()
        #expect(await simulation.objects(.jobs).isEmpty)
        var cronJob = try #require(await simulation.object(.cronJobs, "tick"))
        cronJob.json["spec", default: [:]]["suspend"] = false
        try await simulation.api.update(.cronJobs, cronJob, subresource: nil)
        try await simulation.settle(horizon: .zero)
        let jobs = await simulation.objects(.jobs)
        #expect(jobs.count == 1)
        #expect(jobs.first?.annotation("batch.kubernetes.io/cronjob-scheduled-timestamp") == "2026-03-01T12:10:00Z")
    }

    @Test func `old jobs are removed beyond the limits of the history`() async throws {
        let simulation = simulation()
        try await simulation.api.create(
            .cronJobs, Self.cronJob(["successfulJobsHistoryLimit": 2, "failedJobsHistoryLimit": 1]))
        for number in 0..<6 {
            try await simulation.settle(horizon: .seconds(60))
            let running = await simulation.objects(.jobs).filter { $0.jobEnd == nil }
            for job in running { try await end(simulation, job.name, number % 2 == 0 ? "Complete" : "Failed") }
            try await simulation.settle(horizon: .zero)
        }
        let ends = await simulation.objects(.jobs).compactMap { $0.jobEnd?["type"]?.string }
        #expect(ends.count { $0 == "Complete" } == 2)
        #expect(ends.count { $0 == "Failed" } == 1)
        let cronJob = try #require(await simulation.object(.cronJobs, "tick"))
        #expect(cronJob.status["lastSuccessfulTime"] != nil)
        #expect(cronJob.status["active"] == nil)
    }

    @Test func `a start that is later than its deadline is left out`() async throws {
        let simulation = simulation()
        try await simulation.api.create(.cronJobs, Self.cronJob(["startingDeadlineSeconds": 20]))
        simulation.clock.advance(.seconds(90))
        try await simulation.settle(horizon: .zero)
        #expect(await simulation.objects(.jobs).isEmpty)
    }
}
