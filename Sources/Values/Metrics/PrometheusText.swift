/// Families in the formats that Prometheus reads:
/// https://prometheus.io/docs/instrumenting/exposition_formats and
/// https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
///
/// Invariants
/// 1. Whatever a label's value is, it is one value of one series. (test: `a hostile value stays inside its quotes`)
package enum PrometheusText {
    package enum Format: Hashable, Sendable, CaseIterable {
        /// Version 0.0.4.
        case text
        /// Version 1.0.0: counters are named without `_total` in their descriptions, and the end is marked.
        case openMetrics

        package var contentType: String {
            switch self {
            case .text: "text/plain; version=0.0.4; charset=utf-8"
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
        }
    }

    /// - Parameter families: of different names, with labels that differ: `MetricGathering`.
    package static func bytes(_ families: [MetricFamily], _ format: Format = .text) -> [UInt8] {
        var out = Output(format: format)
        for family in families { out.write(family) }
        if format == .openMetrics { out.text("# EOF\n") }
        return out.bytes
    }

    /// A number as both formats have it: Go's ParseFloat reads it to the same bits.
    package static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value.magnitude < 9_007_199_254_740_992, value.rounded() == value { return "\(Int(value))" }
        return "\(value)"
    }

    static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return false }
        return name.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: false
            }
        }
    }

    private struct Output {
        let format: Format
        var bytes: [UInt8] = []

        mutating func text(_ text: String) { bytes.append(contentsOf: text.utf8) }

        mutating func write(_ family: MetricFamily) {
            precondition(PrometheusText.isName(family.name), "\(family.name) is no metric's name")
            precondition(
                family.kind != .counter || family.name.hasSuffix("_total"), "the counter \(family.name) has to end in _total")
            var described = family.name
            if format == .openMetrics, family.kind == .counter { described.removeLast("_total".count) }
            text("# HELP \(described) ")
            escape(family.help, quotes: format == .openMetrics)
            text("\n# TYPE \(described) \(family.kind.rawValue)\n")
            for sample in family.samples {
                switch (sample.value, family.kind) {
                case (.number(let value), .counter), (.number(let value), .gauge):
                    line(family.name, sample.labels, value)
                case (.histogram(let histogram), .histogram): write(family.name, sample.labels, histogram)
                default: preconditionFailure("a sample of \(family.name) is no \(family.kind.rawValue)")
                }
            }
        }

        private mutating func write(_ name: String, _ labels: [MetricLabel], _ histogram: MetricHistogram) {
            for bucket in histogram.buckets where bucket.upperBound != .infinity {
                line(name + "_bucket", labels, Double(bucket.count), le: bound(bucket.upperBound))
            }
            line(name + "_bucket", labels, Double(histogram.count), le: "+Inf")
            line(name + "_sum", labels, histogram.sum)
            line(name + "_count", labels, Double(histogram.count))
        }

        /// OpenMetrics wants bounds to look like floating-point numbers.
        private func bound(_ value: Double) -> String {
            format == .openMetrics ? "\(value)" : PrometheusText.number(value)
        }

        private mutating func line(_ name: String, _ labels: [MetricLabel], _ value: Double, le: String? = nil) {
            text(name)
            if !labels.isEmpty || le != nil {
                text("{")
                for (index, label) in labels.enumerated() {
                    precondition(PrometheusText.isName(label.name), "\(label.name) is no label's name")
                    if index > 0 { text(",") }
                    text(label.name)
                    text("=\"")
                    escape(label.value, quotes: true)
                    text("\"")
                }
                if let le { text((labels.isEmpty ? "le=\"" : ",le=\"") + le + "\"") }
                text("}")
            }
            text(" ")
            text(PrometheusText.number(value))
            text("\n")
        }

        private mutating func escape(_ value: String, quotes: Bool) {
            for byte in value.utf8 {
                switch byte {
                case UInt8(ascii: "\\"): text("\\\\")
                case UInt8(ascii: "\n"): text("\\n")
                case UInt8(ascii: "\"") where quotes: text("\\\"")
                default: bytes.append(byte)
                }
            }
        }
    }
}
