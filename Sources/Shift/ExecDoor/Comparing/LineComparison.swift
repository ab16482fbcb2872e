/// Compares two texts line by line and word by word.
struct LineComparison {
    let part: ComparedPart
    let mask: ByteMask
    let isUnordered: Bool
    /// Relative; nil: numbers are words like others.
    let tolerance: Double?

    /// - Returns: at most `limit` differences, and how many lines differ.
    func differences(_ original: [UInt8], _ target: [UInt8], limit: Int) -> (found: [Difference], count: Int) {
        var (one, other) = (lines(original), lines(target))
        if isUnordered {
            one.sort { $0.lexicographicallyPrecedes($1) }
            other.sort { $0.lexicographicallyPrecedes($1) }
        }
        var found: [Difference] = []
        var count = 0
        for index in 0..<min(one.count, other.count) where one[index] != other[index] {
            let words = differingWords(one[index], other[index])
            if words.isEmpty { continue }
            count += 1
            guard found.count < limit else { continue }
            let place = isUnordered ? "\(part) sorted line \(index + 1)" : "\(part) line \(index + 1)"
            let site = words.count == 1 && words[0] != nil ? "\(place) word \(words[0]! + 1)" : place
            found.append(.between(one[index], other[index], of: part, at: site))
        }
        if one.count != other.count {
            count += 1
            if found.count < limit { found.append(missing(one, other)) }
        }
        return (found, count)
    }

    /// The last element is what follows the last line feed: empty for a text that ends with one.
    private func lines(_ text: [UInt8]) -> [[UInt8]] {
        text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            mask.isEmpty ? Array(line) : mask.apply(to: Array(line))
        }
    }

    /// Which words of two lines differ; a nil when the lines have different numbers of them.
    private func differingWords(_ one: [UInt8], _ other: [UInt8]) -> [Int?] {
        let (words, others) = (Self.words(one), Self.words(other))
        guard words.count == others.count else { return [nil] }
        let differing = words.indices.filter { words[$0] != others[$0] && !isClose(words[$0], others[$0]) }
        // Words that are all equal are separated differently.
        if differing.isEmpty { return words == others ? [nil] : [] }
        return differing.map { Optional($0) }
    }

    private static func words(_ line: [UInt8]) -> [ArraySlice<UInt8>] {
        line.split {
            $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: ";")
        }
    }

    private func isClose(_ one: ArraySlice<UInt8>, _ other: ArraySlice<UInt8>) -> Bool {
        guard let tolerance, let a = Double(String(decoding: one, as: UTF8.self)),
            let b = Double(String(decoding: other, as: UTF8.self))
        else { return false }
        return NumberTolerance.isClose(a, b, within: tolerance)
    }

    private func missing(_ one: [[UInt8]], _ other: [[UInt8]]) -> Difference {
        let shared = min(one.count, other.count)
        func text(_ lines: [[UInt8]]) -> [UInt8] {
            guard lines.count > shared else { return Array("(ends after \(Self.number(shared, isUnordered)))".utf8) }
            let line = lines[shared]
            return line.isEmpty && lines.count == shared + 1 ? Array("(a line feed at the end)".utf8) : line
        }
        return .between(text(one), text(other), of: part, at: "\(part) number of lines")
    }

    private static func number(_ lines: Int, _ isUnordered: Bool) -> String {
        "\(lines) \(lines == 1 ? "line" : "lines")"
    }
}

/// When two numbers are taken for one.
enum NumberTolerance {
    static func isClose(_ a: Double, _ b: Double, within tolerance: Double) -> Bool {
        if a == b { return true }
        guard a.isFinite, b.isFinite else { return a.isNaN && b.isNaN }
        return (a - b).magnitude <= tolerance * max(a.magnitude, b.magnitude)
    }
}
