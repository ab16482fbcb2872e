import Engine
import JSON
import KubeControllers
import KubeObjects
import KubeSchema
import KubeStore
import Linux
import Pods
import Services
import Synchronization

/// What autoscalers decide from: what pods used, measured while an autoscaler is there, and what comes to services through
/// the gateway of ingresses.
final class ScalingMetrics: MetricsSource {
    /// Between two measurements: three for each look of an autoscaler.
    private static let interval = Duration.seconds(5)

    private struct State {
        var history = UsageHistory()
        var usage: UsageHistory.Round = [:]
        var router: ServiceRouter?
        var cache: ObjectCache?
    }

    private let state = Mutex(State())

    /// Measures until the task is cancelled; nothing while nobody scales anything.
    func run(_ agent: PodAgent, _ router: ServiceRouter, _ cache: ObjectCache, _ note: @Sendable (String) -> Void) async {
        state.withLock { ($0.router, $0.cache) = (router, cache) }
        await cache.synced()
        while !Task.isCancelled {
            if !cache.objects(.horizontalPodAutoscalers).isEmpty {
                do throws(NodeFailure) { take(try await agent.usage()) } catch { note("measure pods for autoscalers: \(error.message)") }
            }
            try? await Task.sleep(for: Self.interval)
        }
    }

    private func take(_ measured: [Pods.PodUsage]) {
        var usage: UsageHistory.Round = [:]
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
        state.withLock { state in
            state.history.add(usage)
            state.usage = state.history.usage
        }
    }

    func usage(namespace: String) -> [String: KubeControllers.PodUsage] { state.withLock { $0.usage[namespace] ?? [:] } }

    /// "concurrency" (requests that are being answered) and "requests-per-second" of each pod that has an address: of what
    /// comes by ingresses. Series have no labels, so that a selector leaves none.
    func podMetric(_ name: String, selector: LabelSelector, namespace: String) -> [String: Quantity] {
        let (router, cache) = state.withLock { ($0.router, $0.cache) }
        guard let router, let cache, selector.matches([:]) else { return [:] }
        var values: [String: Quantity] = [:]
        for pod in cache.objects(.pods, namespace: namespace) {
            guard let address = pod.value["status", "podIP"]?.string, let load = router.load(ofServer: address) else {
                continue
            }
            values[pod.key.name] = Self.value(name, load.concurrency, load.requestsPerSecond)
        }
        return values
    }

    private static func value(_ name: String, _ concurrency: Int, _ perSecond: Double) -> Quantity? {
        switch name {
        case "concurrency": Quantity(Int64(concurrency))
        case "requests-per-second": Quantity(thousandths: Int64(perSecond * 1000))
        default: nil
        }
    }

    /// "concurrency" (requests that are being answered or wait) and "requests-per-second" of a Service.
    func objectMetric(
        _ name: String, selector: LabelSelector, kind: String, object: String, namespace: String
    ) -> Quantity? {
        guard kind == "Service", selector.matches([:]), let router = state.withLock({ $0.router }) else { return nil }
        let load = router.load(ofService: object, in: namespace)
        return Self.value(name, load.concurrency, router.requestsPerSecond(ofService: object, in: namespace))
    }

    func externalMetric(_ name: String, selector: LabelSelector, namespace: String) -> [Quantity] { [] }
}
