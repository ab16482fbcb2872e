package import Linux
internal import Synchronization

/// The caller's ends of an instance's standard streams. Each is taken once; what nobody took is closed with this.
///
/// Closing the input is how a program learns that its input is complete, so whoever takes it has to close it.
package final class InstanceStreams: Sendable {
    private struct Ends: ~Copyable {
        var input: OwnedFD?
        var output: OwnedFD?
        var errors: OwnedFD?
    }

    private let ends: Mutex<Ends>

    /// - Parameters:
    ///   - input: the end to write the program's standard input to.
    ///   - output: the end to read its standard output from.
    ///   - errors: the end to read its standard error from.
    package init(input: consuming OwnedFD, output: consuming OwnedFD, errors: consuming OwnedFD) {
        ends = Mutex(Ends(input: input, output: output, errors: errors))
    }

    package func takeInput() -> OwnedFD { ends.withLock { $0.input.take() }! }
    package func takeOutput() -> OwnedFD { ends.withLock { $0.output.take() }! }
    package func takeErrors() -> OwnedFD { ends.withLock { $0.errors.take() }! }
}
