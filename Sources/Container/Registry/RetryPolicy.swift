/// When a failed exchange is tried again, and after which pause.
///
/// Invariants
/// 1. Only what can pass by itself is tried again: what the registry denies, or lies about, is an error at once.
///    (test: `what cannot pass by itself is not tried again`)
/// 2. Pauses grow, are spread by chance, and are never longer than `longestPause`, whatever the registry asks for.
///    (test: `pauses grow, are spread and are bounded`)
package struct RetryPolicy: Hashable, Sendable {
    /// Tries that bring nothing, in a row.
    package var attempts: Int
    package var firstPause: Duration
    package var longestPause: Duration

    package init(attempts: Int = 5, firstPause: Duration = .milliseconds(300), longestPause: Duration = .seconds(30)) {
        precondition(attempts >= 1, "at least one try")
        self.attempts = attempts
        self.firstPause = firstPause
        self.longestPause = longestPause
    }

    /// The pause before the next try; nil: there is none.
    ///
    /// - Parameters:
    ///   - failed: how many tries in a row have failed, this one included.
    ///   - chance: from 0 to 1. Clients that failed together should not come back together.
    package func pause(after failure: RegistryFailure, failed: Int, chance: Double) -> Duration? {
        guard failed < attempts else { return nil }
        switch failure.kind {
        case .unreachable, .stalled, .busy: break
        case .badRequest, .notFound, .denied, .untrustworthy, .unsupported, .storage, .cancelled: return nil
        }
        // More than 2^20 first pauses is beyond every longest pause, and would overflow later.
        let grown = min(firstPause * (1 << min(failed - 1, 20)), longestPause)
        // Half of it for sure, the other half by chance ("equal jitter").
        let spread = grown / 2 + (grown / 2) * min(max(chance, 0), 1)
        return min(max(spread, failure.retryAfter ?? .zero), longestPause)
    }
}

/// The world as far as waiting goes: time and chance, so that tests wait for nothing.
package struct Waiting: Sendable {
    package var sleep: @Sendable (Duration) async throws -> Void
    package var chance: @Sendable () -> Double

    package init(sleep: @escaping @Sendable (Duration) async throws -> Void, chance: @escaping @Sendable () -> Double) {
        self.sleep = sleep
        self.chance = chance
    }

    /// The clock and the chance of this machine.
    package static let real = Waiting(
        sleep: { try await Task.sleep(for: $0) }, chance: { Double.random(in: 0...1) })
}
