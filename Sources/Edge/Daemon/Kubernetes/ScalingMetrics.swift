import Engine
import KubeControllers
import KubeObjects
import KubeSchema
import Linux
import Pods
import Services
import Synchronization

/// What autoscalers decide from: what pods used, measured while an autoscaler is there, and what comes to services through
/// the gateway of ingresses.
final class ScalingMetrics: MetricsSource {
    /// Between two measurements: as often as an autoscaler looks.
    private static let interval = Duration.seconds(15)

    private struct State {
        var usage: [String: [String: KubeControllers.PodUsage]] = [:]
        var router: ServiceRouter?
    }

    private let state = Mutex(State())

    /// Measures until the task is cancelled; nothing while nobody scales anything.
    func run(_ agent: PodAgent, _ router: ServiceRouter, _ cache: ObjectCache, _ note: @Sendable (String) -> Void) async {
        state.withLock { $0.router = router }
        await cache.synced()
        while !Task.isCancelled {
            if !cache.objects(.horizontalPodAutoscalers).isEmpty {
                do throws(NodeFailure) { take(try await agent.usage()) } catch { note("measure pods for autoscalers: \(error.message)") }
            }
            try? await Task.sleep(for: Self.interval)
        }
    }

    private func take(_ measured: [Pods.PodUsage]) {
        var usage: [String: [String: KubeControllers.PodUsage]] = [:]
        for pod in measured {
            var containers: [String: [String: Quantity]] = [:]
            for container in pod.containers {
                containers[container.name] = [
                    "cpu": Quantity(thousandths: Int64(container.cpuNanocores / 1_000_000)),
                    "memory": Quantity(Int64(container.memoryBytes), format: .binarySI),
                ]
            }
            usage[pod.namespace, default: [:]][pod.name] = KubeControllers.PodUsage(
                containers: containers, measured: pod.timestamp, window: .nanoseconds(pod.windowNanoseconds))
        }
        state.withLock { $0.usage = usage }
    }

    func usage(namespace: String) -> [String: KubeControllers.PodUsage] { state.withLock { $0.usage[namespace] ?? [:] } }

    /// The gateway knows services and not which of their pods a metric is of.
    func podMetric(_ name: String, selector: LabelSelector, namespace: String) -> [String: Quantity] { [:] }

    /// "concurrency" (requests that are being answered or wait) and "requests-per-second" of a Service.
    func objectMetric(
        _ name: String, selector: LabelSelector, kind: String, object: String, namespace: String
    ) -> Quantity? {
        guard kind == "Service", let router = state.withLock({ $0.router }) else { return nil }
        switch name {
        case "concurrency":
            let load = router.load(ofService: object, in: namespace)
            return Quantity(Int64(load.concurrency + load.waiting))
        case "requests-per-second":
            return Quantity(thousandths: Int64(router.requestsPerSecond(ofService: object, in: namespace) * 1000))
        default: return nil
        }
    }

    func externalMetric(_ name: String, selector: LabelSelector, namespace: String) -> [Quantity] { [] }
}
