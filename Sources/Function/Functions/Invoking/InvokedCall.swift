internal import HTTPServing
internal import Lambda
internal import Linux
internal import Metering

/// A call on its way through the invoker.
final class InvokedCall {
    let id: CallID
    let call: FunctionCall
    let done: @Sendable (InvocationOutcome) -> Void
    /// On the monotonic clock.
    let arrivedAt: Instant
    var deadline: Instant?
    var key: String?
    var order: FunctionKey?
    /// Computed before the call runs when it has a key, else after it.
    var payloadDigest: String?
    var tap: StreamTap?
    /// Ends its waiting.
    var timer: ScheduledWork?
    /// The book of keys has marked its key for it.
    var holdsKey = false
    /// Its order's turn is its own.
    var hasTurn = false
    var isWaiting = false

    init(
        _ id: CallID, _ call: FunctionCall, arrivedAt: Instant, _ done: @escaping @Sendable (InvocationOutcome) -> Void
    ) {
        self.id = id
        self.call = call
        self.done = done
        self.arrivedAt = arrivedAt
    }

    var name: String { call.function.name }

    /// What the book of keys is asked with.
    func claim(now: Timestamp) -> KeyClaim {
        KeyClaim(
            function: name, key: key!, payloadDigest: payloadDigest!, requestID: call.requestID,
            now: now, expirySeconds: call.function.settings.keyExpirySeconds)
    }
}
