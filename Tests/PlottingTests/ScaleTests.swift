import TestKit
import Testing

@testable import Plotting

@Suite struct ScaleTests {
    @Test func `places are between the ends`() {
        let linear = PlotScale(.linear, from: 10, to: 20)
        #expect(linear.place(of: 10) == 0)
        #expect(linear.place(of: 15) == 0.5)
        #expect(linear.place(of: 25) == 1.5)
        let logarithmic = PlotScale(.logarithmic, from: 1, to: 1e6)
        #expect(abs((logarithmic.place(of: 1000) ?? 0) - 0.5) < 1e-12)
        #expect(logarithmic.place(of: 0) == nil)
        #expect(linear.place(of: .nan) == nil)
    }

    @Test func `each nine of a percentile takes the same room`() {
        let scale = PlotScale.percentile(samples: 10_000)
        let places = [0.0, 0.9, 0.99, 0.999, 0.9999].compactMap(scale.place)
        for (index, place) in places.enumerated() { #expect(abs(place - Double(index) / 4) < 1e-9) }
        #expect(scale.place(of: 1) == 1)
        #expect(scale.place(of: 1.1) == nil)
    }

    @Test func `places grow with values`() {
        var chance = SeededChance(seed: .random(in: .min ... .max))
        for kind in [PlotScale.Kind.linear, .logarithmic, .percentile] {
            for _ in 0..<200 {
                let ends = [
                    Double.random(in: 0.001...0.4, using: &chance), Double.random(in: 0.5...0.9999, using: &chance),
                ]
                let scale = PlotScale(kind, from: ends[0], to: ends[1])
                let values = (0..<8).map { _ in Double.random(in: 0...1, using: &chance) }.sorted()
                let places = values.compactMap(scale.place)
                #expect(places == places.sorted(), "\(chance)")
            }
        }
    }

    @Test(
        arguments: [
            [], [0], [5], [-3], [0, 0], [1, 2, 3], [.nan, .infinity, 4], [1e300, 1], [-1e300, 1e300], [1e-9, 1e12],
            [.greatestFiniteMagnitude, -.greatestFiniteMagnitude], [0.1, 0.1], [.leastNonzeroMagnitude],
        ] as [[Double]],
        [PlotQuantity.duration, .bytes, .rate, .count])
    func `any values make a scale`(_ values: [Double], _ quantity: PlotQuantity) {
        for scale in [
            PlotScale.linear(fitting: values, quantity), .linear(fitting: values, quantity, fromZero: false),
            .logarithmic(fitting: values, quantity),
        ] {
            #expect(scale.lower < scale.upper)
            #expect(scale.lower.isFinite && scale.upper.isFinite)
            #expect(scale.ticks(of: quantity, wanted: 5).count < 200)
        }
    }

    @Test func `a fitting scale contains its values and ends at round ones`() {
        let linear = PlotScale.linear(fitting: [3, 87], .count)
        #expect((linear.lower, linear.upper) == (0, 100))
        let logarithmic = PlotScale.logarithmic(fitting: [3200, 8_700_000], .duration)
        #expect((logarithmic.lower, logarithmic.upper) == (2000, 10_000_000))
        let bytes = PlotScale.linear(fitting: [3 * 1024 * 1024], .bytes)
        #expect(bytes.upper == 3 * 1024 * 1024)
    }
}

@Suite struct TickTests {
    private func labels(_ scale: PlotScale, _ quantity: PlotQuantity, _ wanted: Int = 5) -> [String] {
        scale.ticks(of: quantity, wanted: wanted).compactMap(\.label)
    }

    @Test func `linear ticks are round and share a unit`() {
        #expect(labels(PlotScale(.linear, from: 0, to: 100), .count) == ["0", "20", "40", "60", "80", "100"])
        #expect(
            labels(PlotScale(.linear, from: 0, to: 3e6), .duration, 6) == [
                "0", "0.5 ms", "1.0 ms", "1.5 ms", "2.0 ms", "2.5 ms", "3.0 ms",
            ])
        #expect(
            labels(PlotScale(.linear, from: 0, to: 4000), .rate, 4) == [
                "0", "1,000/s", "2,000/s", "3,000/s", "4,000/s",
            ])
        #expect(
            labels(PlotScale(.linear, from: 0, to: 0x1p22), .bytes, 4) == ["0", "1 MiB", "2 MiB", "3 MiB", "4 MiB"])
        #expect(labels(PlotScale(.linear, from: -2, to: 2), .count) == ["-2", "-1", "0", "1", "2"])
        #expect(labels(PlotScale(.linear, from: 0, to: 3e6), .count, 3) == ["0", "1 M", "2 M", "3 M"])
    }

    @Test func `logarithmic ticks stand at powers of ten, and between them where there is room`() {
        #expect(
            labels(PlotScale(.logarithmic, from: 1e3, to: 1e9), .duration, 8) == [
                "1 µs", "10 µs", "100 µs", "1 ms", "10 ms", "100 ms", "1 s",
            ])
        #expect(labels(PlotScale(.logarithmic, from: 1e6, to: 1e7), .duration, 5) == ["1 ms", "2 ms", "5 ms", "10 ms"])
        #expect(labels(PlotScale(.logarithmic, from: 2e6, to: 4e6), .duration, 8) == ["2 ms", "3 ms", "4 ms"])
        #expect(labels(PlotScale(.logarithmic, from: 1, to: 1e12), .duration, 4).count <= 5)
        let minor = PlotScale(.logarithmic, from: 1, to: 1000).ticks(of: .duration, wanted: 3).filter {
            $0.label == nil
        }
        #expect(minor.count == 24)
        #expect(
            labels(PlotScale(.logarithmic, from: 0x1p20, to: 0x1p30), .bytes, 5) == [
                "1 MiB", "4 MiB", "16 MiB", "64 MiB", "256 MiB", "1 GiB",
            ])
    }

    @Test func `percentiles have ticks at their nines`() {
        #expect(
            labels(.percentile(samples: 100_000), .percentile) == [
                "0 %", "50 %", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %",
            ])
        #expect(labels(.percentile(samples: 20), .percentile) == ["0 %", "50 %", "90 %"])
    }

    @Test func `times have ticks at what divides a day`() {
        let morning = 1_700_000_000.0  // 2023-11-14 22:13:20 UTC
        #expect(labels(.clock(from: morning, to: morning + 3600), .clock, 4) == ["22:15", "22:30", "22:45", "23:00"])
        #expect(labels(.clock(from: morning, to: morning + 86_400), .clock, 4) == ["00:00", "06:00", "12:00", "18:00"])
        #expect(labels(.clock(from: morning, to: morning + 3 * 86_400), .clock, 3) == ["11-15", "11-16", "11-17"])
        #expect(
            labels(.clock(from: morning, to: morning + 30), .clock, 3) == [
                "22:13:20", "22:13:30", "22:13:40", "22:13:50",
            ])
    }

    @Test(arguments: [(0, 1, 1), (59, 3, 1), (11_016, 2, 29), (-1, 12, 31), (20_787, 11, 30)])
    func `days have the date of the calendar`(_ days: Int, _ month: Int, _ day: Int) {
        #expect(ClockText.monthAndDay(days) == (month, day))
    }

    @Test func `labels keep a distance`() {
        let ticks = (0..<5).map { PlotTick(Double($0), "label") }
        let kept = ticks.thinned(gap: 4) { (center: $0.value * 10, width: 14) }
        #expect(kept.map { $0.label != nil } == [true, false, true, false, true])
        #expect(kept.count == 5)
    }

    @Test func `numbers are written without a locale`() {
        #expect(DecimalText.fixed(1_234_567.891, decimals: 2) == "1,234,567.89")
        #expect(DecimalText.fixed(-0.001, decimals: 1) == "0.0")
        #expect(["0", "12.5", "-0.5", "-3", "100"] == [0.04, 12.46, -0.5, -3.04, 99.96].map(DecimalText.coordinate))
        #expect([0, 1, 2, 0].map { $0 } == [20, 2.5, 0.25, 1000].map(PlotQuantity.decimals))
    }
}
