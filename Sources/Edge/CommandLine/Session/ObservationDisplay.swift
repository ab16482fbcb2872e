import Comparison
import Linux
import Observation
import Synchronization

/// Shows an observation while it goes on: on a terminal a table that is redrawn in place, elsewhere a line for each process.
final class ObservationDisplay: Sendable {
    private static let pause = Duration.milliseconds(500)

    private let fd: CInt
    private let isTerminal: Bool
    /// The cells of the lines that stand on the terminal.
    private let drawn = Mutex<[Int]>([])

    init(on fd: CInt) {
        self.fd = fd
        isTerminal = Terminal.isTerminal(fd)
    }

    /// What is told each process, where lines are wanted.
    var each: (@Sendable (RecordedProcess) -> Void)? {
        if isTerminal { return nil }
        return { [fd] process in
            // A reader that went away ends the observation at the next round, not this thread.
            try? Files.writeAll(Array((ProcessLine.text(process) + "\n").utf8), to: fd, name: "standard output")
        }
    }

    /// Draws until the task is cancelled.
    func draw(_ session: RecordingSession) async {
        guard isTerminal else { return }
        while (try? await Task.sleep(for: Self.pause)) != nil { drawOnce(session) }
    }

    /// The last state: as much of the table as is asked for.
    func finish(_ session: RecordingSession) {
        if isTerminal { return drawOnce(session) }
    }

    private func drawOnce(_ session: RecordingSession) {
        let counts = session.counts()
        let size = Terminal.size(of: fd)
        let (rows, columns) = (max(Int(size?.rows ?? 24), 4), max(Int(size?.columns ?? 80), 20))
        let board = ProgramsBoard(session, counts)
        // One column stays free: some terminals wrap when the last one is written.
        let table = board.listing(limit: rows - 5, width: columns - 1).text(width: columns - 1)
        let lines =
            [board.headline, ""] + table.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let shown = Array(lines.prefix(rows - 1))
        drawn.withLock { drawn in
            let frame = TransferDisplay.frame(shown, over: drawn, columns: columns)
            try? Files.writeAll(Array(frame.utf8), to: fd, name: "the table")
            drawn = shown.map { DisplayWidth.of($0) }
        }
    }
}

extension ProgramsBoard {
    init(_ session: RecordingSession, _ counts: RecordingSession.Counts) {
        self.init(
            programs: counts.programs, origins: session.origins, processes: counts.processes, calls: counts.calls,
            nanoseconds: counts.nanoseconds)
    }

    init(_ recording: Recording) {
        let programs = recording.programs
        self.init(
            programs: programs, origins: recording.origins, processes: recording.processes.count,
            calls: programs.reduce(0) { $0 + $1.calls }, nanoseconds: recording.durationNanoseconds)
    }
}
