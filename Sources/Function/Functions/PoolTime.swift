internal import Linux

/// A reading of a monotonic clock. Reducers get it with every event, so that tests own the time.
package struct Instant: Hashable, Comparable, Sendable {
    /// Nanoseconds since a beginning that has no meaning.
    package var nanoseconds: Int

    package init(nanoseconds: Int) { self.nanoseconds = nanoseconds }

    package static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }

    package static func + (instant: Instant, span: Duration) -> Instant {
        Instant(nanoseconds: instant.nanoseconds + span.wholeNanoseconds)
    }

    /// How long after `earlier` this is.
    package static func - (instant: Instant, earlier: Instant) -> Duration {
        .nanoseconds(instant.nanoseconds - earlier.nanoseconds)
    }
}

extension Duration {
    /// The span in nanoseconds; what is finer is cut off.
    package var wholeNanoseconds: Int {
        let (seconds, attoseconds) = components
        return Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
    }
}

/// What a worker reads and waits by.
package protocol PoolClock: Sendable {
    var now: Instant { get }
    /// Returns at or after `deadline`; throws when the task is cancelled.
    func sleep(until deadline: Instant) async throws(CancellationError)
}

/// The machine's CLOCK_MONOTONIC, clock_gettime(2).
package struct MachineClock: PoolClock {
    package init() {}

    package var now: Instant { Instant(nanoseconds: Clock.monotonicNanoseconds()) }

    package func sleep(until deadline: Instant) async throws(CancellationError) {
        // Loops because the sleep is measured by another clock than ours and may end a little early.
        while true {
            let left = deadline - now
            guard left > .zero else { return }
            do { try await Task.sleep(for: left) } catch { throw CancellationError() }
        }
    }
}
