package import KubeSchema
package import Linux

/// What a pod has used, as an autoscaler sees it.
package struct PodUsage: Sendable {
    /// By container: "cpu" and "memory", in the units of their quantities.
    package var containers: [String: [String: Quantity]]
    /// The end of the time in which it was measured, and its length.
    package var measured: Linux.Timestamp
    package var window: Duration

    package init(containers: [String: [String: Quantity]], measured: Linux.Timestamp, window: Duration) {
        self.containers = containers
        self.measured = measured
        self.window = window
    }
}

/// Where autoscalers get their metrics from: the values measured last, without waiting.
package protocol MetricsSource: Sendable {
    /// CPU and memory by pod. One that was not measured yet is missing.
    func usage(namespace: String) -> [String: PodUsage]
    /// A metric of pods, by pod: "requests-per-second", "concurrency".
    func podMetric(_ name: String, selector: LabelSelector, namespace: String) -> [String: Quantity]
    /// A metric of one object, such as a Service or an Ingress; nil when there is none.
    func objectMetric(
        _ name: String, selector: LabelSelector, kind: String, object: String, namespace: String
    ) -> Quantity?
    /// All series of a metric from outside; none when it is not known.
    func externalMetric(_ name: String, selector: LabelSelector, namespace: String) -> [Quantity]
}
