/// Measurements of one name, as Prometheus has them: https://prometheus.io/docs/concepts/data_model/
///
/// Names carry their unit: `forkless_call_duration_seconds`, `forkless_sandbox_memory_bytes`, `forkless_calls_total`.
package struct MetricFamily: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable { case counter, gauge, histogram }

    package var name: String
    /// One sentence for people.
    package var help: String
    package var kind: Kind
    package var samples: [MetricSample]
    /// Of counters and histograms: whether what they count may be older than the node, so that they do not begin at nothing
    /// with it. Formats for others do not tell.
    package var outlivesNode = false

    package init(_ name: String, _ kind: Kind, help: String, _ samples: [MetricSample]) {
        self.name = name
        self.help = help
        self.kind = kind
        self.samples = samples
    }
}

/// One time series' value at this moment.
package struct MetricSample: Hashable, Sendable {
    package enum Value: Hashable, Sendable {
        case number(Double)
        case histogram(MetricHistogram)
    }

    /// Label values are any text, hostile too: whoever writes them out escapes them.
    package var labels: [MetricLabel]
    package var value: Value

    package init(_ labels: [MetricLabel] = [], _ value: Value) {
        self.labels = labels
        self.value = value
    }
}

package struct MetricLabel: Hashable, Sendable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// How many values were at most each bound; counts are cumulative, and the last bound is infinity.
package struct MetricHistogram: Hashable, Sendable {
    package struct Bucket: Hashable, Sendable {
        /// Inclusive.
        package var upperBound: Double
        /// Values at most `upperBound`, those of smaller buckets included.
        package var count: UInt64

        package init(upTo upperBound: Double, _ count: UInt64) {
            self.upperBound = upperBound
            self.count = count
        }
    }

    package var buckets: [Bucket]
    package var sum: Double
    package var count: UInt64

    package init(buckets: [Bucket], sum: Double, count: UInt64) {
        self.buckets = buckets
        self.sum = sum
        self.count = count
    }
}

/// A part of the node that says what it measures. Asked at each scrape and once a second for the history: it must answer
/// from what it has counted already.
package protocol MetricSource: Sendable {
    func metrics() async -> [MetricFamily]
}
