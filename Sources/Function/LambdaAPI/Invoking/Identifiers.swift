internal import Linux
internal import Traces

/// Identifiers that are given to calls.
enum Identifiers {
    /// A UUID that begins with the time.
    ///
    /// The ledger's index of requests grows at its end then, where a random one would change a page for each call.
    static func requestID(at time: Timestamp, _ chance: inout some RandomNumberGenerator) -> String {
        RequestID.drawn(milliseconds: UInt64(max(time.nanoseconds, 0)) / 1_000_000, &chance)
    }
}
