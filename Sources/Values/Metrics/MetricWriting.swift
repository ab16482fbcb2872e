extension MetricFamily {
    /// A family of one series without labels.
    package static func gauge(_ name: String, _ help: String, _ value: some BinaryInteger) -> MetricFamily {
        MetricFamily(name, .gauge, help: help, [MetricSample([], .number(Double(value)))])
    }

    package static func gauge(_ name: String, _ help: String, _ value: Double) -> MetricFamily {
        MetricFamily(name, .gauge, help: help, [MetricSample([], .number(value))])
    }

    package static func counter(_ name: String, _ help: String, _ value: some BinaryInteger) -> MetricFamily {
        MetricFamily(name, .counter, help: help, [MetricSample([], .number(Double(value)))])
    }

    package static func counter(_ name: String, _ help: String, _ value: Double) -> MetricFamily {
        MetricFamily(name, .counter, help: help, [MetricSample([], .number(value))])
    }

    /// The same of something that may be older than the node.
    package func outlivingNode() -> MetricFamily {
        var family = self
        family.outlivesNode = true
        return family
    }
}

extension MetricSample {
    /// `MetricSample(["kind": "pod", "phase": "running"], 3)`: labels in the order in which they are written.
    package init(_ labels: KeyValuePairs<String, String>, _ value: some BinaryInteger) {
        self.init(labels.map { MetricLabel($0, $1) }, .number(Double(value)))
    }

    package init(_ labels: KeyValuePairs<String, String>, _ value: Double) {
        self.init(labels.map { MetricLabel($0, $1) }, .number(value))
    }

    package init(_ labels: KeyValuePairs<String, String>, _ value: DurationCounts) {
        self.init(labels.map { MetricLabel($0, $1) }, .histogram(value.metric))
    }
}
