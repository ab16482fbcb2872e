import JSON
import KubeObjects
import KubeStore
import Linux
import Testing

@testable import KubeControllers

/// A Job whose pods end when the test says so.
struct JobStage {
    let simulation: Simulation

    init(_ spec: JSONValue, with more: [any Controller] = []) async throws {
        simulation = Simulation([JobController()] + more, seed: 1)
        try await simulation.api.create(.jobs, Fixture.job("work", spec))
        try await settle()
    }

    /// Without letting time pass: pauses and deadlines stay where they are.
    func settle() async throws { try await simulation.settle(horizon: .zero) }

    func pass(_ duration: Duration) async throws {
        simulation.clock.advance(duration)
        try await settle()
    }

    func job() async throws -> KubeObject { try #require(await simulation.object(.jobs, "work")) }

    func change(_ body: (inout JSONValue) -> Void) async throws {
        var job = try await job()
        body(&job.json["spec", default: [:]])
        try await simulation.api.update(.jobs, job, subresource: nil)
        try await settle()
    }

    var pods: [KubeObject] { get async { await simulation.objects(.pods) } }

    var active: [KubeObject] { get async { await pods.filter(\.isActivePod) } }

    /// The pod of an index that has not ended.
    func active(_ index: Int64) async throws -> KubeObject {
        try #require(await active.first { $0.completionIndex == index }, "no pod of index \(index)")
    }

    /// Ends a pod as the kubelet would tell of it, and lets the job look at it.
    func end(_ pod: KubeObject, _ code: Int64, disrupted: Bool = false) async throws {
        var pod = try #require(await simulation.object(.pods, pod.name))
        let time = JSONValue.string(simulation.clock.now.kubeTime)
        pod.status = [
            "phase": code == 0 ? "Succeeded" : "Failed",
            "conditions": disrupted
                ? [["type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"]] : [],
            "containerStatuses": [
                [
                    "name": "main", "restartCount": 0,
                    "state": ["terminated": ["exitCode": .integer(code), "finishedAt": time]],
                ]
            ],
        ]
        try await simulation.api.update(.pods, pod, subresource: "status")
        try await settle()
    }

    /// What the controller would do now, with what the API has.
    func decide() -> Decision { simulation.decide(JobController(), Resource.jobs.key(namespace: "default", "work")) }
}

extension Simulation {
    /// What a controller would do now about an object, with what the API has; nothing of it is done.
    func decide(_ controller: any Controller, _ key: ObjectKey) -> Decision {
        let view = LaggedView(api, controller.resources)
        for resource in controller.resources { _ = view.take(resource) }
        return controller.decide(key, in: view, now: clock.now)
    }
}

extension KubeObject {
    /// "Failed PodFailurePolicy" of a job that has ended, or "Complete CompletionsReached".
    var verdict: String? { jobEnd.map { "\($0["type"]?.string ?? "") \($0["reason"]?.string ?? "")" } }
}
