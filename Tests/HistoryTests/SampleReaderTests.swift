import Metrics
import Testing

@testable import History

@Suite struct SampleReaderTests {
    private let second = 1_000_000_000

    private func counter(_ name: String, _ value: Double) -> MetricFamily {
        MetricFamily(name, .counter, help: "", [MetricSample([MetricLabel("a", "b")], .number(value))])
    }

    private func histogram(_ counts: [UInt64]) -> MetricFamily {
        var seen: UInt64 = 0
        let buckets = zip([0.1, 0.2, 0.4], counts).map { bound, count in
            seen += count
            return MetricHistogram.Bucket(upTo: bound, seen)
        }
        let value = MetricHistogram(buckets: buckets, sum: 0, count: counts.reduce(0, +))
        return MetricFamily("forkless_d_seconds", .histogram, help: "", [MetricSample([], .histogram(value))])
    }

    @Test func `a gauge is what it is, and times of day and versions are left out`() {
        var reader = SampleReader()
        let families: [MetricFamily] = [
            .gauge("forkless_x", "", 3.5), .gauge("process_start_time_seconds", "", 1), .gauge("forkless_build_info", "", 1),
        ]
        let taken = reader.take(families, at: 0)
        #expect(taken.map(\.key) == [SeriesKey("forkless_x")])
        #expect(taken[0].point == SlotPoint(3.5))
    }

    @Test func `a counter is a rate`() {
        var reader = SampleReader()
        #expect(reader.take([counter("c_total", 100)], at: 0).isEmpty)
        #expect(reader.take([counter("c_total", 130)], at: 2 * second).first?.point == SlotPoint(15))
        #expect(reader.take([counter("c_total", 130)], at: 3 * second).first?.point == SlotPoint(0))
    }

    @Test func `a counter that begins anew counts from nothing`() {
        var reader = SampleReader()
        _ = reader.take([counter("c_total", 100)], at: 0)
        #expect(reader.take([counter("c_total", 7)], at: second).first?.point == SlotPoint(7))
    }

    @Test func `what appears later began at nothing`() {
        var reader = SampleReader()
        _ = reader.take([counter("a_total", 100)], at: 0)
        let taken = reader.take([counter("a_total", 100), counter("b_total", 1)], at: second)
        #expect(taken.first { $0.key.name == "b_total" }?.point == SlotPoint(1))
    }

    @Test func `what is older than the node did not begin at nothing when it appears`() {
        var reader = SampleReader()
        _ = reader.take([counter("a_total", 100)], at: 0)
        #expect(reader.take([counter("b_total", 5000).outlivingNode()], at: second).isEmpty)
        #expect(reader.take([counter("b_total", 5006).outlivingNode()], at: 3 * second).first?.point == SlotPoint(3))
        // Another one took its place: that one began at nothing.
        #expect(reader.take([counter("b_total", 8).outlivingNode()], at: 4 * second).first?.point == SlotPoint(8))
    }

    @Test func `a histogram is a rate and the quantiles of what came since`() {
        var reader = SampleReader()
        #expect(reader.take([histogram([1000, 0, 0, 0])], at: 0).isEmpty)
        let taken = reader.take([histogram([1000, 90, 8, 2])], at: second)
        #expect(taken.map(\.key.name) == ["forkless_d_seconds_count"] + Array(repeating: "forkless_d_seconds", count: 3))
        #expect(taken[0].point == SlotPoint(100))
        #expect(taken.map(\.key.labels).dropFirst().map { $0[0].value } == ["0.5", "0.95", "0.99"])
        // 50 of the 90 between 0.1 and 0.2; 5 of the 8 between 0.2 and 0.4; the last bound for what is beyond.
        #expect(abs(taken[1].point.mean - (0.1 + 0.1 * 50 / 90)) < 1e-6)
        #expect(abs(taken[2].point.mean - (0.2 + 0.2 * 5 / 8)) < 1e-6)
        #expect(abs(taken[3].point.mean - 0.4) < 1e-6)
        #expect(taken[1].point.weight == 100)
        // A second without calls has no quantiles.
        #expect(reader.take([histogram([1000, 90, 8, 2])], at: 2 * second).map(\.key.name) == ["forkless_d_seconds_count"])
    }

    @Test func `series beyond the bound are left out, and come in when others have gone`() {
        var reader = SampleReader(limit: 10)
        func gauges(_ range: Range<Int>) -> [MetricFamily] {
            [MetricFamily("g", .gauge, help: "", range.map { MetricSample([MetricLabel("n", "\($0)")], .number(1)) })]
        }
        #expect(reader.take(gauges(0..<10), at: 0).count == 10)
        #expect(reader.take(gauges(0..<15), at: second).count == 10)
        #expect(reader.leftOut == 5)
        #expect(reader.take(gauges(10..<15), at: 700 * second).count == 0)
        #expect(reader.take(gauges(10..<15), at: 701 * second).count == 5)
        #expect(reader.leftOut == 0)
    }

    @Test func `numbers that are none are no measurements`() {
        var reader = SampleReader()
        #expect(reader.take([.gauge("g", "", Double.nan), .gauge("h", "", Double.infinity)], at: 0).isEmpty)
    }
}

@Suite struct ClockWatchTests {
    @Test func `a clock that jumps throws nothing away`() {
        var watch = ClockWatch()
        for second in 0...ClockWatch.patience { watch.look(wall: 1000 + second, monotonic: second) }
        #expect(watch.isSteady)
        watch.look(wall: 9_999_999, monotonic: ClockWatch.patience + 1)
        #expect(!watch.isSteady)
        for second in 0..<ClockWatch.patience { watch.look(wall: 1700 + second, monotonic: ClockWatch.patience + 2 + second) }
        #expect(!watch.isSteady)
        watch.look(wall: 1700 + ClockWatch.patience, monotonic: 2 * ClockWatch.patience + 2)
        #expect(watch.isSteady)
    }
}
