/// What a listener puts up with.
package struct HTTPLimits: Hashable, Sendable {
    /// Longest head: bytes of the target, and of all names and values of header fields together.
    package var headBytes = 64 << 10
    package var fieldCount = 128
    /// From a connection's begin or the end of an answer until the next head is complete; nil: for ever. A request whose
    /// answer is awaited is never timed out.
    package var headTimeout: Duration? = .seconds(75)
    /// Between two parts of a body that is wanted whole; nil: for ever.
    package var bodyTimeout: Duration? = .seconds(60)
    /// Of requests that have come behind one whose answer is awaited, bytes: more are not read until it is given.
    package var waitingBytes = 1 << 20
    /// Of an answer that the client does not take, bytes. A sender that goes on beyond breaks the connection.
    package var unsentBytes = 32 << 20
    /// Of a body that nobody wants since the answer was given before it was complete, bytes: so much is read for the sake
    /// of clients that look at the answer only when all is sent.
    package var unwantedBytes = 128 << 20
    /// Open at once, on each loop: further ones are closed at once.
    package var connections = 8192

    package init() {}

    /// Without time-outs: for a client that is known and keeps a connection while it works.
    package static var patient: HTTPLimits {
        var limits = HTTPLimits()
        limits.headTimeout = nil
        limits.bodyTimeout = nil
        return limits
    }
}
