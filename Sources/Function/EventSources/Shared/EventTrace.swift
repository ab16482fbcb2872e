internal import Linux
internal import Traces

/// Traces of what comes by itself: schedules, files, messages, what destinations are told. Each event is a hop: in the trace that it
/// came with, else at the beginning of one.
enum EventTrace {
    /// `X-Amzn-Trace-Id` of a new hop.
    ///
    /// - Parameter amazon: the field that came with the event; nil or invalid: none.
    static func hop(after amazon: String?, at time: Timestamp) -> String {
        hop(TraceCarrier(amazon: amazon), time)
    }

    /// The same for a request, when it is part of a trace; nil: it is not.
    static func after(_ carrier: TraceCarrier) -> String? {
        guard carrier != TraceCarrier() else { return nil }
        let isValid = carrier.parent.map { TraceParent($0) != nil } ?? false || carrier.amazon.map { AmazonTrace($0) != nil } ?? false
        return isValid ? hop(carrier, Clock.now()) : nil
    }

    private static func hop(_ carrier: TraceCarrier, _ time: Timestamp) -> String {
        var chance = SystemRandomNumberGenerator()
        return TraceContext(after: carrier, seconds: max(time.nanoseconds, 0) / 1_000_000_000, &chance).amazon
    }
}
