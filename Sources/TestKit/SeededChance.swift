internal import Chance

/// Chance that can be repeated.
///
/// A test that uses chance says its seed when it fails (`#expect(..., "\(chance)")`), and the same seed brings
/// the same failure back.
package struct SeededChance: RandomNumberGenerator, Sendable, CustomStringConvertible {
    /// What the sequence follows from.
    package let seed: UInt64
    private var chance: SplitMix

    package init(seed: UInt64) {
        self.seed = seed
        chance = SplitMix(seed: seed)
    }

    package mutating func next() -> UInt64 { chance.next() }

    package var description: String { "seed \(seed)" }
}
