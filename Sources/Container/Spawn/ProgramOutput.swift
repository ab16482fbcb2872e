import Linux
import Synchronization

/// What a program writes, in chunks as they come.
///
/// Nothing is read before it is asked for: a program that writes faster than its reader reads fills the pipe
/// (64 KiB) and then waits, and this process's memory stays as it is.
///
/// The sequence ends when everybody who could write has closed: the program, and every process it left the stream
/// to. For the end of the program itself there is `RunningProgram.wait`. Iterators of one sequence share what
/// there is to read, each chunk goes to one of them.
public struct ProgramOutput: AsyncSequence, Sendable {
    /// The longest chunk, bytes: as much as a pipe holds.
    public static let chunkBytesLimit = 64 << 10

    public typealias Element = [UInt8]
    public typealias Failure = SpawnError

    /// The end to read from, until it is closed.
    private let source: Source
    private let isTerminal: Bool
    /// "standard output of /bin/ls"
    let name: String

    private final class Source: Sendable {
        let fd: Mutex<SharedFD?>
        init(_ fd: SharedFD) { self.fd = Mutex(fd) }
    }

    init(_ fd: SharedFD, isTerminal: Bool, name: String) {
        source = Source(fd)
        self.isTerminal = isTerminal
        self.name = name
    }

    /// Gives up reading: a program that goes on writing gets SIGPIPE, which ends it unless it minds, or EPIPE.
    /// A read that is under way comes to its own end first.
    public func close() { source.fd.withLock { $0 = nil } }

    public func makeAsyncIterator() -> Iterator { Iterator(output: self) }

    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let output: ProgramOutput
        private var room: [UInt8] = []

        fileprivate init(output: ProgramOutput) { self.output = output }

        public mutating func next() async throws(SpawnError) -> [UInt8]? { try await next(isolation: nil) }

        /// The next chunk; nil at the end.
        ///
        /// - Throws: `SpawnError`; ECANCELED when the task was cancelled, and then nothing is lost.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(SpawnError) -> [UInt8]? {
            while true {
                switch try readNow() {
                case .bytes(let bytes): return bytes
                case .end: return nil
                case .wouldWait: try await output.waitForMore()
                }
            }
        }

        enum Outcome {
            case bytes([UInt8])
            case end
            case wouldWait
        }

        /// One read without waiting.
        mutating func readNow() throws(SpawnError) -> Outcome {
            if room.isEmpty { room = [UInt8](repeating: 0, count: ProgramOutput.chunkBytesLimit) }
            guard let fd = output.source.fd.withLock({ $0 }) else { return .end }
            do throws(SystemError) {
                guard let count = try Files.readAvailable(fd.raw, into: &room) else { return .wouldWait }
                return count == 0 ? .end : .bytes(Array(room[..<count]))
            } catch  where error.code == .inputOutput && output.isTerminal {
                // Nobody has the terminal's other end any more: what a pipe's end of file is for a terminal.
                return .end
            } catch { throw output.failure(error) }
        }
    }

    /// Waits until there is something to read, or the end.
    func waitForMore() async throws(SpawnError) {
        guard let fd = source.fd.withLock({ $0 }) else { return }
        do { try await Readiness.shared.readable(fd.raw) } catch { throw failure(error) }
    }

    private func failure(_ error: SystemError) -> SpawnError { SpawnError(step: "read the \(name)", code: error.code) }
}
