package import Linux

/// Why an archive could not be read, unpacked or written: what was tried, on which entry, why, and what to do.
package struct ArchiveFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure it is, for callers that act on it.
    package enum Reason: Hashable, Sendable {
        /// The bytes are no archive, or one that ends early or contradicts itself.
        case damaged
        /// A well-formed archive asks for something that is never done: a name that leads out, a device.
        case refused
        /// A limit was reached: too many bytes, entries, too deep.
        case tooLarge
        /// The kernel said no while reading the source or writing the target.
        case system(SystemError)
        /// The caller's task was cancelled.
        case cancelled
    }

    package var reason: Reason
    /// The entry's name as the archive has it, shortened; empty when it is about the archive as a whole.
    package var entry: String
    /// The rest of the sentence: why, and what to do.
    package var sentence: String

    package init(_ reason: Reason, entry: String = "", _ sentence: String) {
        self.reason = reason
        // A hostile name must not fill a log; the end is what tells names apart.
        self.entry = entry.utf8.count <= 200 ? entry : "..." + entry.suffix(160)
        self.sentence = sentence
    }

    package init(_ error: SystemError, entry: String = "") {
        self.init(.system(error), entry: entry, error.description)
    }

    package var description: String {
        entry.isEmpty ? "archive: \(sentence)" : "archive entry \(String(reflecting: entry)): \(sentence)"
    }
}

/// Runs a call of the kernel for one entry.
func forEntry<Value: ~Copyable>(
    _ entry: String, _ body: () throws(SystemError) -> Value
) throws(ArchiveFailure) -> Value {
    do throws(SystemError) { return try body() } catch { throw ArchiveFailure(error, entry: entry) }
}
