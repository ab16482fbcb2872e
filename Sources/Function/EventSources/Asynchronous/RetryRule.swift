package import Functions
package import Lambda
package import Linux

/// What becomes of an asynchronous event after an attempt. Pure.
///
/// Invariants
/// 1. Only errors of the function use up attempts; throttles and failures of the system are tried for the whole age.
///    (test: `throttles and system errors use up no attempts`)
/// 2. No wait reaches beyond the event's age: what could only be tried too late fails at once.
///    (test: `an event whose next attempt would come too late fails for its age`)
package struct RetryRule: Hashable, Sendable {
    /// Before the first retry, the second, and all others, which only a mapping can ask for.
    static let waits: [Duration] = [.seconds(60), .seconds(120), .seconds(300)]
    static let shortestBackOff = Duration.seconds(1)
    static let longestBackOff = Duration.seconds(300)

    /// Shortens or lengthens all waits: tests and impatient nodes.
    package var waitScale = 1.0

    package init(waitScale: Double = 1) { self.waitScale = waitScale }

    /// What a destination is told about an event that has failed.
    package enum Condition: String, Hashable, Sendable {
        case retriesExhausted = "RetriesExhausted"
        case eventAgeExceeded = "EventAgeExceeded"
    }

    package enum Verdict: Hashable, Sendable {
        case succeeded
        /// The function has failed: again after the wait.
        case retry(after: Duration)
        /// It could not be run: again after the wait. `isThrottle`: no event of the function has a better chance now.
        case postpone(after: Duration, isThrottle: Bool)
        case failed(Condition)
    }

    /// - Parameters:
    ///   - functionErrors: how often the function has answered with an error, this attempt included.
    ///   - refusals: how often in a row it could not be run, this attempt included.
    package func verdict(
        _ outcome: InvocationOutcome, functionErrors: Int, refusals: Int, acceptedAt: Timestamp, now: Timestamp,
        settings: EventInvokeSettings
    ) -> Verdict {
        switch outcome {
        case .answered(let answer) where answer.functionError == nil: return .succeeded
        case .answered:
            guard functionErrors <= settings.maximumRetries else { return .failed(.retriesExhausted) }
            let wait = scaled(Self.waits[min(functionErrors, Self.waits.count) - 1])
            return isTooLate(acceptedAt, now + wait, settings) ? .failed(.eventAgeExceeded) : .retry(after: wait)
        case .failed(let failure):
            let isThrottle = failure.status == 429
            // What the client did wrong will be wrong again.
            guard isThrottle || failure.status >= 500 else { return .failed(.retriesExhausted) }
            let wait = backOff(refusals)
            return isTooLate(acceptedAt, now + wait, settings)
                ? .failed(.eventAgeExceeded) : .postpone(after: wait, isThrottle: isThrottle)
        }
    }

    /// Whether an event may no longer be tried.
    package func isTooLate(_ acceptedAt: Timestamp, _ now: Timestamp, _ settings: EventInvokeSettings) -> Bool {
        now - acceptedAt > .seconds(settings.maximumAgeSeconds)
    }

    /// 1 s, 2 s, 4 s ... 5 min.
    package func backOff(_ refusals: Int) -> Duration {
        let doublings = min(max(refusals, 1) - 1, 9)
        return scaled(min(Self.shortestBackOff * (1 << doublings), Self.longestBackOff))
    }

    private func scaled(_ wait: Duration) -> Duration { wait * waitScale }
}
