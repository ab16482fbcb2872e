/// What may differ between two runs of one call without counting as a difference.
///
/// Written `[PART:]KIND`, where PART is exit, stdout, stderr or file=NAME (by default both streams and all files):
///
///     stderr                 all of standard error
///     times                  dates, times of day, durations with their unit, seconds since 1970
///     identifiers            UUIDs, long hexadecimal numbers, addresses, process ids, names below /tmp
///     stdout:regex=PATTERN   what a POSIX extended regular expression (regex(7)) matches, within a line
///     json=$.run.id          the value at a path of JSON: names, [3], [*], .* and ..name
///     unordered              lines in another order
///     numbers=1e-9           numbers that are as close as this, relative to the larger one
///
/// With a rule `json` both sides are read as JSON (one value, or one in each line) and compared by value.
package struct DifferenceRule: Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        case everything
        case times
        case identifiers
        case pattern(String)
        case json(JSONPath)
        case unordered
        case numbers(Double)
    }

    /// nil: both streams and all files.
    package var part: ComparedPart?
    package var kind: Kind

    package init(_ kind: Kind, of part: ComparedPart? = nil) {
        self.part = part
        self.kind = kind
    }

    package init(_ text: String) throws(RuleProblem) {
        if let part = ComparedPart(text), !text.contains(":") {
            self.init(.everything, of: part)
            return
        }
        var rest = text[...]
        var part: ComparedPart?
        if let colon = text.firstIndex(of: ":"), let found = ComparedPart(text[..<colon]) {
            part = found
            rest = text[text.index(after: colon)...]
        }
        guard part != .exit else {
            throw RuleProblem(
                text, "an exit status has no text in which something could differ; write `exit` to allow any")
        }
        self.init(try Self.kind(rest, in: text), of: part)
    }

    private static func kind(_ text: Substring, in whole: String) throws(RuleProblem) -> Kind {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        switch (parts[0], parts.count > 1 ? String(parts[1]) : nil) {
        case ("times", nil): return .times
        case ("identifiers", nil): return .identifiers
        case ("unordered", nil): return .unordered
        case ("regex", let pattern?):
            _ = try BytePattern(pattern)
            return .pattern(pattern)
        case ("json", let path?): return .json(try JSONPath(path))
        case ("numbers", let number?):
            guard let tolerance = Double(number), tolerance >= 0, tolerance < 1 else {
                throw RuleProblem(whole, "\"\(number)\" is no number from 0 up to 1, such as 1e-9")
            }
            return .numbers(tolerance)
        default:
            throw RuleProblem(
                whole,
                "expected times, identifiers, regex=PATTERN, json=PATH, unordered or numbers=TOLERANCE, each perhaps behind "
                    + "stdout:, stderr: or file=NAME:, or one of exit, stdout, stderr, file=NAME alone")
        }
    }

    package var description: String {
        let prefix = part.map { "\($0):" } ?? ""
        switch kind {
        case .everything: return part?.description ?? "everything"
        case .times: return prefix + "times"
        case .identifiers: return prefix + "identifiers"
        case .pattern(let pattern): return prefix + "regex=\(pattern)"
        case .json(let path): return prefix + "json=\(path)"
        case .unordered: return prefix + "unordered"
        case .numbers(let tolerance): return prefix + "numbers=\(tolerance)"
        }
    }

    /// Whether it is about a part.
    func covers(_ other: ComparedPart) -> Bool { part.map { $0 == other } ?? (other != .exit) }
}

/// A rule that cannot be used, and why.
package struct RuleProblem: Error, Hashable, Sendable, CustomStringConvertible {
    package var rule: String
    package var problem: String

    package init(_ rule: String, _ problem: String) {
        self.rule = rule
        self.problem = problem
    }

    package var description: String { "\"\(rule)\": \(problem)" }
}
