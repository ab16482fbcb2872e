/// Why the node refused or failed a request: the "error" of a reply.
package struct NodeFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// What sort of failure it is: what a door turns into its own status, and a command into its exit status.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        /// The request itself is wrong; nothing was changed.
        case badRequest
        /// No container, function or file of that name.
        case notFound
        /// There is no such image here; it may be somewhere to be pulled from.
        case noImage
        /// A registry wants other credentials, or none would do.
        case denied
        /// The name is taken, or the container is not in a state for this.
        case conflict
        /// This node or this machine cannot do it.
        case unsupported
        /// The program is there but may not be executed.
        case notExecutable
        /// The node, or the keeper behind it, cannot be reached.
        case unavailable
        /// The kernel refused a step; the message names it.
        case system
        /// The caller took the request back, or went away.
        case cancelled
        /// The message was not as the protocol says.
        case protocolError
    }

    package var kind: Kind
    /// What was tried, on what, why it failed, what to do.
    package var message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { message }
}
