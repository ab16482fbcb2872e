/// Why a registry could not be used: what was tried, on what, why it failed, what to do.
package struct RegistryFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// What sort of failure it is, which decides whether trying again can help.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        /// What was asked for makes no sense; nothing was sent.
        case badRequest
        /// No such repository, tag, manifest or blob.
        case notFound
        /// The registry wants other credentials, or none would do.
        case denied
        /// No connection, or it broke.
        case unreachable
        /// The connection stands and nothing comes.
        case stalled
        /// The registry is overloaded or broken for now (429, 5xx).
        case busy
        /// What the registry sent is not what was agreed on: digest, length, form.
        case untrustworthy
        /// The registry, or this client, cannot do it.
        case unsupported
        /// What arrived could not be kept, or what is to be sent could not be read.
        case storage
        /// The caller took it back.
        case cancelled
    }

    package var kind: Kind
    package var message: String
    /// How long the registry asks to wait before the next try (Retry-After, RFC 9110 section 10.2.3).
    package var retryAfter: Duration?

    package init(_ kind: Kind, _ message: String, retryAfter: Duration? = nil) {
        self.kind = kind
        self.message = message
        self.retryAfter = retryAfter
    }

    package var description: String { message }
}
