import JSON
import KubeObjects
import KubeSchema
import KubeStore
import Linux
import Synchronization
import TestKit
import Testing

@testable import KubeControllers

@Suite(.timeLimit(.minutes(2)))
struct AutoscalerTests {
    /// Metrics that a test sets.
    private final class Metrics: MetricsSource {
        struct Values {
            /// Of each pod, in thousandths of a core; nil: not measured.
            var cpu: Int64?
            var object: Int64?
            var measured = Linux.Timestamp("2026-03-01T12:00:00Z")!
            var unmeasured: Set<String> = []
        }
        let values = Mutex(Values())

        func usage(namespace: String) -> [String: PodUsage] {
            values.withLock { values in
                guard let cpu = values.cpu else { return [:] }
                var usage: [String: PodUsage] = [:]
                for number in 0..<20 where !values.unmeasured.contains("web-\(number)") {
                    usage["web-\(number)"] = PodUsage(
                        containers: ["main": ["cpu": Quantity(thousandths: cpu)]], measured: values.measured,
                        window: .seconds(15))
                }
                return usage
            }
        }
        func podMetric(_ name: String, selector: LabelSelector, namespace: String) -> [String: Quantity] { [:] }
        func objectMetric(
            _ name: String, selector: LabelSelector, kind: String, object: String, namespace: String
        ) -> Quantity? { values.withLock { $0.object.map { Quantity($0) } } }
        func externalMetric(_ name: String, selector: LabelSelector, namespace: String) -> [Quantity] { [] }
    }

    private let metrics = Metrics()

    private static let cpu: JSONValue = [
        "type": "Resource",
        "resource": ["name": "cpu", "target": ["type": "Utilization", "averageUtilization": 50]],
    ]
    private static let requests: JSONValue = [
        "type": "Object",
        "object": [
            "describedObject": ["kind": "Service", "name": "web"], "metric": ["name": "requests-per-second"],
            "target": ["type": "AverageValue", "averageValue": "10"],
        ],
    ]

    /// A deployment with pods that request half a core each.
    private func simulation(replicas: Int64, metric: JSONValue = AutoscalerTests.cpu, _ more: JSONValue = [:])
        async throws -> Simulation
    {
        let simulation = Simulation([HorizontalPodAutoscalerController(metrics: metrics)], seed: 1)
        try await simulation.api.create(.deployments, Fixture.deployment(replicas: replicas))
        for number in 0..<replicas { try await addPod(simulation, number) }
        var spec: JSONValue = [
            "scaleTargetRef": ["apiVersion": "apps/v1", "kind": "Deployment", "name": "web"], "minReplicas": 1,
            "maxReplicas": 10, "metrics": [metric],
        ]
        for member in more.object?.members ?? [] { spec[member.key] = member.value }
        try await simulation.api.create(
            .horizontalPodAutoscalers, Fixture.object(.horizontalPodAutoscalers, "web", spec))
        return simulation
    }

    private func addPod(_ simulation: Simulation, _ number: Int64) async throws {
        var pod = Fixture.object(
            .pods, "web-\(number)",
            ["nodeName": "node", "containers": [["name": "main", "resources": ["requests": ["cpu": "500m"]]]]])
        pod.metadata.labels = ["app": "web"]
        pod = try await simulation.api.create(.pods, pod)
        pod.status = [
            "phase": "Running", "startTime": "2026-03-01T10:00:00Z",
            "conditions": [["type": "Ready", "status": "True", "lastTransitionTime": "2026-03-01T10:00:00Z"]],
        ]
        try await simulation.api.update(.pods, pod, subresource: "status")
    }

    /// One look, and what the target's size is then.
    private func look(_ simulation: Simulation, later seconds: Int64 = 0) async throws -> Int64 {
        simulation.clock.advance(.seconds(seconds))
        try await simulation.settle(horizon: .zero)
        return try #require(await simulation.object(.deployments, "web")).wanted
    }

    private func condition(_ simulation: Simulation, _ type: String) async throws -> String {
        let autoscaler = try #require(await simulation.object(.horizontalPodAutoscalers, "web"))
        let condition = autoscaler.condition(type)
        return "\(condition?["status"]?.string ?? "none") \(condition?["reason"]?.string ?? "")"
    }

    @Test func `the size follows the usage, rounded up`() async throws {
        let simulation = try await simulation(replicas: 2)
        metrics.values.withLock { $0.cpu = 400 }
        // 80 % of what was requested, where 50 % is wanted: 2 * 1.6.
        #expect(try await look(simulation) == 4)
        #expect(try await condition(simulation, "AbleToScale") == "True ReadyForNewScale")
        #expect(try await condition(simulation, "ScalingActive") == "True ValidMetricFound")
        let autoscaler = try #require(await simulation.object(.horizontalPodAutoscalers, "web"))
        #expect(autoscaler.status["desiredReplicas"] == 4)
        #expect(autoscaler.status["currentMetrics"]?[0]?["resource", "current", "averageUtilization"] == 80)
    }

    @Test func `a difference of a tenth changes nothing`() async throws {
        let simulation = try await simulation(replicas: 2)
        metrics.values.withLock { $0.cpu = 274 }
        #expect(try await look(simulation) == 2)
        metrics.values.withLock { $0.cpu = 276 }
        #expect(try await look(simulation, later: 15) == 3)
    }

    @Test func `the size stays within its bounds`() async throws {
        let simulation = try await simulation(replicas: 6)
        metrics.values.withLock { $0.cpu = 5000 }
        #expect(try await look(simulation) == 10)
        #expect(try await condition(simulation, "ScalingLimited") == "True TooManyReplicas")
    }

    @Test func `policies bound how fast the size changes`() async throws {
        let behavior: JSONValue = [
            "scaleUp": ["policies": [["type": "Pods", "value": 1, "periodSeconds": 60]]]
        ]
        let simulation = try await simulation(replicas: 2, ["behavior": behavior])
        metrics.values.withLock { $0.cpu = 5000 }
        #expect(try await look(simulation) == 3)
        #expect(try await condition(simulation, "ScalingLimited") == "True ScaleUpLimit")
        #expect(try await look(simulation, later: 15) == 3)
        #expect(try await look(simulation, later: 46) == 4)
    }

    @Test func `the size shrinks only when it was too large for five minutes`() async throws {
        let simulation = try await simulation(replicas: 4)
        metrics.values.withLock { $0.cpu = 250 }
        #expect(try await look(simulation) == 4)
        metrics.values.withLock { $0.cpu = 50 }
        #expect(try await look(simulation, later: 15) == 4)
        #expect(try await condition(simulation, "AbleToScale") == "True ScaleDownStabilized")
        #expect(try await look(simulation, later: 301) == 1)
    }

    @Test func `without metrics the size stays, and the condition says why`() async throws {
        let simulation = try await simulation(replicas: 3)
        #expect(try await look(simulation) == 3)
        #expect(try await condition(simulation, "ScalingActive") == "False FailedGetResourceMetric")
    }

    @Test func `pods without metrics hold a change back`() async throws {
        let simulation = try await simulation(replicas: 4)
        metrics.values.withLock { values in
            values.cpu = 300
            values.unmeasured = ["web-2", "web-3"]
        }
        // Two at 60 % and two that might be idle: nothing is known that asks for more.
        #expect(try await look(simulation) == 4)
    }

    @Test func `scaling to and from zero goes by metrics of objects`() async throws {
        let simulation = try await simulation(
            replicas: 1, metric: Self.requests,
            [
                "minReplicas": 0, "behavior": ["scaleDown": ["stabilizationWindowSeconds": 0]],
            ])
        metrics.values.withLock { $0.object = 0 }
        #expect(try await look(simulation) == 0)
        metrics.values.withLock { $0.object = 25 }
        #expect(try await look(simulation, later: 15) == 3)
    }

    @Test func `a target of size zero is left alone when zero is not allowed`() async throws {
        let simulation = try await simulation(replicas: 0)
        metrics.values.withLock { $0.cpu = 5000 }
        #expect(try await look(simulation) == 0)
        #expect(try await condition(simulation, "ScalingActive") == "False ScalingDisabled")
    }

    @Test func `a target that is not there is said`() async throws {
        let simulation = try await simulation(
            replicas: 1, ["scaleTargetRef": ["apiVersion": "apps/v1", "kind": "Deployment", "name": "none"]])
        _ = try await look(simulation)
        #expect(try await condition(simulation, "AbleToScale") == "False FailedGetScale")
    }

    @Test func `what lies behind all windows is forgotten`() {
        let memory = AutoscalerMemory()
        let start = Linux.Timestamp("2026-03-01T12:00:00Z")!
        memory.recommend("a", 3, start)
        memory.change("a", by: 2, start)
        #expect(memory.record("a", start.adding(seconds: 10)).recommendations.count == 1)
        #expect(memory.record("a", start.adding(seconds: 4000)).recommendations.isEmpty)
        #expect(memory.record("a", start.adding(seconds: 4000)).changes.isEmpty)
    }
}
