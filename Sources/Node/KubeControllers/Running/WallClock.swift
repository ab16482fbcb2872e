package import Linux

/// The time of day, and waiting for a moment of it.
package protocol WallClock: Sendable {
    var now: Timestamp { get }
    /// Returns at that moment, or a little later; at once when it has passed or the task is cancelled, and when the clock is set.
    func sleep(until moment: Timestamp) async
}

/// The machine's clock.
package struct SystemWallClock: WallClock {
    package init() {}

    package var now: Timestamp { Clock.now() }

    package func sleep(until moment: Timestamp) async {
        guard moment > now else { return }
        do throws(SystemError) { try await WallTimer.wait(until: moment) } catch {
            // Without a descriptor for a timer: as far as can be told now.
            guard !Task.isCancelled else { return }
            try? await Task.sleep(for: moment.since(now), clock: .continuous)
        }
    }
}

extension Timestamp {
    /// Later by a duration; the ends of what a timestamp can hold stay its bounds.
    package func adding(_ duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflow2) = Int(whole).addingReportingOverflow(Int(attoseconds / 1_000_000_000))
        let (moment, overflow3) = nanoseconds.addingReportingOverflow(sum)
        guard !overflow, !overflow2, !overflow3 else {
            return Timestamp(nanoseconds: seconds < 0 ? .min : .max)
        }
        return Timestamp(nanoseconds: moment)
    }

    package func adding(seconds: Int64) -> Timestamp { adding(.seconds(seconds)) }

    /// The duration from `earlier` to this.
    package func since(_ earlier: Timestamp) -> Duration {
        let (difference, overflow) = nanoseconds.subtractingReportingOverflow(earlier.nanoseconds)
        return .nanoseconds(overflow ? (nanoseconds < 0 ? Int.min : Int.max) : difference)
    }
}
