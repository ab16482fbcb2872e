package import Linux

/// The time of day, by which events are durable: a wait that is kept in the database ends when it was to end, whatever
/// happened to the node in between. Tests own it.
package protocol EventClock: Sendable {
    var now: Timestamp { get }
    /// Runs `work` once, at that time or after it, on any thread; never inside this call.
    func at(_ time: Timestamp, _ work: @escaping @Sendable () -> Void)
}

/// The machine's clock of the day, CLOCK_REALTIME.
package struct DayClock: EventClock {
    /// A clock that is set forward is noticed within this span, and what is due by then is done.
    static let longestSleep = Duration.seconds(10)

    package init() {}

    package var now: Timestamp { Clock.now() }

    package func at(_ time: Timestamp, _ work: @escaping @Sendable () -> Void) {
        Task {
            while true {
                let left = time - Clock.now()
                guard left > .zero else { return work() }
                try? await Task.sleep(for: min(left, Self.longestSleep))
            }
        }
    }
}

extension Timestamp {
    /// How long after `earlier` this is.
    package static func - (time: Timestamp, earlier: Timestamp) -> Duration {
        .nanoseconds(time.nanoseconds - earlier.nanoseconds)
    }

    package static func + (time: Timestamp, span: Duration) -> Timestamp {
        let (seconds, attoseconds) = span.components
        return Timestamp(
            nanoseconds: time.nanoseconds + Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000))
    }

    /// Milliseconds since 1970, cut off.
    package var milliseconds: Int { nanoseconds / 1_000_000 }

    /// RFC 3339 with milliseconds: "2026-11-23T06:47:29.123Z".
    var millisecondText: String { String(decoding: utf8.prefix(23), as: UTF8.self) + "Z" }

    /// RFC 3339 with whole seconds: "2026-11-23T06:47:29Z".
    var secondText: String { String(decoding: utf8.prefix(19), as: UTF8.self) + "Z" }
}
