import Comparison
import Linux
import Synchronization

/// What a comparison is doing: one line on a terminal, replaced as it goes; elsewhere a line for each rung that begins.
final class ComparisonProgress: Sendable {
    private let line = ProgressLine()
    private let isTerminal = Terminal.isTerminal(StandardStreams.errors)
    private let last = Mutex("")

    func show(_ text: String) {
        let text = DisplayWidth.printable(text)
        if isTerminal { return line.show(text) }
        let part = String(text.prefix { $0 != ":" })
        let isNew = last.withLock { last in
            defer { last = part }
            return last != part
        }
        if isNew { StandardStreams.writeError("forkless: comparing: \(part)\n") }
    }

    func end() { line.end() }
}
