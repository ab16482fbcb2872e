import Comparison
import JSON

/// What came of running recorded calls again, for people: how many answers were the same, and where the others differ.
struct ReplayText {
    /// What `POST /forkless/v1/replay` has answered.
    var report: JSONValue

    /// The report's words, in its order, and what they mean.
    private static let comparisons = [
        ("identical", "the same, byte for byte"), ("equalJSON", "the same JSON, written differently"),
        ("different", "different"),
        ("otherOutcome", "an error on one side only"), ("notRun", "not answered this time"),
        ("withoutRecord", "not run again: payload or answer was not recorded"),
    ]
    /// Characters of an answer that a table has room for.
    private static let excerpt = 40

    private func count(_ comparison: String) -> Int { Int(report["counts", comparison]?.integer ?? 0) }

    /// Calls that were run again or should have been.
    private var compared: Int { Self.comparisons.dropLast().reduce(0) { $0 + count($1.0) } }
    private var differing: Int { ["different", "otherOutcome", "notRun"].reduce(0) { $0 + count($1) } }

    func text(width: Int) -> String {
        let rows = Self.comparisons.map { ($0.1, count($0.0)) }.filter { $0.1 > 0 || $0.0 == Self.comparisons[0].1 }
        // Of the ARN, function and version.
        let target = (report["target"]?.string ?? "").split(separator: ":").suffix(2).joined(separator: ":")
        let counts = Listing(
            columns: [.init("CALLS", .right), .init("ANSWERED BY \(target)")],
            rows: rows.map { [FloatingText.grouped($0.1), $0.0] })
        let differences = report["differences"]?.array ?? []
        guard !differences.isEmpty else { return counts.text(width: width) }
        let listing = Listing(
            columns: [.init("REQUEST"), .init("ANSWER"), .init("AT"), .init("RECORDED"), .init("NOW")],
            rows: differences.map { difference in
                [
                    difference["requestId"]?.string ?? "", Self.word(difference["comparison"]?.string ?? ""),
                    difference["path"]?.string ?? "", Self.shown(difference["recorded"]),
                    Self.shown(difference["answered"]),
                ]
            })
        let left = differing - differences.count
        let rest = left > 0 ? "and \(FloatingText.grouped(left)) more.\n" : ""
        return counts.text(width: width) + "\n" + listing.text(width: width) + rest
    }

    /// Why the calls do not show that both versions answer the same; nil when they do.
    func failure(function: String) -> String? {
        if differing > 0 {
            return
                "\(FloatingText.grouped(differing)) of \(FloatingText.grouped(compared)) recorded calls of \(function) were answered differently."
        }
        guard compared == 0 else { return nil }
        return "nothing was compared: no such call of \(function) was recorded with payload and answer. "
            + "Calls are recorded from `forkless fn deploy \(function) --record` on."
    }

    private static func word(_ comparison: String) -> String {
        switch comparison {
        case "otherOutcome": "other outcome"
        case "notRun": "none"
        default: comparison
        }
    }

    private static func shown(_ answer: JSONValue?) -> String { Shortened.text(answer?.string ?? "", to: excerpt) }
}
