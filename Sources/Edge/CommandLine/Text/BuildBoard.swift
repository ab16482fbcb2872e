import Comparison
import Engine

/// A build as somebody watches it. Pure.
///
/// On a terminal a step that is over has one line, and the one under way the last lines of its program below it;
/// elsewhere every line is written as it comes, with the number of its step in front, as Docker does.
///
/// Invariants
/// 1. No line that is redrawn is wider than the terminal. (test: `a frame of a build fits into the terminal`)
/// 2. What a program wrote reaches a terminal without control characters.
///    (test: `a program's escape sequences do not reach the terminal`)
/// 3. The output of a step that failed is shown, its last lines also on a terminal.
///    (test: `the output of a failed step is shown again`)
struct BuildBoard {
    /// Lines of the program under way that a terminal shows.
    static let tailLines = 6
    /// Lines that are shown again when a step fails on a terminal.
    static let keptLines = 60

    let isTerminal: Bool
    private var title = ""
    private var step = 0
    private var tail: [String] = []

    init(isTerminal: Bool) { self.isTerminal = isTerminal }

    /// Takes in what has happened; returns lines that stay.
    mutating func take(_ progress: BuildProgress) -> [String] {
        let text = progress.text
        switch progress.kind {
        case .note: return [isTerminal ? " warning: \(Self.plain(text))" : "warning: \(Self.plain(text))"]
        case .began:
            (title, step, tail) = (Self.plain(text), progress.step, [])
            return isTerminal ? [] : ["#\(step) \(title)"]
        case .output:
            tail.append(Self.plain(text))
            if tail.count > Self.keptLines { tail.removeFirst() }
            return isTerminal ? [] : ["#\(progress.step) \(Self.plain(text))"]
        case .done, .cached: return over(progress)
        case .failed:
            let shown = isTerminal && !tail.isEmpty ? ["------", " > \(title):"] + tail + ["------"] : []
            defer { (title, tail) = ("", []) }
            return (isTerminal ? [" => ERROR \(title)"] : ["#\(progress.step) ERROR: \(Self.plain(text))", ""]) + shown
        }
    }

    private mutating func over(_ progress: BuildProgress) -> [String] {
        defer { (title, tail) = ("", []) }
        let time = Self.seconds(progress.milliseconds ?? 0)
        if progress.kind == .cached { return isTerminal ? [" => CACHED \(title)"] : ["#\(progress.step) CACHED", ""] }
        return isTerminal ? [" => \(title)  \(time)"] : ["#\(progress.step) DONE \(time)", ""]
    }

    /// The lines that are redrawn, each at most `columns` cells, at most `rows` of them.
    func frame(columns: Int, rows: Int) -> [String] {
        guard isTerminal, !title.isEmpty, rows > 0 else { return [] }
        let below = tail.suffix(min(Self.tailLines, rows - 1)).map { " => => # \($0)" }
        return ([" => \(title)"] + below).map { TransferBoard.cut($0, to: columns) }
    }

    private static func seconds(_ milliseconds: Int) -> String { "\(milliseconds / 1000).\(milliseconds / 100 % 10)s" }

    /// Tabs as blanks, everything else without control characters.
    private static func plain(_ text: String) -> String {
        DisplayWidth.printable(String(text.map { $0 == "\t" ? " " : $0 }))
    }
}
