/// Chance that is the same for the same seed: SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
/// Generators", 2014). For schedules, samples and tests, never for secrets.
package struct SplitMix: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= Self.step
        return Self.mixed(state)
    }

    /// From 0 up to, not including, 1.
    package mutating func fraction() -> Double { Double(next() >> 11) / 9_007_199_254_740_992 }

    /// How far the state goes with each number: the golden ratio's odd fraction of 2^64.
    package static let step: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// The finisher: neighbouring values become ones that have nothing in common.
    package static func mixed(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
