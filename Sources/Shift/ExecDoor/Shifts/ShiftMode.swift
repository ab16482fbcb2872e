internal import Chance

/// What a shift does with the calls of its program.
package enum ShiftMode: String, Hashable, Sendable, CaseIterable {
    /// The original runs and is measured.
    case measure
    /// Both run; the original answers, and the two are compared.
    case shadow
    /// The target answers so many calls of a hundred.
    case canary
    /// The target answers.
    case full
}

/// A mode with its share: where a shift stands.
package struct ShiftStage: Hashable, Sendable, CustomStringConvertible {
    package var mode: ShiftMode
    /// Of a hundred calls, those that the target answers: 0, 1...99 for a canary, 100.
    package var percent: Int

    /// nil: a canary without a share, or another mode with one that is not its own.
    package init?(_ mode: ShiftMode, percent: Int?) {
        switch mode {
        case .measure, .shadow:
            guard percent == nil || percent == 0 else { return nil }
            self.percent = 0
        case .canary:
            guard let percent, (1...99).contains(percent) else { return nil }
            self.percent = percent
        case .full:
            guard percent == nil || percent == 100 else { return nil }
            self.percent = 100
        }
        self.mode = mode
    }

    package static let measure = ShiftStage(.measure, percent: nil)!
    package static let shadow = ShiftStage(.shadow, percent: nil)!
    package static let full = ShiftStage(.full, percent: nil)!

    /// "canary 10 %", "full"
    package var description: String { mode == .canary ? "canary \(percent) %" : mode.rawValue }
}

/// Which calls of a hundred are chosen: exactly so many of each hundred, at places that chance has drawn.
///
/// A counter alone would choose every tenth call, and callers repeat themselves, too: one that makes ten different calls in
/// turn would have one of them answered by the target and never the others.
package struct PercentSpread: Hashable, Sendable {
    package var seed: UInt64

    package init(seed: UInt64) { self.seed = seed }

    /// Whether call number `number`, from 0, is one of the `percent` of its hundred.
    package func isChosen(_ number: Int, percent: Int) -> Bool {
        if percent <= 0 { return false }
        if percent >= 100 { return true }
        let chance = SplitMix.mixed(seed &+ UInt64(truncatingIfNeeded: number / 100) &* SplitMix.step)
        // k -> (a k + c) mod 100 takes each place once where a has no divisor in common with 100.
        let factor = Self.units[Int(chance % UInt64(Self.units.count))]
        let shift = Int(chance >> 32) % 100
        return (factor * (number % 100) + shift) % 100 < percent
    }

    private static let units = (1..<100).filter { $0 % 2 != 0 && $0 % 5 != 0 }
}
