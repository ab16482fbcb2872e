import Foundation

/// One promise held against what was measured.
struct Finding: Codable {
    enum Bound: String, Codable { case atMost, atLeast }

    var what: String
    var value: Double
    var unit: String
    var bound: Bound
    var target: Double
    /// The middle half of the rounds; nil for what is measured once.
    var range: [Double]?

    var isMet: Bool { bound == .atMost ? value <= target : value >= target }

    /// How many times as long `samples` took as `other`.
    static func slowness(_ what: String, _ samples: Samples, over other: Samples, atMost target: Double) -> Finding {
        ratio(what, samples.ratios(to: other), .atMost, target)
    }

    /// How many times faster `samples` was than `other`.
    static func speed(_ what: String, _ samples: Samples, against other: Samples, atLeast target: Double) -> Finding {
        ratio(what, other.ratios(to: samples), .atLeast, target)
    }

    private static func ratio(_ what: String, _ ratios: [Double], _ bound: Bound, _ target: Double) -> Finding {
        let sorted = ratios.sorted()
        return Finding(
            what: what, value: Samples.median(ratios), unit: "times", bound: bound, target: target,
            range: [sorted[(sorted.count - 1) / 4], sorted[(sorted.count - 1) * 3 / 4]])
    }

    var line: String {
        let sign = bound == .atMost ? "≤" : "≥"
        let spread = range.map { " (\(Text.figure($0[0])) to \(Text.figure($0[1])))" } ?? ""
        return "\(isMet ? "met   " : "NOT MET") \(Text.figure(value)) \(unit)\(spread), promised \(sign) "
            + "\(Text.figure(target)): \(what)"
    }
}

/// What one benchmark has to show.
struct Section {
    var title: String
    var samples: [Samples] = []
    /// Figures that are no times: name and what it is.
    var facts: [(name: String, value: String)] = []
    var findings: [Finding] = []
    var notes: [String] = []
}

/// Columns and figures.
enum Text {
    /// Three digits that count.
    static func figure(_ value: Double) -> String {
        switch abs(value) {
        case 100...: String(Int(value.rounded()))
        case 10...: String(format: "%.1f", value)
        default: String(format: "%.2f", value)
        }
    }

    /// Nanoseconds in the unit that suits.
    static func time(_ nanoseconds: Double) -> String {
        switch nanoseconds {
        case 1_000_000_000...: figure(nanoseconds / 1_000_000_000) + " s "
        case 1_000_000...: figure(nanoseconds / 1_000_000) + " ms"
        default: figure(nanoseconds / 1000) + " us"
        }
    }

    static func left(_ text: String, _ width: Int) -> String { text + spaces(width - text.count) }
    static func right(_ text: String, _ width: Int) -> String { spaces(width - text.count) + text }
    private static func spaces(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }
}

extension Section {
    /// The section as a table with its findings.
    var text: String {
        var lines = ["", title, ""]
        if !samples.isEmpty {
            let width = max(24, samples.map(\.name.count).max()!)
            lines.append(
                Text.left("", width) + ["p50", "p99", "noise", "samples"].map { Text.right($0, 10) }.joined())
            for one in samples {
                let cells = [
                    Text.time(one.p50), one.all.count < 100 ? "-" : Text.time(one.p99),
                    one.rounds.count < 4 ? "-" : "\(Int((one.noise * 100).rounded())) %", "\(one.all.count)",
                ]
                lines.append(Text.left(one.name, width) + cells.map { Text.right($0, 10) }.joined())
            }
        }
        let width = facts.map(\.name.count).max() ?? 0
        lines += facts.map { Text.left($0.name, width + 2) + $0.value }
        lines += notes.map { "Note: \($0)" }
        if !findings.isEmpty { lines.append("") }
        lines += findings.map { "  " + $0.line }
        return lines.joined(separator: "\n")
    }
}
