import Comparison
import Engine
import Linux
import Synchronization

/// Shows a transfer: on a terminal lines that are redrawn in place, elsewhere a line for each change.
///
/// A frame is one write between the marks of a synchronized update (CSI ? 2026), so that no terminal shows half of
/// it, and there are at most ten a second.
final class TransferDisplay: Sendable {
    private static let pause = Duration.milliseconds(100)

    private struct State {
        var board: TransferBoard
        /// The cells of the lines that stand on the terminal.
        var drawn: [Int] = []
        var hasNews = false
    }

    private let fd: CInt
    private let isTerminal: Bool
    private let state: Mutex<State>

    init(_ direction: TransferBoard.Direction, on fd: CInt) {
        self.fd = fd
        isTerminal = Terminal.isTerminal(fd)
        state = Mutex(State(board: TransferBoard(direction)))
    }

    /// Writes a line of its own, above what is redrawn.
    func say(_ line: String) {
        state.withLock { state in
            write(Self.frame([], over: state.drawn, columns: size.columns, before: DisplayWidth.printable(line) + "\n"))
            state.drawn = []
        }
    }

    func take(_ progress: TransferProgress) {
        state.withLock { state in
            let line = state.board.take(progress)
            state.hasNews = true
            if !isTerminal, let line { write(line + "\n") }
        }
    }

    /// Performs a transfer while it is shown.
    static func during<Value>(
        _ display: TransferDisplay?, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
    ) async throws -> Value {
        guard let display, display.isTerminal else { return try await body() }
        let drawing = Task {
            while (try? await Task.sleep(for: pause)) != nil { display.draw() }
        }
        defer {
            drawing.cancel()
            display.draw()
        }
        return try await body()
    }

    private func draw() {
        state.withLock { state in
            guard state.hasNews else { return }
            state.hasNews = false
            let (rows, columns) = size
            // One column stays free: some terminals wrap when the last one is written.
            let lines = state.board.frame(columns: max(columns - 1, 1), rows: max(rows - 1, 1))
            write(Self.frame(lines, over: state.drawn, columns: columns))
            state.drawn = lines.map { DisplayWidth.of($0) }
        }
    }

    /// What turns the old lines into the new ones.
    ///
    /// - Parameters:
    ///   - drawn: the cells of the old lines: in a window that has become narrower they take more rows.
    ///   - before: text that stays above.
    static func frame(_ lines: [String], over drawn: [Int], columns: Int, before: String = "") -> String {
        let rows = drawn.reduce(0) { $0 + max(($1 + columns - 1) / columns, 1) }
        if rows == 0, lines.isEmpty { return before }
        let up = rows > 0 ? "\u{1b}[\(rows)A\r" : ""
        let body = lines.map { $0 + "\u{1b}[K\n" }.joined()
        return "\u{1b}[?2026h" + up + (before.isEmpty ? "" : "\u{1b}[J" + before) + body + "\u{1b}[J\u{1b}[?2026l"
    }

    private var size: (rows: Int, columns: Int) {
        guard let size = Terminal.size(of: fd), size.columns > 0, size.rows > 0 else { return (24, 80) }
        return (Int(size.rows), Int(size.columns))
    }

    // The reader of progress may be gone: that must not end the transfer.
    private func write(_ text: String) { try? Files.writeAll(Array(text.utf8), to: fd, name: "the progress") }
}
