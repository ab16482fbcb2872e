/// One pattern of a .dockerignore, as Docker's pattern matcher reads it: `*` and `?` within a name, `**` for any
/// folders, `[...]` for one of several characters, `\` takes the meaning from the next.
///
/// Invariant
/// 1. Matching takes time in proportion to pattern times path: no pattern makes it run away, for all places that
///    can be reached in the pattern are followed at once. (test: `a pattern full of stars is matched at once`)
struct IgnorePattern: Hashable, Sendable {
    private enum Part: Hashable, Sendable {
        case scalar(Unicode.Scalar)
        case anyScalar
        /// Any characters of a name.
        case name
        /// Any characters, also "/".
        case everything
        /// `**` before more: nothing, or anything that ends with "/". Followed by `insideFolders`.
        case folders
        case insideFolders
        case oneOf([ClosedRange<UInt32>], negated: Bool)
    }

    private var parts: [Part] = []

    init(_ text: String) throws(WordError) {
        let scalars = Array(text.unicodeScalars)
        var next = 0
        while next < scalars.count {
            let scalar = scalars[next]
            next += 1
            switch scalar {
            case "*" where next < scalars.count && scalars[next] == "*":
                next += 1
                if next < scalars.count, scalars[next] == "/" { next += 1 }
                parts += next == scalars.count ? [.everything] : [.folders, .insideFolders]
            case "*": parts.append(.name)
            case "?": parts.append(.anyScalar)
            case "[": parts.append(try Self.oneOf(scalars, &next))
            case "\\":
                guard next < scalars.count else {
                    throw WordError("\"\\\" stands at the end of the pattern \"\(text)\"")
                }
                parts.append(.scalar(scalars[next]))
                next += 1
            default: parts.append(.scalar(scalar))
            }
        }
    }

    private static func oneOf(_ scalars: [Unicode.Scalar], _ next: inout Int) throws(WordError) -> Part {
        func scalar() throws(WordError) -> UInt32 {
            if next < scalars.count, scalars[next] == "\\" { next += 1 }
            guard next < scalars.count else { throw WordError("\"[\" without its \"]\"") }
            next += 1
            return scalars[next - 1].value
        }
        var ranges: [ClosedRange<UInt32>] = []
        let negated = next < scalars.count && scalars[next] == "^"
        if negated { next += 1 }
        while next >= scalars.count || scalars[next] != "]" || ranges.isEmpty {
            let first = try scalar()
            var last = first
            if next + 1 < scalars.count, scalars[next] == "-", scalars[next + 1] != "]" {
                next += 1
                last = try scalar()
            }
            guard first <= last else { throw WordError("a range in \"[...]\" ends before it begins") }
            ranges.append(first...last)
        }
        next += 1
        return .oneOf(ranges, negated: negated)
    }

    /// Whether the whole path is meant.
    func matches(_ path: some Sequence<Unicode.Scalar>) -> Bool {
        var places = [Bool](repeating: false, count: parts.count + 1)
        places[0] = true
        follow(&places)
        for scalar in path {
            var after = [Bool](repeating: false, count: parts.count + 1)
            for place in parts.indices where places[place] { step(from: place, over: scalar, to: &after) }
            follow(&after)
            places = after
        }
        return places[parts.count]
    }

    /// Parts that may stand for nothing are passed by.
    private func follow(_ places: inout [Bool]) {
        for place in parts.indices where places[place] {
            switch parts[place] {
            case .name, .everything: places[place + 1] = true
            case .folders:
                places[place + 1] = true
                places[place + 2] = true
            case .scalar, .anyScalar, .oneOf, .insideFolders: break
            }
        }
    }

    private func step(from place: Int, over scalar: Unicode.Scalar, to after: inout [Bool]) {
        switch parts[place] {
        case .scalar(let own): if own == scalar { after[place + 1] = true }
        case .anyScalar: if scalar != "/" { after[place + 1] = true }
        case .name: if scalar != "/" { after[place] = true }
        case .everything: after[place] = true
        case .folders: break
        case .insideFolders:
            after[place] = true
            if scalar == "/" { after[place + 1] = true }
        case .oneOf(let ranges, let negated):
            if ranges.contains(where: { $0.contains(scalar.value) }) != negated { after[place + 1] = true }
        }
    }
}
