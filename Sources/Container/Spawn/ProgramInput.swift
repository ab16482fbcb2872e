import Linux
import Synchronization

/// The way to a program's standard input, when it is a pipe or a terminal.
public final class ProgramInput: Sendable {
    private let fd: Mutex<SharedFD?>
    private let isTerminal: Bool
    private let name: String

    /// What a terminal in its usual mode takes for the end of input at the start of a line: Control-D, termios(3).
    private static let endOfTransmission: UInt8 = 4

    init(_ fd: SharedFD, isTerminal: Bool, name: String) {
        self.fd = Mutex(fd)
        self.isTerminal = isTerminal
        self.name = name
    }

    /// Writes every byte, waiting whenever the program has not read enough. One task writes at a time.
    ///
    /// - Throws: `SpawnError`; EPIPE when the program has closed its input, ECANCELED when the task was cancelled
    ///   (some of the bytes may have been written), EBADF after `finish`. No signal is raised.
    public func write(_ bytes: [UInt8]) async throws(SpawnError) {
        guard let fd = fd.withLock({ $0 }) else {
            throw SpawnError(step: "write to the \(name)", code: .badDescriptor, advice: "It was finished before.")
        }
        var rest = bytes[...]
        while !rest.isEmpty {
            do {
                if let count = try Files.writeAvailable(rest, to: fd.raw) {
                    rest = rest.dropFirst(count)
                } else {
                    try await Readiness.shared.writable(fd.raw)
                }
            } catch {
                let advice = error.code == .brokenPipe ? "The program has ended or closed its input." : ""
                throw SpawnError(step: "write to the \(name)", code: error.code, advice: advice)
            }
        }
    }

    /// Writes text as UTF-8.
    public func write(_ text: String) async throws(SpawnError) { try await write(Array(text.utf8)) }

    /// Ends the input: the program reads its end. Writes that are under way come to their own end first.
    ///
    /// On a terminal this types Control-D, which means the end at the start of a line and in the terminal's usual
    /// mode only.
    public func finish() async throws(SpawnError) {
        if isTerminal { try await write([Self.endOfTransmission]) }
        fd.withLock { $0 = nil }
    }
}
