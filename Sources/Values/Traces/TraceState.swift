/// A `tracestate`: what tracing systems say to themselves along a trace, a list of `key=value`.
/// https://www.w3.org/TR/trace-context-1/#tracestate-header
package enum TraceState {
    /// Entries at most; a longer list is invalid.
    static let entryLimit = 32
    /// What is passed on at most, bytes; the specification wants at least 512.
    static let byteLimit = 512
    /// Entries longer than this are left out first when the list is too long.
    static let longEntry = 128

    /// The list as it is passed on: without blanks and empty entries, at most 512 bytes. nil: it is not valid, and is dropped as
    /// a whole, since what a part of it means nobody can know.
    package static func valid(_ text: String) -> String? {
        // Far more than 32 valid entries can be: not worth reading.
        guard text.utf8.count <= 32 << 10 else { return nil }
        var entries: [Substring.UTF8View] = []
        var keys: Set<String> = []
        for part in text.utf8.split(separator: UInt8(ascii: ",")) {
            let entry = trimmed(part)
            guard !entry.isEmpty else { continue }
            guard let equals = entry.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            let (key, value) = (entry[..<equals], entry[entry.index(after: equals)...])
            guard isKey(key), isValue(value), keys.insert(String(Substring(key))).inserted else { return nil }
            entries.append(entry)
        }
        guard entries.count <= entryLimit else { return nil }
        return shortened(entries).map { String(Substring($0)) }.joined(separator: ",")
    }

    /// Entries of more than 128 bytes go first, then the oldest, which stand last.
    private static func shortened(_ entries: [Substring.UTF8View]) -> [Substring.UTF8View] {
        func length(_ entries: [Substring.UTF8View]) -> Int { entries.reduce(entries.count - 1) { $0 + $1.count } }
        var kept = entries
        while length(kept) > byteLimit, let index = kept.lastIndex(where: { $0.count > longEntry }) { kept.remove(at: index) }
        while length(kept) > byteLimit { kept.removeLast() }
        return kept
    }

    private static func trimmed(_ text: Substring.UTF8View) -> Substring.UTF8View {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        var rest = text[...]
        while let first = rest.first, isBlank(first) { rest = rest.dropFirst() }
        while let last = rest.last, isBlank(last) { rest = rest.dropLast() }
        return rest
    }

    /// `simple-key`, or `tenant-id "@" system-id`.
    private static func isKey(_ key: Substring.UTF8View) -> Bool {
        let parts = key.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        switch parts.count {
        case 1: return isName(parts[0], limit: 256, mayBeginWithDigit: false)
        case 2:
            return isName(parts[0], limit: 241, mayBeginWithDigit: true) && isName(parts[1], limit: 14, mayBeginWithDigit: false)
        default: return false
        }
    }

    private static func isName(_ name: Substring.UTF8View, limit: Int, mayBeginWithDigit: Bool) -> Bool {
        guard let first = name.first, name.count <= limit else { return false }
        guard isLetter(first) || mayBeginWithDigit && isDigit(first) else { return false }
        return name.allSatisfy { isLetter($0) || isDigit($0) || "_-*/".utf8.contains($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") }
    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    /// Printable ASCII without "," and "=", not ending with a blank.
    private static func isValue(_ value: Substring.UTF8View) -> Bool {
        guard let last = value.last, value.count <= 256, last != 0x20 else { return false }
        return value.allSatisfy { $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "=") }
    }
}
