internal import Glibc
internal import Linux
internal import Synchronization

/// The log of one function: what its instances print and what the service says of them, in the format of containers' logs
/// (`<RFC 3339 time> stdout|stderr F|P <text>`), so that one reader serves both.
///
/// Lines are collected in memory and written by the log's thread, never by whoever has them.
///
/// Invariants (with their tests in FunctionLogTests)
/// 1. Memory is bounded: what comes while the disk does not take it is counted and dropped.
///    (`lines beyond the room are counted and dropped`)
/// 2. The log and the one rotated before it are never larger together than twice the limit.
///    (`a flood is bounded by rotation`)
/// 3. A full disk stops no function. (`a directory that cannot be written loses lines and nothing else`)
package final class FunctionLog: Sendable {
    package static let fileBytesLimit = 16 << 20
    /// Most bytes that wait to be written.
    static let roomBytes = 4 << 20
    /// More than this is written at once by whoever finds it.
    static let flushBytes = 256 << 10

    package let directory: String
    private let limit: Int
    private let isWorthFlushing: @Sendable (FunctionLog) -> Void

    private struct State {
        var waiting: [UInt8] = []
        var isMarked = false
        var lost = 0
    }

    private struct File {
        var descriptor: SharedFD?
        var bytes = 0
    }

    private let state = Mutex(State())
    private let file = Mutex(File())

    /// - Parameter isWorthFlushing: called when something waits, once until it was flushed.
    init(directory: String, limit: Int = fileBytesLimit, isWorthFlushing: @escaping @Sendable (FunctionLog) -> Void) {
        self.directory = directory
        self.limit = limit
        self.isWorthFlushing = isWorthFlushing
    }

    /// Bytes of text that could not be kept.
    package var lostBytes: Int { state.withLock { $0.lost } }

    /// Takes whole lines, without their ends.
    func add(_ lines: [ArraySlice<UInt8>], isComplete: Bool = true, _ stream: LogStream = .output, at time: Timestamp) {
        guard !lines.isEmpty else { return }
        let stamp = time.utf8
        let isNew = state.withLock { state in
            for line in lines {
                guard state.waiting.count + line.count <= Self.roomBytes else {
                    state.lost += line.count
                    continue
                }
                state.waiting += stamp
                state.waiting += stream.tag
                state.waiting += isComplete ? LogStream.full : LogStream.part
                state.waiting += line
                state.waiting.append(10)
            }
            defer { state.isMarked = true }
            return !state.isMarked
        }
        if isNew { isWorthFlushing(self) }
    }

    /// Whether more waits than should.
    var isFull: Bool { state.withLock { $0.waiting.count > Self.flushBytes } }

    /// Writes what waits. On a thread that may block.
    package func flush() {
        // One at a time, and in the order in which lines came.
        file.withLock { file in
            let bytes = state.withLock { state in
                state.isMarked = false
                defer { state.waiting = [] }
                return state.waiting
            }
            guard !bytes.isEmpty else { return }
            do { try write(bytes, &file) } catch {
                file = File()
                state.withLock { $0.lost += bytes.count }
            }
        }
    }

    private func write(_ bytes: [UInt8], _ file: inout File) throws(SystemError) {
        if file.descriptor == nil { try open(&file) }
        if file.bytes + bytes.count > limit, file.bytes > 0 {
            try Files.rename("\(directory)/log", to: "\(directory)/log.1")
            try open(&file)
        }
        guard let descriptor = file.descriptor else { return }
        do { try Files.writeAll(bytes, to: descriptor.raw, name: "log") } catch {
            // Whole lines only: what a full disk cut off is taken back.
            try? Files.shorten(descriptor.raw, to: file.bytes)
            throw error
        }
        file.bytes += bytes.count
    }

    private func open(_ file: inout File) throws(SystemError) {
        try Files.makeDirectories(directory, mode: 0o700)
        let descriptor = SharedFD(try Files.open("\(directory)/log", O_WRONLY | O_CREAT | O_APPEND, mode: 0o640))
        file = File(descriptor: descriptor, bytes: (try? Files.status(of: descriptor.raw).size) ?? 0)
    }
}

/// Which stream a line of a log is of.
package enum LogStream: Sendable {
    case output, error

    var tag: [UInt8] {
        switch self {
        case .output: Self.outputTag
        case .error: Self.errorTag
        }
    }

    private static let outputTag = Array(" stdout ".utf8)
    private static let errorTag = Array(" stderr ".utf8)
    static let full = Array("F ".utf8)
    static let part = Array("P ".utf8)
}
