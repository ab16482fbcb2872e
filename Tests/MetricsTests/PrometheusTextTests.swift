import Testing

@testable import Metrics

@Suite struct PrometheusTextTests {
    private func text(_ families: [MetricFamily], _ format: PrometheusText.Format = .text) -> String {
        String(decoding: PrometheusText.bytes(families, format), as: UTF8.self)
    }

    private let calls = MetricFamily(
        "forkless_calls_total", .counter, help: "Calls \"now\", by \\ and\nline.",
        [MetricSample([MetricLabel("workload", "a")], .number(3)), MetricSample([], .number(2.5))])

    @Test func `a counter in the text format`() {
        #expect(
            text([calls]) == """
                # HELP forkless_calls_total Calls "now", by \\\\ and\\nline.
                # TYPE forkless_calls_total counter
                forkless_calls_total{workload="a"} 3
                forkless_calls_total 2.5

                """)
    }

    @Test func `a counter in OpenMetrics has its suffix on samples alone, and the end is marked`() {
        #expect(
            text([calls], .openMetrics) == """
                # HELP forkless_calls Calls \\"now\\", by \\\\ and\\nline.
                # TYPE forkless_calls counter
                forkless_calls_total{workload="a"} 3
                forkless_calls_total 2.5
                # EOF

                """)
    }

    @Test func `a histogram has its bounds, its sum and its count`() {
        let histogram = MetricHistogram(buckets: [.init(upTo: 0.5, 1), .init(upTo: 1, 2)], sum: 7.25, count: 3)
        let family = MetricFamily(
            "forkless_x_seconds", .histogram, help: "X.", [MetricSample([MetricLabel("a", "b")], .histogram(histogram))])
        #expect(
            text([family]) == """
                # HELP forkless_x_seconds X.
                # TYPE forkless_x_seconds histogram
                forkless_x_seconds_bucket{a="b",le="0.5"} 1
                forkless_x_seconds_bucket{a="b",le="1"} 2
                forkless_x_seconds_bucket{a="b",le="+Inf"} 3
                forkless_x_seconds_sum{a="b"} 7.25
                forkless_x_seconds_count{a="b"} 3

                """)
        #expect(text([family], .openMetrics).contains("le=\"1.0\"}"))
        #expect(text([family], .openMetrics).contains("le=\"+Inf\"}"))
    }

    @Test(arguments: [
        (0.0, "0"), (-0.0, "0"), (1, "1"), (-3, "-3"), (0.1, "0.1"), (1e300, "1e+300"), (9_007_199_254_740_992, "9007199254740992.0"),
        (.nan, "NaN"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (0.00025, "0.00025"),
    ])
    func `numbers are those that Go reads`(value: Double, expected: String) {
        #expect(PrometheusText.number(value) == expected)
    }

    @Test func `a hostile value stays inside its quotes`() {
        let values = ["<script>alert(1)</script>", "\"} 1\nevil{a=\"b", "\\", "\u{1b}[2J", "x\r\ny", "a\u{0}b", "\u{202E}gpj", "é日本"]
        let family = MetricFamily(
            "forkless_h", .gauge, help: "H.", values.map { MetricSample([MetricLabel("name", $0)], .number(1)) })
        let lines = text(MetricGathering.gathered([family])).split(separator: "\n").filter { $0.hasPrefix("forkless_h{") }
        #expect(
            lines == [
                #"forkless_h{name="<script>alert(1)</script>"} 1"#, #"forkless_h{name="\"} 1\nevil{a=\"b"} 1"#,
                #"forkless_h{name="\\"} 1"#, #"forkless_h{name="\\x1b[2J"} 1"#, #"forkless_h{name="x\\x0d\ny"} 1"#,
                #"forkless_h{name="a\\x00b"} 1"#, #"forkless_h{name="\\u{202e}gpj"} 1"#, #"forkless_h{name="é日本"} 1"#,
            ])
    }
}

@Suite struct LabelTextTests {
    @Test func `a long value is cut, marked, and stays itself`() {
        let long = String(repeating: "ä", count: 4000)
        let shown = LabelText.shown(long)
        #expect(shown.utf8.count <= LabelText.limit)
        #expect(shown.hasPrefix("ääää"))
        #expect(shown.contains("…#"))
        #expect(LabelText.shown(long) == shown)
        #expect(LabelText.shown(long + "x") != shown)
        #expect(LabelText.shown(String(repeating: "a", count: LabelText.limit)).utf8.allSatisfy { $0 == UInt8(ascii: "a") })
    }

    @Test func `what a terminal would obey is shown and not sent`() {
        let shown = LabelText.shown("\u{1b}]0;x\u{7}\u{9b}31m\u{7f}\t\u{2066}\u{200b}")
        #expect(shown == #"\x1b]0;x\x07\x9b31m\x7f\x09\u{2066}\u{200b}"#)
        // A feed of lines is escaped by the format itself.
        #expect(LabelText.shown("a\nb") == "a\nb")
    }
}

@Suite struct MetricGatheringTests {
    private func family(_ name: String, _ values: [String], of label: String = "a") -> MetricFamily {
        MetricFamily(name, .gauge, help: "G.", values.map { MetricSample([MetricLabel(label, $0)], .number(1)) })
    }

    private func leftOut(_ families: [MetricFamily]) -> [String: Double] {
        var result: [String: Double] = [:]
        for sample in families.first(where: { $0.name == MetricGathering.leftOutName })?.samples ?? [] {
            if case .number(let number) = sample.value { result[sample.labels[0].value] = number }
        }
        return result
    }

    @Test func `series beyond the bound are left out and counted`() {
        let gathered = MetricGathering.gathered(
            [family("forkless_many", (0..<50).map { "w\($0)" }), family("forkless_few", ["x"])], limit: 20)
        #expect(gathered.first { $0.name == "forkless_many" }?.samples.count == 20)
        #expect(gathered.first { $0.name == "forkless_many" }?.samples.last?.labels[0].value == "w19")
        #expect(leftOut(gathered) == ["forkless_many": 30])
    }

    @Test func `values that look alike when shown make one series`() {
        let gathered = MetricGathering.gathered([family("forkless_a", ["\u{1b}", "\\x1b", "b"])])
        #expect(gathered.first { $0.name == "forkless_a" }?.samples.count == 2)
        #expect(leftOut(gathered) == ["forkless_a": 1])
    }

    @Test func `what two sources have of one name is one family, and all are sorted`() {
        let gathered = MetricGathering.gathered([family("forkless_z", ["1"]), family("forkless_a", ["1"]), family("forkless_z", ["2"])])
        #expect(gathered.map(\.name) == ["forkless_a", MetricGathering.leftOutName, "forkless_z"])
        #expect(gathered.last?.samples.count == 2)
        #expect(leftOut(gathered).isEmpty)
    }
}

@Suite struct ScrapeFormatTests {
    @Test(arguments: [
        (nil, PrometheusText.Format.text), ("", .text), ("*/*", .text), ("text/plain", .text), ("application/json", .text),
        ("application/openmetrics-text", .openMetrics),
        ("application/openmetrics-text; version=1.0.0; charset=utf-8", .openMetrics),
        ("application/openmetrics-text;version=2.0.0", .text),
        ("application/openmetrics-text;q=0.5,text/plain", .text), ("application/openmetrics-text;q=0,text/plain;q=0", .text),
        // What Prometheus 2.42 sends.
        (
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            .openMetrics
        ),
    ])
    func `the format is the one that is asked for most`(accept: String?, format: PrometheusText.Format) {
        #expect(PrometheusText.Format(accept: accept) == format)
    }
}
