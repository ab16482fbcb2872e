import Comparison
import Engine
import Linux
import Synchronization

/// Shows a build: on a terminal in place, at most ten times a second, elsewhere line by line.
final class BuildDisplay: Sendable {
    private static let pause = Duration.milliseconds(100)

    private struct State {
        var board: BuildBoard
        /// The cells of the lines that stand on the terminal.
        var drawn: [Int] = []
        var waiting: [String] = []
        var hasNews = false
    }

    private let fd: CInt
    private let isTerminal: Bool
    private let state: Mutex<State>

    init(on fd: CInt, isTerminal: Bool) {
        self.fd = fd
        self.isTerminal = isTerminal
        state = Mutex(State(board: BuildBoard(isTerminal: isTerminal)))
    }

    func take(_ progress: BuildProgress) {
        state.withLock { state in
            let lines = state.board.take(progress)
            state.hasNews = true
            if isTerminal {
                state.waiting += lines
            } else {
                write(lines.map { $0 + "\n" }.joined())
            }
        }
    }

    /// Performs a build while it is shown.
    static func during<Value>(
        _ display: BuildDisplay?, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
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
            let size = Terminal.size(of: fd)
            let columns = max(Int(size?.columns ?? 80), 2)
            // One column stays free: some terminals wrap when the last one is written.
            let lines = state.board.frame(columns: columns - 1, rows: max(Int(size?.rows ?? 24) - 1, 1))
            let above = state.waiting.map { $0 + "\n" }.joined()
            state.waiting = []
            write(TransferDisplay.frame(lines, over: state.drawn, columns: columns, before: above))
            state.drawn = lines.map { DisplayWidth.of($0) }
        }
    }

    // The reader of progress may be gone: that must not end the build.
    private func write(_ text: String) { try? Files.writeAll(Array(text.utf8), to: fd, name: "the progress") }
}
