/// What is wrong with a Dockerfile, and the line that says it.
package struct DockerfileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Counted from 1; of an instruction over several lines its first.
    package var line: Int
    package var reason: String

    package init(line: Int, _ reason: String) {
        self.line = line
        self.reason = reason
    }

    package var description: String { "Dockerfile line \(line): \(reason)" }
}

/// What is wrong with a word, for whoever knows the line.
package struct WordError: Error, Hashable, Sendable {
    package var reason: String

    init(_ reason: String) { self.reason = reason }
}

extension UInt8 {
    /// What separates words: space, tab, vertical tab, form feed, carriage return, line feed.
    var isDockerSpace: Bool { self == 0x20 || (self >= 0x09 && self <= 0x0D) }

    var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }

    /// What a variable's name may begin with.
    var beginsName: Bool {
        (self >= UInt8(ascii: "a") && self <= UInt8(ascii: "z"))
            || (self >= UInt8(ascii: "A") && self <= UInt8(ascii: "Z")) || self == UInt8(ascii: "_")
    }
}

extension Collection<UInt8> {
    /// Text that was checked to be UTF-8 when the file was read, and was cut at ASCII characters only.
    var text: String { String(decoding: self, as: UTF8.self) }
}

extension BidirectionalCollection<UInt8> where SubSequence: BidirectionalCollection<UInt8> {
    /// Without white space at both ends.
    var trimmed: [UInt8] {
        guard let first = firstIndex(where: { !$0.isDockerSpace }), let last = lastIndex(where: { !$0.isDockerSpace })
        else { return [] }
        return Array(self[first...last])
    }
}
