import Linux
import Synchronization

/// A terminal that is lent when the program has started and taken back at its end, whichever way that comes.
final class LentTerminal: Sendable {
    private let session = Mutex<TerminalSession?>(nil)

    /// - Parameters:
    ///   - keys: what leaves the program to itself.
    ///   - leave: called once when they were pressed.
    func lend(
        output: SharedFD, input: SharedFD?, keys: DetachKeys, leave: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        let started = try TerminalSession(output: output, input: input, keys: keys, leave: leave)
        session.withLock { $0 = started }
    }

    /// Shows the last of the output and restores the settings; nothing when it was never lent.
    func takeBack() async {
        await session.withLock { $0.take() }?.end()
    }
}
