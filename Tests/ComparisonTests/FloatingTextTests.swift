import Comparison
import Testing

@Suite struct FloatingTextTests {
    @Test(
        arguments: [
            (0, "0 ns"), (1, "1 ns"), (999, "999 ns"), (999.4, "999 ns"), (999.5, "1.0 µs"), (1000, "1.0 µs"),
            (1_349, "1.3 µs"), (1_350, "1.4 µs"), (9_949, "9.9 µs"), (9_950, "10 µs"), (412_000, "412 µs"),
            (999_499, "999 µs"), (999_500, "1.0 ms"), (1_300_000, "1.3 ms"), (287_000_000, "287 ms"),
            (999_500_000, "1.0 s"), (59_400_000_000, "59 s"), (59_500_000_000, "1 min 0 s"),
            (125_000_000_000, "2 min 5 s"), (3_599_600_000_000, "1 h 0 min"), (10_920_000_000_000, "3 h 2 min"),
            (-412_000, "-412 µs"), (.infinity, "inf"), (.nan, "nan"),
        ] as [(Double, String)])
    func `a duration has the unit that fits after rounding`(_ nanoseconds: Double, _ text: String) {
        #expect(FloatingText.duration(nanoseconds: nanoseconds) == text)
    }

    @Test(
        arguments: [
            (0, "0 B"), (1023, "1,023 B"), (1023.5, "1.0 KiB"), (1024, "1.0 KiB"), (1_468_006, "1.4 MiB"),
            (300_941_312, "287 MiB"), (1_048_051_712, "1,000 MiB"), (1_073_741_823, "1.0 GiB"),
            (2_147_483_648, "2.0 GiB"), (1.5e15, "1,364 TiB"), (-2048, "-2.0 KiB"),
        ] as [(Double, String)])
    func `an amount of memory has the unit that fits`(_ bytes: Double, _ text: String) {
        #expect(FloatingText.bytes(bytes) == text)
    }

    @Test(
        arguments: [
            (0, "×0"), (0.00001, "×<0.0001"), (0.0001, "×0.0001"), (0.00994, "×0.0099"), (0.00996, "×0.01"),
            (0.0344, "×0.034"), (0.0994, "×0.099"), (0.0996, "×0.1"), (0.14, "×0.14"), (0.8, "×0.8"),
            (0.84, "×0.84"), (0.949, "×0.95"), (0.95, "×1.0"), (1, "×1.0"), (1.26, "×1.3"), (9.94, "×9.9"),
            (9.96, "×10"), (1234.5, "×1,235"), (.infinity, "×inf"), (.nan, "×nan"), (-2, "×-2.0"),
        ] as [(Double, String)])
    func `a ratio has two digits that say something`(_ ratio: Double, _ text: String) {
        #expect(FloatingText.ratio(ratio) == text)
    }

    @Test(
        arguments: [
            (1.005, 2, "1.00"), (2.5, 0, "3"), (-2.5, 0, "-3"), (-0.04, 1, "0.0"), (0.05, 1, "0.1"),
            (1234567.891, 2, "1,234,567.89"), (-1000, 0, "-1,000"), (0.000000001, 9, "0.000000001"),
            (1e300, 1, "1e+300"), (-.infinity, 2, "-inf"),
        ] as [(Double, Int, String)])
    func `a number has the decimals asked for`(_ value: Double, _ decimals: Int, _ text: String) {
        #expect(FloatingText.fixed(value, decimals: decimals) == text)
    }

    @Test func `a rate is per second`() {
        #expect(FloatingText.rate(perSecond: 1234.2) == "1,234/s")
        #expect(FloatingText.rate(perSecond: 13.08) == "13/s")
        #expect(FloatingText.rate(perSecond: 0.52) == "0.5/s")
    }

    @Test func `the extremes of whole numbers are grouped, too`() {
        #expect(FloatingText.grouped(Int.min) == "-9,223,372,036,854,775,808")
        #expect(FloatingText.grouped(Int.max) == "9,223,372,036,854,775,807")
        #expect(FloatingText.grouped(999) == "999")
        #expect(FloatingText.grouped(-1000) == "-1,000")
    }
}
