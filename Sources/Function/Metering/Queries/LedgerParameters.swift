internal import Linux

/// The query of a request for the ledger, read strictly: what is unknown, twice or wrong is a problem, never ignored.
struct LedgerParameters {
    struct Problem: Error {
        var sentence: String
        init(_ sentence: String) { self.sentence = sentence }
    }

    private var values: [(name: String, value: String)] = []
    private var known: [String] = []

    /// Reads `a=b&c=d`, percent-encoded.
    init(_ query: String) throws(Problem) {
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(parts[0]), let value = Self.decoded(parts.count == 2 ? parts[1] : "") else {
                throw Problem("\"\(pair)\" is not percent-encoded UTF-8")
            }
            // An empty value is none: `from=&to=` is what a form sends.
            if !value.isEmpty { values.append((name, value)) }
        }
    }

    mutating func all(_ name: String) -> [String] {
        known.append(name)
        return values.filter { $0.name == name }.map(\.value)
    }

    mutating func text(_ name: String) throws(Problem) -> String? {
        let found = all(name)
        guard found.count <= 1 else { throw Problem("\(name) is given \(found.count) times; give it once") }
        return found.first
    }

    mutating func number(_ name: String, _ range: ClosedRange<Int>) throws(Problem) -> Int? {
        guard let text = try text(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw Problem("\(name)=\(text): expected a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    mutating func flag(_ name: String) throws(Problem) -> Bool { try choice(name, ["false", "true"]) == "true" }

    /// One of some words; the first when nothing is said.
    mutating func choice(_ name: String, _ words: [String]) throws(Problem) -> String {
        guard let text = try text(name) else { return words[0] }
        guard words.contains(text) else { throw Problem("\(name)=\(text): expected one of \(words.joined(separator: ", "))") }
        return text
    }

    mutating func day(_ name: String) throws(Problem) -> Day? {
        guard let text = try text(name) else { return nil }
        guard let day = Day(text) else { throw Problem("\(name)=\(text): expected a day such as 2026-11-23") }
        return day
    }

    mutating func dimensions(_ name: String) throws(Problem) -> [ReportDimension]? {
        guard let text = try text(name) else { return nil }
        var dimensions: [ReportDimension] = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let dimension = ReportDimension(rawValue: String(word)), !dimensions.contains(dimension) else {
                let all = ReportDimension.allCases.map(\.rawValue).joined(separator: ", ")
                throw Problem("\(name)=\(text): expected a list of \(all), each at most once, separated by commas")
            }
            dimensions.append(dimension)
        }
        return dimensions
    }

    mutating func filter() throws(Problem) -> LedgerFilter {
        var filter = LedgerFilter()
        filter.function = try text("function")
        filter.version = try text("version")
        filter.requestID = try text("request")
        filter.key = try text("key")
        filter.orderKey = try text("order")
        filter.source = try text("source")
        if let outcome = try text("outcome") { filter.outcome = try Self.outcome(outcome) }
        if let from = try text("from") { filter.from = try Self.time(from, "from", .from) }
        if let to = try text("to") { filter.to = try Self.time(to, "to", .to) }
        return filter
    }

    /// Refuses what nobody has asked for.
    func end() throws(Problem) {
        guard let stranger = values.first(where: { !known.contains($0.name) }) else { return }
        throw Problem("\(stranger.name) is no parameter; known here: \(known.sorted().joined(separator: ", "))")
    }

    private static func outcome(_ text: String) throws(Problem) -> String {
        guard MeteredCall.Outcome.names.contains(text) else {
            throw Problem("outcome=\(text): expected one of \(MeteredCall.Outcome.names.joined(separator: ", "))")
        }
        return text
    }

    private static func time(_ text: String, _ name: String, _ bound: LedgerFilter.Bound) throws(Problem) -> Timestamp {
        guard let time = LedgerFilter.time(text, as: bound) else {
            throw Problem("\(name)=\(text): expected a day such as 2026-11-23, or a time such as 2026-11-23T06:47:29Z")
        }
        return time
    }

    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(Self.digit), let low = rest.popFirst().flatMap(Self.digit) else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
