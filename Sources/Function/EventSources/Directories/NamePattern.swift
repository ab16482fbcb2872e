/// A pattern of file names as shells have it: `*` any run, `?` any one character, `[a-z]` and `[!a-z]` one of a set.
struct NamePattern: Hashable, Sendable {
    private enum Part: Hashable, Sendable {
        case run
        case any
        case one(Character)
        case set([ClosedRange<Character>], isNegated: Bool)
    }

    private let parts: [Part]

    /// nil when a bracket is not closed.
    init?(_ text: String) {
        var parts: [Part] = []
        var rest = Substring(text)
        while let character = rest.popFirst() {
            switch character {
            case "*": if parts.last != .run { parts.append(.run) }
            case "?": parts.append(.any)
            case "[":
                guard let set = Self.set(&rest) else { return nil }
                parts.append(set)
            default: parts.append(.one(character))
            }
        }
        self.parts = parts
    }

    private static func set(_ rest: inout Substring) -> Part? {
        let isNegated = rest.first == "!"
        if isNegated { rest.removeFirst() }
        var ranges: [ClosedRange<Character>] = []
        while let first = rest.popFirst() {
            if first == "]", !ranges.isEmpty { return .set(ranges, isNegated: isNegated) }
            guard rest.first == "-", let last = rest.dropFirst().first, last != "]" else {
                ranges.append(first...first)
                continue
            }
            guard first <= last else { return nil }
            rest.removeFirst(2)
            ranges.append(first...last)
        }
        return nil
    }

    /// In time that grows with the product of both lengths: after a mismatch only the last `*` is tried again.
    func matches(_ name: String) -> Bool {
        let name = Array(name)
        var (part, at) = (0, 0)
        var restart: (part: Int, at: Int)?
        while at < name.count {
            if part < parts.count, parts[part] == .run {
                restart = (part + 1, at)
                part += 1
            } else if part < parts.count, Self.fits(parts[part], name[at]) {
                part += 1
                at += 1
            } else if let last = restart {
                restart = (last.part, last.at + 1)
                (part, at) = (last.part, last.at + 1)
            } else {
                return false
            }
        }
        return parts[part...].allSatisfy { $0 == .run }
    }

    private static func fits(_ part: Part, _ character: Character) -> Bool {
        switch part {
        case .run: false
        case .any: true
        case .one(let one): one == character
        case .set(let ranges, let isNegated): ranges.contains { $0.contains(character) } != isNegated
        }
    }
}
