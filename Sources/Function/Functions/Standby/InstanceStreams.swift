package import Linux
internal import Synchronization

/// The caller's ends of an instance's standard streams. Each is taken once; what nobody took is closed with this.
///
/// Closing the input is how a program learns that its input is complete, so whoever takes it lets go of it in time.
package final class InstanceStreams: Sendable {
    private struct Ends: Sendable {
        var input: SharedFD?
        var output: SharedFD?
        var errors: SharedFD?
    }

    private let ends: Mutex<Ends>

    /// - Parameters:
    ///   - input: the end to write the program's standard input to.
    ///   - output: the end to read its standard output from.
    ///   - errors: the end to read its standard error from.
    package init(input: SharedFD, output: SharedFD, errors: SharedFD) {
        ends = Mutex(Ends(input: input, output: output, errors: errors))
    }

    package func takeInput() -> SharedFD { ends.withLock { $0.input.take() }! }
    package func takeOutput() -> SharedFD { ends.withLock { $0.output.take() }! }
    package func takeErrors() -> SharedFD { ends.withLock { $0.errors.take() }! }
}
