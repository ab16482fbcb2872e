/// One line of what strace has written, taken apart: who, when, and what.
struct StraceLine: Hashable, Sendable {
    enum Content: Hashable, Sendable {
        /// A call with its arguments as text; no result: it did not return ("= ?").
        case call(name: String, arguments: String, result: String)
        case unfinished(name: String, arguments: String)
        case resumed(name: String, arguments: String, result: String)
        case exited(Int32)
        case killed(signal: String, coreDumped: Bool)
        /// A thread that executed has taken over another's number.
        case superseded(by: Int32)
        /// A signal, a process attached, an empty line: nothing that is counted.
        case remark
    }

    /// How time is written.
    enum Time: Hashable, Sendable {
        case none
        /// -ttt: microseconds since 1970.
        case epoch(Int)
        /// -t and -tt: microseconds since midnight.
        case clock(Int)
        /// -r: microseconds since the line before.
        case relative(Int)
    }

    /// nil: the trace is of one process, whose number strace does not write.
    var pid: Int32?
    var time: Time
    var content: Content
}

/// Takes lines of strace apart.
///
/// Invariant: any bytes give a line or nil; none trap. (test: `no bytes make the reader of traces trap`)
struct StraceScanner {
    private var rest: Substring.UTF8View

    private init(_ text: Substring) { rest = text.utf8 }

    /// nil: it is no line of strace.
    static func line(_ text: Substring) -> StraceLine? {
        var scanner = StraceScanner(text)
        return scanner.line()
    }

    private mutating func line() -> StraceLine? {
        skipSpaces()
        if rest.isEmpty { return StraceLine(pid: nil, time: .none, content: .remark) }
        if starts("strace: ") || (starts("Process ") && text.hasSuffix("attached")) {
            return StraceLine(pid: nil, time: .none, content: .remark)
        }
        let pid = takePid()
        let time = takeTime()
        guard let content = content() else { return nil }
        return StraceLine(pid: pid, time: time, content: content)
    }

    private var text: Substring { Substring(rest) }
    private func starts(_ prefix: String) -> Bool { rest.starts(with: prefix.utf8) }

    private mutating func skipSpaces() {
        while rest.first == UInt8(ascii: " ") || rest.first == UInt8(ascii: "\t") { rest.removeFirst() }
    }

    private func digits() -> Substring.UTF8View {
        rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    /// "[pid 17] " or, in a file, "17 " in front of a call.
    private mutating func takePid() -> Int32? {
        let before = rest
        if starts("[pid") {
            rest = rest.dropFirst(4)
            skipSpaces()
            let number = digits()
            rest = rest.dropFirst(number.count)
            guard let pid = Int32(Substring(number)), rest.first == UInt8(ascii: "]") else {
                rest = before
                return nil
            }
            rest.removeFirst()
            skipSpaces()
            return pid
        }
        let number = digits()
        let after = rest.dropFirst(number.count)
        // A time has a point or a colon behind its first digits.
        guard let pid = Int32(Substring(number)), pid > 0, after.first == UInt8(ascii: " ") else { return nil }
        rest = after
        skipSpaces()
        return pid
    }

    private mutating func takeTime() -> StraceLine.Time {
        let before = rest
        // -r together with another: "(+     0.000123) ", or in front of it.
        let number = digits()
        rest = rest.dropFirst(number.count)
        if let hours = Int(Substring(number)), number.count <= 2, rest.first == UInt8(ascii: ":"),
            let clock = takeClock(hours)
        {
            return .clock(clock)
        }
        if let seconds = Int(Substring(number)), seconds < 1 << 33, rest.first == UInt8(ascii: "."),
            let micros = takeFraction(), rest.first == UInt8(ascii: " ")
        {
            skipSpaces()
            skipRelativeInParentheses()
            let total = seconds * 1_000_000 + micros
            // Nobody's trace is of 1970, and no call takes ten years.
            return seconds > 315_360_000 ? .epoch(total) : .relative(total)
        }
        rest = before
        return .none
    }

    private mutating func takeClock(_ hours: Int) -> Int? {
        var total = hours * 3600
        for unit in [60, 1] {
            guard rest.first == UInt8(ascii: ":") else { return nil }
            rest.removeFirst()
            let number = digits()
            guard number.count == 2, let value = Int(Substring(number)) else { return nil }
            rest = rest.dropFirst(2)
            total += value * unit
        }
        let micros = rest.first == UInt8(ascii: ".") ? takeFraction() ?? 0 : 0
        guard rest.first == UInt8(ascii: " ") else { return nil }
        skipSpaces()
        skipRelativeInParentheses()
        return total * 1_000_000 + micros
    }

    private mutating func takeFraction() -> Int? {
        rest.removeFirst()
        let number = digits()
        guard !number.isEmpty, number.count <= 9 else { return nil }
        rest = rest.dropFirst(number.count)
        return Int((String(Substring(number)) + "000000").prefix(6))
    }

    private mutating func skipRelativeInParentheses() {
        guard starts("(+"), let end = rest.firstIndex(of: UInt8(ascii: ")")) else { return }
        rest = rest[rest.index(after: end)...]
        skipSpaces()
    }

    private mutating func content() -> StraceLine.Content? {
        if starts("+++ ") { return end() }
        if starts("--- ") { return .remark }
        if starts("<... ") { return resumed() }
        guard let open = rest.firstIndex(of: UInt8(ascii: "(")) else { return nil }
        let name = String(Substring(rest[..<open]))
        guard !name.isEmpty, name.utf8.allSatisfy(Self.isNameByte) else { return nil }
        rest = rest[rest.index(after: open)...]
        let unfinished = "<unfinished ...>"
        if text.hasSuffix(unfinished) {
            var arguments = text.dropLast(unfinished.count)
            while arguments.last == " " { arguments.removeLast() }
            return .unfinished(name: name, arguments: String(arguments))
        }
        guard let (arguments, result) = closed() else { return nil }
        return .call(name: name, arguments: arguments, result: result)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || byte == UInt8(ascii: "_") || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }

    private mutating func resumed() -> StraceLine.Content? {
        rest = rest.dropFirst(5)
        let word = " resumed>"
        guard let end = text.firstRange(of: word) else { return nil }
        let name = String(text[..<end.lowerBound])
        guard name.utf8.allSatisfy(Self.isNameByte), !name.isEmpty else { return nil }
        rest = text[end.upperBound...].utf8
        guard let (arguments, result) = closed() else { return nil }
        return .resumed(name: name, arguments: arguments, result: result)
    }

    /// "ARGUMENTS) = RESULT": the last ") = " or ")   = " that stands outside of strings and brackets.
    private func closed() -> (arguments: String, result: String)? {
        var position = StraceArguments.Position()
        var at = rest.startIndex
        while at < rest.endIndex {
            let byte = rest[at]
            if byte == UInt8(ascii: ")"), position.isOutside {
                var after = rest[rest.index(after: at)...]
                while after.first == UInt8(ascii: " ") { after.removeFirst() }
                if after.first == UInt8(ascii: "=") {
                    after.removeFirst()
                    while after.first == UInt8(ascii: " ") { after.removeFirst() }
                    return (String(Substring(rest[..<at])), String(Substring(after)))
                }
                return nil
            }
            position.pass(byte)
            at = rest.index(after: at)
        }
        return nil
    }

    private mutating func end() -> StraceLine.Content? {
        rest = rest.dropFirst(4)
        let words = text.split(separator: " ")
        guard words.last == "+++", words.count >= 4 else { return nil }
        switch (words[0], words[1]) {
        case ("exited", "with"): return Int32(words[2]).flatMap { (0...255).contains($0) ? .exited($0) : nil }
        case ("killed", "by"): return .killed(signal: String(words[2]), coreDumped: text.contains("core dumped"))
        case ("superseded", "by"): return words.dropLast().last.flatMap { Int32($0) }.map { .superseded(by: $0) }
        default: return nil
        }
    }
}

extension Substring {
    /// The first place of a text.
    func firstRange(of text: String) -> Range<Index>? {
        var at = startIndex
        let pattern = text.utf8
        while at < endIndex {
            if self[at...].utf8.starts(with: pattern) { return at..<utf8.index(at, offsetBy: pattern.count) }
            at = utf8.index(after: at)
        }
        return nil
    }
}
