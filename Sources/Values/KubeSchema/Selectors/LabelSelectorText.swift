extension LabelSelector {
    /// Reads the form of `labelSelector=`. An empty text holds for everything.
    /// - Throws: `SelectorError` in the words of `labels.Parse`.
    package init(_ text: String) throws(SelectorError) {
        var parser = LabelSelectorParser(text)
        let requirements = try parser.requirements()
        self.init(requirements: requirements.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) })
    }
}

/// The grammar of `labels.Parser`, token by token.
private struct LabelSelectorParser {
    enum Token: Equatable {
        case end
        case identifier(String)
        case mark(String)
        case wrong(String)

        var text: String {
            switch self {
            case .end: ""
            case .identifier(let text), .mark(let text): text
            case .wrong(let text): "error expected: keyword found '\(text)'"
            }
        }
    }

    private let bytes: [UInt8]
    private var at = 0

    private static let marks = [")", ",", "!", "==", "=", ">", "<", "!=", "("]

    init(_ text: String) { bytes = Array(text.utf8) }

    mutating func requirements() throws(SelectorError) -> [LabelSelector.Requirement] {
        var result: [LabelSelector.Requirement] = []
        switch look() {
        case .end: return []
        case .identifier, .mark("!"): break
        case let token: throw SelectorError("found '\(token.text)', expected: !, identifier, or 'end of string'")
        }
        while true {
            do throws(SelectorError) {
                result.append(try requirement())
            } catch {
                throw SelectorError("unable to parse requirement: \(error.description)")
            }
            let token = next()
            if token == .end { return result }
            guard token == .mark(",") else {
                throw SelectorError("found '\(token.text)', expected: ',' or 'end of string'")
            }
            switch look() {
            case .identifier, .mark("!"): continue
            case let token: throw SelectorError("found '\(token.text)', expected: identifier after ','")
            }
        }
    }

    private mutating func requirement() throws(SelectorError) -> LabelSelector.Requirement {
        var token = next()
        let isNegated = token == .mark("!")
        if isNegated { token = next() }
        guard case .identifier(let key) = token else {
            throw SelectorError("found '\(token.text)', expected: identifier")
        }
        if let problem = Names.labelKey(key).first {
            throw SelectorError("<nil>: Invalid value: \(quoted(key)): \(problem)")
        }
        if isNegated { return try LabelSelector.Requirement(key: key, operator: .doesNotExist, values: []) }
        switch look() {
        case .end, .mark(","): return try LabelSelector.Requirement(key: key, operator: .exists, values: [])
        default: break
        }
        let operatorToken = next()
        guard let `operator` = Self.operators[operatorToken.text], operatorToken != .mark("!") else {
            throw SelectorError("found '\(operatorToken.text)', expected: in, notin, =, ==, !=, gt, lt")
        }
        let values = `operator` == .in || `operator` == .notIn ? try list() : [try exactValue()]
        return try LabelSelector.Requirement(key: key, operator: `operator`, values: values)
    }

    private static let operators: [String: LabelSelector.Operator] = [
        "in": .in, "notin": .notIn, "=": .equals, "==": .doubleEquals, "!=": .notEquals, ">": .greaterThan,
        "<": .lessThan,
    ]

    private mutating func exactValue() throws(SelectorError) -> String {
        switch look() {
        case .end, .mark(","): return ""
        default: break
        }
        let token = next()
        guard case .identifier(let value) = token else {
            throw SelectorError("found '\(token.text)', expected: identifier")
        }
        return value
    }

    /// `(a,b)`; between two commas, and between a comma and a bracket, stands an empty value.
    private mutating func list() throws(SelectorError) -> [String] {
        let open = next()
        guard open == .mark("(") else { throw SelectorError("found '\(open.text)' expected: '('") }
        var values: [String] = []
        var wantsValue = true
        while true {
            let token = next()
            switch token {
            case .identifier(let value) where wantsValue:
                values.append(value)
                wantsValue = false
            case .mark(","):
                if wantsValue { values.append("") }
                wantsValue = true
            case .mark(")"):
                if wantsValue { values.append("") }
                return values
            default:
                let expected =
                    wantsValue ? values.isEmpty ? "',', ')' or identifier" : "',', or identifier" : "',' or ')'"
                throw SelectorError("found '\(token.text)', expected: \(expected)")
            }
        }
    }

    // MARK: Tokens

    private func look() -> Token {
        var ahead = self
        return ahead.next()
    }

    private mutating func next() -> Token {
        while at < bytes.count, Self.isSpace(bytes[at]) { at += 1 }
        // A zero byte ends the text, as in Go's scanner.
        guard at < bytes.count, bytes[at] != 0 else { return .end }
        let start = at
        if Self.isMark(bytes[at]) {
            var longest = 0
            for mark in Self.marks where bytes[at...].starts(with: mark.utf8) {
                longest = max(longest, mark.utf8.count)
            }
            at += max(1, longest)
            let text = String(decoding: bytes[start..<at], as: UTF8.self)
            return longest > 0 ? .mark(text) : .wrong(text)
        }
        while at < bytes.count, bytes[at] != 0, !Self.isMark(bytes[at]), !Self.isSpace(bytes[at]) { at += 1 }
        return .identifier(String(decoding: bytes[start..<at], as: UTF8.self))
    }

    private static func isMark(_ byte: UInt8) -> Bool { "=!(),><".utf8.contains(byte) }
    private static func isSpace(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0D, 0x0A].contains(byte) }
}
