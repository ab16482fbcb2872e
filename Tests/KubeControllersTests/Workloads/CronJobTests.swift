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

    @Test func `a clock that jumps makes the job of each time once`() async throws {
        let simulation = simulation()
        try await simulation.api.create(.cronJobs, Self.cronJob())
        try await simulation.settle(horizon: .seconds(130))
        let first = Set(await simulation.objects(.jobs).map(\.name))
        #expect(first.count == 2)
        // Back by an hour: those times have been, and nothing is made twice.
        simulation.clock.jump(to: simulation.clock.now.adding(seconds: -3600))
        try await simulation.settle(horizon: .seconds(600))
        #expect(Set(await simulation.objects(.jobs).map(\.name)) == first)
        // Forward over a day: the last time that was missed, once, as after a node that was away.
        simulation.clock.jump(to: simulation.clock.now.adding(seconds: 86_400))
        try await simulation.settle(horizon: .seconds(2))
        #expect(await simulation.objects(.jobs).count == 3)
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

    private func decide(_ simulation: Simulation, _ controller: CronJobController = CronJobController()) -> Decision {
        simulation.decide(controller, Resource.cronJobs.key(namespace: "default", "tick"))
    }

    private func words(_ decision: Decision) -> [String] {
        decision.actions.compactMap { action in
            guard case .event(_, _, let type, let reason, let message) = action else { return nil }
            return "\(type) \(reason): \(message)"
        }
    }

    @Test func `a time that came while another job ran is made up for when that one ends`() async throws {
        let simulation = simulation()
        try await simulation.api.create(.cronJobs, Self.cronJob(["concurrencyPolicy": "Forbid"]))
        try await simulation.settle(horizon: .seconds(60))
        let first = try #require(await simulation.objects(.jobs).first)
        try await simulation.settle(horizon: .seconds(130))
        #expect(await simulation.objects(.jobs).count == 1)
        #expect(
            words(decide(simulation)).contains(
                "Normal JobAlreadyActive: Not starting job because prior execution is running and concurrency policy is Forbid"
            ))
        try await end(simulation, first.name)
        try await simulation.settle(horizon: .zero)
        let jobs = await simulation.objects(.jobs)
        #expect(jobs.count == 2)
        // Of the times that were missed the last one.
        let times = jobs.compactMap { $0.annotation(CronJobStep.timestampAnnotation) }.sorted()
        #expect(times.last.map { $0 > times[0] } == true)
        let cronJob = try #require(await simulation.object(.cronJobs, "tick"))
        #expect(cronJob.status["lastScheduleTime"]?.string == times.last)
    }

    @Test func `more than a hundred missed times are told of, and the last one is made up for`() async throws {
        for (minutes, isTold) in [(99, false), (101, true)] {
            let simulation = simulation()
            try await simulation.api.create(.cronJobs, Self.cronJob())
            simulation.clock.advance(.seconds(60 * minutes))
            let decision = decide(simulation)
            let told = words(decision).contains(
                "Warning TooManyMissedTimes: too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
            )
            #expect(told == isTold, "\(minutes)")
            let made = decision.actions.compactMap { if case .create(.jobs, let job) = $0 { job } else { nil } }
            #expect(made.count == 1)
            let latest = simulation.clock.now.nanoseconds / 60_000_000_000
            #expect(made.first?.name == "tick-\(latest)")
        }
        // With a deadline only what is not older counts as missed.
        let simulation = simulation()
        try await simulation.api.create(.cronJobs, Self.cronJob(["startingDeadlineSeconds": 200]))
        simulation.clock.advance(.seconds(60 * 500))
        #expect(!words(decide(simulation)).contains { $0.contains("TooManyMissedTimes") })
    }

    @Test func `a schedule or zone that means nothing is told of`() async throws {
        for (field, text, word) in [
            ("schedule", "nonsense", "Warning UnparseableSchedule: unparseable schedule: \"nonsense\" : "),
            (
                "timeZone", "No/Where",
                "Warning UnknownTimeZone: invalid timeZone: \"No/Where\": unknown time zone No/Where"
            ),
        ] {
            let simulation = simulation()
            try await simulation.api.create(.cronJobs, Self.cronJob([field: .string(text)]))
            let controller = CronJobController()
            // Zones are read beside.
            try await eventually("\(word)") {
                self.words(self.decide(simulation, controller)).contains { $0.hasPrefix(word) }
            }
        }
    }

    @Test func `a job that is removed by hand is told of and no longer active`() async throws {
        let simulation = simulation()
        try await simulation.api.create(.cronJobs, Self.cronJob())
        try await simulation.settle(horizon: .seconds(60))
        let job = try #require(await simulation.objects(.jobs).first)
        try await simulation.api.delete(.jobs, namespace: "default", job.name, DeletionOptions())
        #expect(words(decide(simulation)).contains("Normal MissingJob: Active job went missing: \(job.name)"))
        try await simulation.settle(horizon: .zero)
        #expect(try #require(await simulation.object(.cronJobs, "tick")).status["active"] == nil)
    }

    @Test(arguments: ["Forbid", "Replace"])
    func `a job that somebody made from the cron job is neither in the way nor ended`(policy: String) async throws {
        let simulation = simulation()
        let cronJob = try await simulation.api.create(.cronJobs, Self.cronJob(["concurrencyPolicy": .string(policy)]))
        var manual = Fixture.job("by-hand")
        manual.metadata.annotations["cronjob.kubernetes.io/instantiate"] = "manual"
        manual.metadata.ownerReferences = [OwnerReference(controller: cronJob, .cronJobs)]
        try await simulation.api.create(.jobs, manual)
        try await simulation.settle(horizon: .seconds(60))
        let names = await simulation.objects(.jobs).map(\.name)
        #expect(names.count == 2 && names.contains("by-hand"), "\(names)")
        let active = try #require(await simulation.object(.cronJobs, "tick")).status["active"]?.array
        #expect(active?.compactMap { $0["name"]?.string } == names.filter { $0 != "by-hand" })
    }
}
