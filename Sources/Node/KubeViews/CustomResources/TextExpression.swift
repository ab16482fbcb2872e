/// A regular expression in the syntax of Go (RE2), as `pattern` of schemas has it, matched anywhere in a text in time
/// that is linear in it: whoever writes a definition cannot make the server hang.
///
/// There are literals, `.`, classes with ranges and Perl's and POSIX's names, groups (also `(?:`, `(?i)`, `(?P<name>`),
/// alternatives, `* + ? {n,m}` (lazy or not, which does not matter to whether there is a match), `^ $ \A \z \b \B`.
/// There are no classes of Unicode (`\p`), which are an error.
///
/// Invariants (tests in TextExpressionTests):
/// 1. Any text gives an expression or an error, none traps. (`no text traps the reader of expressions`)
/// 2. The work is at most the length of the text times the size of the expression.
///    (`expressions that make others hang take their time by the length`)
struct TextExpression: Sendable {
    /// One step of the machine (Thompson, "Regular Expression Search Algorithm", 1968; Cox, "Regular Expression
    /// Matching: the Virtual Machine Approach").
    enum Step: Sendable {
        case scalar(Ranges)
        /// Goes on at both.
        case split(Int, Int)
        case jump(Int)
        case condition(Condition)
        case match
    }

    enum Condition: Sendable { case textStart, textEnd, wordBoundary, noWordBoundary }

    private let steps: [Step]

    /// As many steps as a machine may have.
    static let limit = 5000

    /// - Throws: `TextExpressionError`.
    init(_ pattern: String) throws(TextExpressionError) {
        var reader = TextExpressionReader(pattern)
        let node = try reader.whole()
        var program = TextProgram()
        try program.add(node)
        program.steps.append(.match)
        steps = program.steps
    }

    /// Whether it matches anywhere in a text.
    /// - Parameter budget: what the work may cost, in steps; less what was done.
    /// - Returns: nil when the budget is spent.
    func matches(_ text: String, budget: inout Int) -> Bool? {
        let scalars = Array(text.unicodeScalars)
        var run = TextRun(steps)
        for at in 0...scalars.count {
            let before = at > 0 ? scalars[at - 1] : nil
            let next = at < scalars.count ? scalars[at] : nil
            // A match may begin anywhere.
            run.add(0, before, next)
            if run.hasMatched { return true }
            budget -= run.takeCost() + 1
            guard budget > 0 else { return nil }
            guard let next else { break }
            run.take(next, at + 1 < scalars.count ? scalars[at + 1] : nil)
            if run.hasMatched { return true }
        }
        return false
    }
}

/// The places of the machine that are active.
private struct TextRun {
    private let steps: [TextExpression.Step]
    private var active: [Int] = []
    /// The position at which a step was made active last, to do it once.
    private var marks: [Int]
    private var position = 0
    private(set) var hasMatched = false

    init(_ steps: [TextExpression.Step]) {
        self.steps = steps
        marks = Array(repeating: -1, count: steps.count)
    }

    /// How many steps were looked at since the last time it was asked.
    private(set) var cost = 0

    mutating func takeCost() -> Int {
        defer { cost = 0 }
        return cost
    }

    /// Makes a step active, with those that follow without a character.
    mutating func add(_ first: Int, _ before: Unicode.Scalar?, _ next: Unicode.Scalar?) {
        var open = [first]
        while let at = open.popLast() {
            guard marks[at] != position else { continue }
            marks[at] = position
            cost += 1
            switch steps[at] {
            case .scalar: active.append(at)
            case .split(let one, let other): open += [other, one]
            case .jump(let to): open.append(to)
            case .condition(let condition):
                if Self.holds(condition, before, next) { open.append(at + 1) }
            case .match: hasMatched = true
            }
        }
    }

    /// Goes over a character; `after` is the one behind it.
    mutating func take(_ scalar: Unicode.Scalar, _ after: Unicode.Scalar?) {
        let current = active
        active.removeAll(keepingCapacity: true)
        position += 1
        for at in current {
            if case .scalar(let ranges) = steps[at], ranges.contains(scalar) { add(at + 1, scalar, after) }
        }
    }

    private static func holds(
        _ condition: TextExpression.Condition, _ before: Unicode.Scalar?, _ next: Unicode.Scalar?
    ) -> Bool {
        func isWord(_ scalar: Unicode.Scalar?) -> Bool { scalar.map { Ranges.word.contains($0) } ?? false }
        return switch condition {
        case .textStart: before == nil
        case .textEnd: next == nil
        case .wordBoundary: isWord(before) != isWord(next)
        case .noWordBoundary: isWord(before) == isWord(next)
        }
    }
}

/// A set of characters.
struct Ranges: Hashable, Sendable {
    var list: [ClosedRange<UInt32>] = []
    var isNegated = false

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        list.contains { $0.contains(scalar.value) } != isNegated
    }

    static let digit = Ranges(list: [0x30...0x39])
    static let word = Ranges(list: [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
    static let space = Ranges(list: [0x09...0x0A, 0x0C...0x0D, 0x20...0x20])
    /// Every character but the end of a line.
    static let any = Ranges(list: [0x0A...0x0A], isNegated: true)

    static func one(_ scalar: Unicode.Scalar) -> Ranges { Ranges(list: [scalar.value...scalar.value]) }

    /// All others.
    var inverted: Ranges { Ranges(list: list, isNegated: !isNegated) }

    /// Ranges that say the same without a negation.
    var positive: [ClosedRange<UInt32>] {
        guard isNegated else { return list }
        var (result, next) = ([ClosedRange<UInt32>](), UInt32(0))
        for range in list.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { result.append(next...(range.lowerBound - 1)) }
            next = max(next, range.upperBound + 1)
        }
        if next <= 0x10FFFF { result.append(next...0x10FFFF) }
        return result
    }

    /// With letters of ASCII in both cases.
    var ignoringCase: Ranges {
        var result = self
        for range in list {
            for (from, to) in [(UInt32(0x41), UInt32(0x61)), (0x61, 0x41)] {
                let low = max(range.lowerBound, from)
                let high = min(range.upperBound, from + 25)
                if low <= high { result.list.append((low - from + to)...(high - from + to)) }
            }
        }
        return result
    }
}

/// Why a text is no regular expression, in the words of Go's regexp/syntax.
struct TextExpressionError: Error, Hashable, CustomStringConvertible {
    var description: String
}

/// An expression as it is read.
indirect enum TextNode {
    case empty
    case scalar(Ranges)
    case condition(TextExpression.Condition)
    case sequence([TextNode])
    case alternatives([TextNode])
    /// `most` is nil for any number.
    case repeated(TextNode, least: Int, most: Int?)
}

/// Makes the steps of a machine.
private struct TextProgram {
    var steps: [TextExpression.Step] = []

    mutating func add(_ node: TextNode) throws(TextExpressionError) {
        guard steps.count < TextExpression.limit else {
            throw TextExpressionError(description: "error parsing regexp: expression too large")
        }
        switch node {
        case .empty: break
        case .scalar(let ranges): steps.append(.scalar(ranges))
        case .condition(let condition): steps.append(.condition(condition))
        case .sequence(let nodes): for one in nodes { try add(one) }
        case .alternatives(let nodes): try alternatives(nodes)
        case .repeated(let node, let least, let most):
            for _ in 0..<least {
                let before = steps.count
                try add(node)
                // Nothing, as often as one likes, is nothing: it must not take as long as it says.
                if steps.count == before { break }
            }
            guard let most else { return try star(node) }
            for _ in least..<max(least, most) { try optional(node) }
        }
    }

    private mutating func alternatives(_ nodes: [TextNode]) throws(TextExpressionError) {
        var ends: [Int] = []
        for (index, node) in nodes.enumerated() {
            guard index < nodes.count - 1 else {
                try add(node)
                break
            }
            let split = steps.count
            steps.append(.match)
            try add(node)
            ends.append(steps.count)
            steps.append(.match)
            steps[split] = .split(split + 1, steps.count)
        }
        for end in ends { steps[end] = .jump(steps.count) }
    }

    private mutating func star(_ node: TextNode) throws(TextExpressionError) {
        let split = steps.count
        steps.append(.match)
        try add(node)
        steps.append(.jump(split))
        steps[split] = .split(split + 1, steps.count)
    }

    private mutating func optional(_ node: TextNode) throws(TextExpressionError) {
        let split = steps.count
        steps.append(.match)
        try add(node)
        steps[split] = .split(split + 1, steps.count)
    }
}
