import Comparison
import Engine
import OCI

/// The parts of an image on their way, as somebody watches them: one line for each layer, and one for all. Pure.
///
/// Invariants
/// 1. No line is wider than the terminal, and a frame is never higher. (test: `a frame fits into any terminal`)
/// 2. Elsewhere each layer is told of when its state changes, never in between. (test: `without a terminal each layer has a line for each state`)
struct TransferBoard {
    enum Direction { case pull, push }

    private struct Part {
        var id: String
        var size: Int
        var state = TransferProgress.State.waiting
        var bytes = 0
        var message = ""

        var isOver: Bool {
            switch state {
            case .present, .mounted, .done, .unpacked: true
            case .waiting, .moving, .retrying, .unpacking: false
            }
        }
    }

    private static let idWidth = 12
    private static let barLimit = 40
    private static let barLeast = 8

    private let direction: Direction
    private var order: [Digest] = []
    private var parts: [Digest: Part] = [:]

    init(_ direction: Direction) { self.direction = direction }

    /// Takes in what has happened; returns the line for where there is no terminal, nil when there is no news.
    mutating func take(_ progress: TransferProgress) -> String? {
        // The config is a kilobyte: Docker does not show it either.
        guard progress.isLayer else { return nil }
        var part = parts[progress.part] ?? Part(id: progress.part.short, size: progress.size)
        let isNew = parts[progress.part] == nil
        if isNew { order.append(progress.part) }
        let before = part.state
        part.state = progress.state
        if let bytes = progress.bytes { part.bytes = bytes }
        part.message = DisplayWidth.printable(progress.message ?? "")
        parts[progress.part] = part
        guard isNew || part.state != before || part.state == .retrying else { return nil }
        return "\(part.id): \(words(part))" + (part.message.isEmpty ? "" : ": \(part.message)")
    }

    /// The lines to be shown, each at most `columns` cells, at most `rows` of them.
    func frame(columns: Int, rows: Int) -> [String] {
        let all = order.compactMap { parts[$0] }
        guard !all.isEmpty, rows > 0 else { return [] }
        let isOver = all.allSatisfy(\.isOver)
        let room = isOver ? rows : rows - 1
        var shown = all
        // What is over goes first, then what has not begun.
        for isLeast in [{ (part: Part) in part.isOver }, { (part: Part) in part.state == .waiting }, { _ in true }] {
            while shown.count > max(room, 0), let index = shown.firstIndex(where: isLeast) { shown.remove(at: index) }
        }
        // That of the longest word, so that nothing moves sideways.
        let stateWidth = direction == .pull ? 17 : 20
        var lines = shown.map { line($0, columns: columns, stateWidth: stateWidth) }
        if !isOver { lines.append(Self.cut(summary(all), to: columns)) }
        return lines
    }

    private func line(_ part: Part, columns: Int, stateWidth: Int) -> String {
        let state = words(part)
        var text = part.id + "  " + state
        let padding = String(repeating: " ", count: max(stateWidth - DisplayWidth.of(state), 0))
        switch part.state {
        case .retrying: text += padding + "  " + part.message
        case .moving:
            let figures = "\(Self.amount(part.bytes)) of \(Self.amount(part.size))"
            let room = columns - DisplayWidth.of(text + padding) - DisplayWidth.of(figures) - 4
            if room >= Self.barLeast { text += padding + "  " + Self.bar(part, min(room, Self.barLimit)) }
            text += "  " + figures
        case .unpacking, .done, .unpacked: text += padding + "  " + Self.amount(part.size)
        case .waiting, .present, .mounted: break
        }
        return Self.cut(text, to: columns)
    }

    private func summary(_ all: [Part]) -> String {
        let over = all.count(where: \.isOver)
        let size = all.reduce(0) { $0 + $1.size }
        let moved = all.reduce(0) { sum, part in
            switch part.state {
            case .waiting: sum
            case .moving, .retrying: sum + min(part.bytes, part.size)
            case .present, .mounted, .done, .unpacking, .unpacked: sum + part.size
            }
        }
        return "\(over) of \(all.count) layers, \(Self.amount(moved)) of \(Self.amount(size))"
    }

    private static func bar(_ part: Part, _ width: Int) -> String {
        let share = part.size > 0 ? Double(min(part.bytes, part.size)) / Double(part.size) : 1
        let full = Int((share * Double(width)).rounded(.down))
        return String(repeating: "━", count: full) + String(repeating: "┈", count: width - full)
    }

    /// Docker's words, which scripts and people know.
    private func words(_ part: Part) -> String {
        switch (part.state, direction) {
        case (.waiting, _): "Waiting"
        case (.present, .pull): "Already exists"
        case (.present, .push): "Layer already exists"
        case (.mounted, _): "Mounted"
        case (.moving, .pull): "Downloading"
        case (.moving, .push): "Pushing"
        case (.retrying, _): "Retrying"
        case (.done, .pull): "Download complete"
        case (.done, .push): "Pushed"
        case (.unpacking, _): "Extracting"
        case (.unpacked, _): "Pull complete"
        }
    }

    /// Decimal units, as image sizes are told everywhere: "512 B", "1.4 MB", "287 MB".
    static func amount(_ bytes: Int) -> String {
        if bytes < 1000 { return "\(bytes) B" }
        var value = Double(bytes)
        for unit in ["kB", "MB", "GB"] {
            value /= 1000
            if value < 999.5 || unit == "GB" { return FloatingText.short(value) + " " + unit }
        }
        preconditionFailure("the last unit takes every number")
    }

    /// As much of a text as has room.
    static func cut(_ text: String, to columns: Int) -> String {
        var (result, width) = ("", 0)
        for character in text {
            width += DisplayWidth.of(String(character))
            if width > columns { break }
            result.append(character)
        }
        return result
    }
}
