import Linux

/// One line on a terminal that tells what is being done, replaced as it goes; nothing elsewhere.
final class ProgressLine: Sendable {
    private let isShown = Terminal.isTerminal(StandardStreams.errors)

    func show(_ text: String) {
        guard isShown else { return }
        StandardStreams.writeError("\r\u{1b}[K" + text)
    }

    func end() {
        guard isShown else { return }
        StandardStreams.writeError("\r\u{1b}[K")
    }
}
