import Comparison
import JSON
import Testing

/// Against the behaviour that HdrHistogram publishes: its documentation and its own tests of the same names.
@Suite struct LatencyHistogramTests {
    /// HistogramDataAccessTest: 10,000 values of 1,000 and one of 100,000,000.
    private var published: LatencyHistogram {
        var histogram = LatencyHistogram()
        histogram.record(1000, times: 10_000)
        histogram.record(100_000_000)
        return histogram
    }

    @Test func `percentiles are those of the published test`() {
        let histogram = published
        #expect(histogram.count == 10_001)
        for percentile in [0, 30, 99, 99.99] { #expect(histogram.value(atPercentile: percentile) == 1000) }
        for percentile in [99.999, 100] { #expect(histogram.value(atPercentile: percentile) == 100_000_000) }
        #expect(abs(histogram.mean - (1000.0 * 10_000 + 100_000_000) / 10_001) < 0.001)
        #expect(histogram.minimum == 1000 && histogram.maximum == 100_000_000)
    }

    @Test func `values up to 2,047 have a bucket of their own, then the width doubles`() {
        let histogram = LatencyHistogram([2046, 2047, 2048, 2049, 4096, 4099, 4100, 10_007, 100_000_000])
        // sizeOfEquivalentValueRange of the published test: 1 up to 2,047, 2 up to 4,095, 4 up to 8,191, 8 at 10,007.
        #expect(histogram.steps.map(\.nanoseconds) == [2046, 2047, 2049, 4099, 4103, 10_007, 100_000_000])
        #expect(histogram.steps.map(\.count) == [1, 1, 2, 2, 1, 1, 1])
    }

    @Test func `percentiles are within a thousandth of those of the sorted samples`() {
        var state = UInt64(7)
        var samples: [Int] = []
        for _ in 0..<20_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            samples.append(Int(state >> 33) >> Int(state >> 59))
        }
        let histogram = LatencyHistogram(samples)
        let sorted = samples.sorted()
        for percentile in [0.1, 10, 25, 50, 90, 99, 99.9, 99.99, 100] {
            let rank = max(1, Int((percentile.nextDown / 100 * 20_000).rounded(.up)))
            let exact = Double(sorted[rank - 1])
            #expect(abs(Double(histogram.value(atPercentile: percentile)) - exact) <= exact / 1000 + 0.001)
        }
        #expect(histogram.minimum == sorted[0] && histogram.maximum == sorted[19_999])
    }

    @Test func `adding is recording in one`() {
        let one = LatencyHistogram([5, 700_000, 9])
        var two = LatencyHistogram([3_000_000_000, 1])
        two.add(one)
        two.add(LatencyHistogram())
        #expect(two == LatencyHistogram([1, 5, 9, 700_000, 3_000_000_000]))
        #expect(LatencyHistogram() != LatencyHistogram([0]))
    }

    @Test func `what no duration is counts as the nearest one`() {
        let histogram = LatencyHistogram([-5, Int.max])
        #expect(histogram.minimum == 0 && histogram.maximum == LatencyHistogram.longest)
    }

    @Test func `a curve goes from the least to the most, finer towards the end`() {
        let curve = LatencyHistogram(1...10_000).percentileCurve(ticksPerHalfDistance: 5)
        #expect(curve.first?.percentile == 0 && curve.last?.percentile == 100)
        #expect(curve.first?.nanoseconds == 1 && curve.last?.nanoseconds == 10_000)
        #expect(
            zip(curve, curve.dropFirst()).allSatisfy {
                $0.percentile < $1.percentile && $0.nanoseconds <= $1.nanoseconds
            })
        #expect(curve.filter { $0.percentile < 50 }.count == 5)
        #expect(curve.contains { $0.percentile > 99.9 && $0.percentile < 100 })
        #expect(LatencyHistogram().percentileCurve() == [])
    }

    @Test func `JSON keeps everything, and refuses what contradicts itself`() throws {
        let json = published.json
        #expect(
            try LatencyHistogram(report: JSONParser.parse(Array(JSONWriter.text(json).utf8)), path: "") == published)
        #expect(try LatencyHistogram(report: LatencyHistogram().json, path: "") == LatencyHistogram())
        var object = try #require(JSONObject(json: json))
        object["count"] = 3
        #expect(throws: JSONShapeError.self) { try LatencyHistogram(report: .object(object), path: "") }
        object = try #require(JSONObject(json: json))
        object["buckets"] = [[1000, -1]]
        #expect(throws: JSONShapeError.self) { try LatencyHistogram(report: .object(object), path: "") }
    }
}
