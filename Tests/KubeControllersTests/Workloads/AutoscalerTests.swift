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
            /// Of a second container of each pod; nil: there is none.
            var besides: Int64?
            var object: Int64?
            /// By pod.
            var pods: [String: Int64] = [:]
            var measured = Linux.Timestamp("2026-03-01T12:00:00Z")!
            var unmeasured: Set<String> = []
        }
        let values = Mutex(Values())

        func usage(namespace: String) -> [String: PodUsage] {
            values.withLock { values in
                guard let cpu = values.cpu else { return [:] }
                var usage: [String: PodUsage] = [:]
                for number in 0..<20 where !values.unmeasured.contains("web-\(number)") {
                    var containers = ["main": ["cpu": Quantity(thousandths: cpu)]]
                    containers["proxy"] = values.besides.map { ["cpu": Quantity(thousandths: $0)] }
                    usage["web-\(number)"] = PodUsage(
                        containers: containers, measured: values.measured, window: .seconds(15))
                }
                return usage
            }
        }
        func podMetric(_ name: String, selector: LabelSelector, namespace: String) -> [String: Quantity] {
            values.withLock { $0.pods.mapValues { Quantity($0) } }
        }
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

    @Test func `a container's usage counts without that of others`() async throws {
        let metric: JSONValue = [
            "type": "ContainerResource",
            "containerResource": [
                "name": "cpu", "container": "main", "target": ["type": "Utilization", "averageUtilization": 50],
            ],
        ]
        let simulation = try await simulation(replicas: 2, metric: metric)
        metrics.values.withLock { ($0.cpu, $0.besides) = (250, 4000) }
        #expect(try await look(simulation) == 2)
        metrics.values.withLock { $0.cpu = 500 }
        #expect(try await look(simulation, later: 15) == 4)
        let autoscaler = try #require(await simulation.object(.horizontalPodAutoscalers, "web"))
        #expect(
            autoscaler.status["currentMetrics"]?[0] == [
                "type": "ContainerResource",
                "containerResource": [
                    "name": "cpu", "container": "main", "current": ["averageValue": "500m", "averageUtilization": 100],
                ],
            ])
    }

    @Test func `what pods used is averaged over the last measurements`() {
        let start = Linux.Timestamp("2026-03-01T12:00:00Z")!
        func round(_ second: Int64, cpu: Int64, memory: Int64) -> UsageHistory.Round {
            let used = ["main": ["cpu": Quantity(thousandths: cpu), "memory": Quantity(memory, format: .binarySI)]]
            let usage = PodUsage(
                containers: used, measured: start.adding(seconds: second), window: .milliseconds(200))
            return ["default": ["web": usage]]
        }
        var history = UsageHistory()
        #expect(history.usage.isEmpty)
        history.add(round(0, cpu: 900, memory: 1))
        #expect(history.usage["default"]?["web"]?.containers["main"]?["cpu"] == Quantity(thousandths: 900))
        #expect(history.usage["default"]?["web"]?.window == .milliseconds(200))
        for (second, cpu) in [(5, 100), (10, 0), (15, 200)] as [(Int64, Int64)] {
            history.add(round(second, cpu: cpu, memory: second))
        }
        let usage = history.usage["default"]?["web"]
        #expect(usage?.containers["main"]?["cpu"] == Quantity(thousandths: 100))
        #expect(usage?.containers["main"]?["memory"] == Quantity(15, format: .binarySI))
        #expect(usage?.measured == start.adding(seconds: 15) && usage?.window == .milliseconds(10_200))
        // A pod that is gone is not there any more.
        history.add(["default": [:]])
        #expect(history.usage["default"]?.isEmpty == true)
    }

    @Test func `a metric of pods is averaged over those that have it`() async throws {
        let metric: JSONValue = [
            "type": "Pods",
            "pods": ["metric": ["name": "concurrency"], "target": ["type": "AverageValue", "averageValue": "4"]],
        ]
        let simulation = try await simulation(replicas: 2, metric: metric)
        #expect(try await look(simulation) == 2)
        #expect(try await condition(simulation, "ScalingActive") == "False FailedGetPodsMetric")
        metrics.values.withLock { $0.pods = ["web-0": 10, "web-1": 6, "stranger-0": 100] }
        #expect(try await look(simulation, later: 15) == 4)
        let autoscaler = try #require(await simulation.object(.horizontalPodAutoscalers, "web"))
        #expect(
            autoscaler.status["currentMetrics"]?[0] == [
                "type": "Pods", "pods": ["metric": ["name": "concurrency"], "current": ["averageValue": "8"]],
            ])
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

    @Test func `a custom kind is scaled where its definition says`() async throws {
        let widgets = PassingKinds.widgets
        let world = World()
        let kinds = PassingKinds()
        let controller = HorizontalPodAutoscalerController(metrics: metrics, kinds: kinds)
        try await world.add(
            .horizontalPodAutoscalers, "web",
            [
                "spec": [
                    "scaleTargetRef": ["apiVersion": "example.com/v1", "kind": "Widget", "name": "w"], "minReplicas": 1,
                    "maxReplicas": 10, "metrics": [Self.requests],
                ]
            ])
        metrics.values.withLock { $0.object = 45 }
        func condition(_ type: String) throws -> JSONValue? {
            try world.object(.horizontalPodAutoscalers, "web").condition(type)
        }
        let key = Resource.horizontalPodAutoscalers.key(namespace: "default", "web")
        func look() async throws {
            for action in controller.decide(key, in: world, now: world.now).actions { try await world.perform(action) }
        }
        try await look()
        #expect(
            try condition("AbleToScale")?["message"]?.string?.hasSuffix(
                "no kind \"Widget\" that can be scaled is served here")
                == true)
        kinds.set([widgets])
        try await world.add(widgets, "w", ["spec": ["size": 2]])
        try await look()
        #expect(try condition("ScalingActive")?["reason"] == "InvalidSelector")
        try await world.change(widgets, "w") { $0.status = ["size": 2, "selector": "app=web"] }
        try await look()
        #expect(try world.object(widgets, "w").spec["size"] == 5)
        #expect(try world.object(.horizontalPodAutoscalers, "web").status["currentReplicas"] == 2)
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
