internal import JSON

/// Compares two texts as JSON: one value, or one in each line.
struct JSONComparison {
    let part: ComparedPart
    let ignored: [JSONPath]
    let mask: ByteMask
    let tolerance: Double?

    /// - Returns: nil when either is no JSON.
    func differences(_ original: [UInt8], _ target: [UInt8], limit: Int) -> (found: [Difference], count: Int)? {
        guard let one = Self.values(original), let other = Self.values(target) else { return nil }
        var search = Search(limit: limit)
        for index in 0..<min(one.count, other.count) { compare(one[index], other[index], [], &search) }
        if one.count != other.count {
            search.note(
                .between(
                    Array("\(one.count) values".utf8), Array("\(other.count) values".utf8), of: part,
                    at: "\(part) number of values"))
        }
        return (search.found, search.count)
    }

    private struct Search {
        let limit: Int
        var found: [Difference] = []
        var count = 0

        mutating func note(_ difference: @autoclosure () -> Difference) {
            count += 1
            if found.count < limit { found.append(difference()) }
        }
    }

    private static func values(_ text: [UInt8]) -> [JSONValue]? {
        if let value = try? JSONParser.parse(text) { return [value] }
        let lines = text.split(separator: UInt8(ascii: "\n"))
        guard lines.count > 1 else { return nil }
        var values: [JSONValue] = []
        for line in lines {
            guard let value = try? JSONParser.parse(Array(line)) else { return nil }
            values.append(value)
        }
        return values
    }

    private func compare(_ one: JSONValue, _ other: JSONValue, _ place: [JSONPlace], _ search: inout Search) {
        if one == other || ignored.contains(where: { $0.matches(place) }) { return }
        switch (one, other) {
        case (.object(let a), .object(let b)):
            for key in a.keys + b.keys.filter({ !a.contains($0) }) {
                compareMember(a[key], b[key], place + [.name(key)], &search)
            }
        case (.array(let a), .array(let b)):
            for index in 0..<max(a.count, b.count) {
                compareMember(
                    index < a.count ? a[index] : nil, index < b.count ? b[index] : nil, place + [.index(index)], &search
                )
            }
        case (.string(let a), .string(let b))
        where !mask.isEmpty && mask.apply(to: Array(a.utf8)) == mask.apply(to: Array(b.utf8)):
            return
        default:
            if let tolerance, let a = one.double, let b = other.double, NumberTolerance.isClose(a, b, within: tolerance)
            {
                return
            }
            note(JSONWriter.bytes(one), JSONWriter.bytes(other), place, &search)
        }
    }

    private func compareMember(_ one: JSONValue?, _ other: JSONValue?, _ place: [JSONPlace], _ search: inout Search) {
        if let one, let other { return compare(one, other, place, &search) }
        if ignored.contains(where: { $0.matches(place) }) { return }
        let nothing = Array("(nothing)".utf8)
        note(one.map { JSONWriter.bytes($0) } ?? nothing, other.map { JSONWriter.bytes($0) } ?? nothing, place, &search)
    }

    private func note(_ one: [UInt8], _ other: [UInt8], _ place: [JSONPlace], _ search: inout Search) {
        search.note(.between(one, other, of: part, at: "\(part) \(Self.site(place))"))
    }

    /// Elements of a list are one place: which of them differs is chance.
    private static func site(_ place: [JSONPlace]) -> String {
        "$"
            + place.map { step in
                switch step {
                case .name(let name): ".\(name)"
                case .index: "[*]"
                }
            }.joined()
    }
}
