package import Metrics

/// The objects of the Kubernetes API in numbers.
extension ObjectStore: MetricSource {
    package func metrics() async -> [MetricFamily] {
        let history = hub.history
        return [
            .gauge("forkless_kubernetes_revision", "The revision of the last write.", history.newest),
            .gauge("forkless_kubernetes_compacted_revision", "Before it nothing can be read or watched.", history.compacted),
            .gauge("forkless_kubernetes_watches", "Watches, those of the node's own controllers included.", hub.watcherCount),
        ]
    }
}
