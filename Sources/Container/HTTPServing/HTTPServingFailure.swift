/// Why something cannot be served, or why a call of a server failed.
package struct HTTPServingFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// The address is somebody else's: another program listens there.
        case addressInUse
        /// The address cannot be listened at, or is none.
        case address
        /// Nobody answers at the address.
        case unreachable
        /// The connection broke, or what came was no HTTP.
        case broken
        /// The answer is longer than the caller allowed.
        case tooLong
        case timedOut
    }

    package var kind: Kind
    /// What was tried, on what, why it failed and what to do.
    package var sentence: String

    package init(_ kind: Kind, _ sentence: String) {
        self.kind = kind
        self.sentence = sentence
    }

    package var description: String { sentence }
}
