import JSON
import KubeObjects
import KubeSchema
import KubeStore
import Linux
import Synchronization
import TestKit
import Testing

@testable import KubeControllers

/// The worker with a real cache and concurrency.
@Suite(.timeLimit(.minutes(2)))
struct ControllerGroupTests {
    /// A controller that makes one config map for each config map with a label, and notes what it saw.
    private final class Copier: Controller {
        let seen = Mutex<[Int]>([])
        let atWork = Mutex<(now: Int, most: Int)>((0, 0))
        var name: String { "copier" }
        var resources: [Resource] { [.configMaps, .secrets] }

        func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
            change.resource == .configMaps ? [change.key] : [Resource.configMaps.key(namespace: "default", "one")]
        }

        func decide(_ key: ObjectKey, in view: any ObjectView, now: Linux.Timestamp) -> Decision {
            let copies = view.objects(.secrets, namespace: "default")
            seen.withLock { $0.append(copies.count) }
            guard view.get(.configMaps, namespace: "default", key.name) != nil, copies.count < 3 else {
                return Decision()
            }
            let secret = Fixture.object(.secrets, "copy-\(copies.count)", [:])
            return Decision([.create(.secrets, secret)])
        }
    }

    private func running<Result: Sendable>(
        _ controllers: [any Controller], _ api: WorkloadAPI, clock: any WallClock = SystemWallClock(),
        _ body: (ControllerGroup) async throws -> Result
    ) async throws -> Result {
        let group = ControllerGroup(controllers, store: api.store, client: api, clock: clock)
        let task = Task { await group.run() }
        defer { task.cancel() }
        let result = try await body(group)
        task.cancel()
        await task.value
        return result
    }

    @Test func `a worker waits for what it has written`() async throws {
        let api = WorkloadAPI(MemoryObjectStore(), clock: SystemWallClock())
        let copier = Copier()
        try await api.create(.configMaps, Fixture.object(.configMaps, "one", [:]))
        try await running([copier], api) { _ in
            try await eventually { await count(api, .secrets) == 3 }
            try await eventually { copier.seen.withLock { $0.last == 3 } }
        }
        // Each decision has seen what the one before made.
        let seen = copier.seen.withLock { $0 }
        #expect(Array(Set(seen)).sorted() == [0, 1, 2, 3])
        #expect(seen == seen.sorted())
    }

    private func count(_ api: WorkloadAPI, _ resource: Resource) async -> Int {
        (try? await api.list(resource, namespace: nil, labels: .everything).count) ?? 0
    }

    @Test func `what was there before is decided about, and nothing before the cache is complete`() async throws {
        let api = WorkloadAPI(MemoryObjectStore(), clock: SystemWallClock())
        for number in 0..<3 { try await api.create(.secrets, Fixture.object(.secrets, "copy-\(number)", [:])) }
        try await api.create(.configMaps, Fixture.object(.configMaps, "one", [:]))
        let copier = Copier()
        try await running([copier], api) { _ in try await eventually { copier.seen.withLock { !$0.isEmpty } } }
        #expect(copier.seen.withLock { Set($0) } == [3])
    }

    @Test func `a group that is cancelled ends, even before its cache is complete`() async throws {
        let api = WorkloadAPI(MemoryObjectStore(), clock: SystemWallClock())
        for _ in 0..<20 {
            let group = ControllerGroup([Copier()], store: api.store, client: api)
            let task = Task { await group.run() }
            task.cancel()
            await task.value
        }
    }

    @Test func `a write that fails is tried again`() async throws {
        let left = Mutex(3)
        let api = WorkloadAPI(MemoryObjectStore(), clock: SystemWallClock()) { verb, resource, _ in
            guard resource == .secrets else { return nil }
            return left.withLock { left in
                guard left > 0 else { return nil }
                left -= 1
                return .internalError("made up")
            }
        }
        try await api.create(.configMaps, Fixture.object(.configMaps, "one", [:]))
        try await running([Copier()], api) { _ in
            try await eventually { await count(api, .secrets) == 3 }
        }
    }

    @Test func `a deployment becomes pods, and its events tell how`() async throws {
        let api = WorkloadAPI(MemoryObjectStore(), clock: SystemWallClock())
        try await running([DeploymentController(), ReplicaSetController()], api) { _ in
            try await api.create(.deployments, Fixture.deployment(replicas: 2))
            try await eventually { await count(api, .pods) == 2 }
            try await eventually { await count(api, .events) == 3 }
        }
        let events = try await api.list(.events, namespace: "default", labels: .everything)
        let reasons = events.map { $0.json["reason"]?.string ?? "" }.sorted()
        #expect(reasons == ["ScalingReplicaSet", "SuccessfulCreate", "SuccessfulCreate"])
        let scaling = try #require(events.first { $0.json["reason"]?.string == "ScalingReplicaSet" })
        #expect(scaling.json["message"]?.string?.hasSuffix("from 0 to 2") == true)
        #expect(scaling.json["source", "component"]?.string == "deployment-controller")
        #expect(scaling.json["involvedObject", "kind"]?.string == "Deployment")
    }

    @Test func `a job is complete when its pod has ended`() async throws {
        let api = WorkloadAPI(MemoryObjectStore(), clock: SystemWallClock())
        try await running([JobController()], api) { _ in
            try await api.create(.jobs, Fixture.job())
            try await eventually { await count(api, .pods) == 1 }
            var pod = try #require(try await api.list(.pods, namespace: nil, labels: .everything).first)
            pod.status = ["phase": "Succeeded"]
            try await api.update(.pods, pod, subresource: "status")
            try await eventually {
                try await api.get(.jobs, namespace: "default", "work").jobEnd?["type"]?.string == "Complete"
            }
        }
        let job = try await api.get(.jobs, namespace: "default", "work")
        #expect(job.status.count("succeeded") == 1)
        #expect(job.status["completionTime"] != nil)
    }

    @Test func `a timer of the wall clock has a controller look again`() async throws {
        let clock = StoppedClock()
        let api = WorkloadAPI(MemoryObjectStore(), clock: clock)
        try await running([FinishedJobController()], api, clock: clock) { _ in
            var job = Fixture.job("done", ["ttlSecondsAfterFinished": 100])
            job = try await api.create(.jobs, job)
            job.status = [
                "conditions": [
                    ["type": "Complete", "status": "True", "lastTransitionTime": .string(clock.now.kubeTime)]
                ]
            ]
            try await api.update(.jobs, job, subresource: "status")
            try await eventually { clock.sleeperCount == 1 }
            clock.advance(.seconds(99))
            #expect(await count(api, .jobs) == 1)
            clock.advance(.seconds(1))
            try await eventually { await count(api, .jobs) == 0 }
        }
    }

    /// Looks again every ten seconds.
    private final class Watchful: Controller {
        private let looks = Mutex(0)
        var count: Int { looks.withLock { $0 } }
        var name: String { "watchful" }
        var resources: [Resource] { [.configMaps] }

        func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] { [change.key] }

        func decide(_ key: ObjectKey, in view: any ObjectView, now: Linux.Timestamp) -> Decision {
            looks.withLock { $0 += 1 }
            return Decision(again: now.adding(seconds: 10))
        }
    }

    @Test func `a worker looks again when the clock is set back`() async throws {
        let clock = StoppedClock()
        let looks = Watchful()
        let api = WorkloadAPI(MemoryObjectStore(), clock: clock)
        try await running([looks], api, clock: clock) { _ in
            try await api.create(.configMaps, Fixture.object(.configMaps, "c", [:]))
            try await eventually { clock.sleeperCount == 1 }
            let before = looks.count
            // A day back: what was to be looked at in ten seconds would wait for a day.
            clock.jump(to: clock.now.adding(seconds: -86_400))
            try await eventually { looks.count > before }
            try await eventually { clock.sleeperCount == 1 }
            let after = looks.count
            clock.advance(.seconds(10))
            try await eventually { looks.count > after }
        }
    }
}
