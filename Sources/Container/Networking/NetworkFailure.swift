package import Linux

/// Why something about networks was refused or failed, in a sentence for the user. Nothing was changed by it.
package struct NetworkFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of answer a caller gives.
    package enum Kind: Hashable, Sendable {
        /// The request itself is wrong.
        case invalid
        case notFound
        /// It contradicts what is there: a name, a subnet, a port that somebody has.
        case conflict
        /// The machine refused.
        case system
    }

    package var kind: Kind
    package var description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    package init(_ error: SystemError) { self.init(.system, "\(error)") }
}

/// Runs what the kernel does, with its error as a failure.
func orFailure<Value>(_ body: () throws(SystemError) -> Value) throws(NetworkFailure) -> Value {
    do throws(SystemError) { return try body() } catch { throw NetworkFailure(error) }
}
