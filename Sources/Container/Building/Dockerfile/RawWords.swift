/// Words as an instruction holds them, quotes, escapes and variables still in place.
enum RawWords {
    /// Splits at white space outside quotes. A quote that is never closed reaches to the end: the expansion
    /// that follows refuses it.
    static func split(_ bytes: some Collection<UInt8>, escape: UInt8) -> [[UInt8]] {
        var scanner = Scanner(bytes: Array(bytes), escape: escape)
        var words: [[UInt8]] = []
        while let word = scanner.next() { words.append(word) }
        return words
    }

    /// The flags before an instruction's arguments, and what follows them untouched. `--` alone ends the flags.
    static func flags(_ bytes: [UInt8], escape: UInt8) -> (flags: [[UInt8]], rest: [UInt8]) {
        var scanner = Scanner(bytes: bytes, escape: escape)
        var flags: [[UInt8]] = []
        while true {
            scanner.skipSpace()
            let start = scanner.position
            guard let word = scanner.next(), word.starts(with: [UInt8(ascii: "-"), UInt8(ascii: "-")]) else {
                return (flags, bytes[start...].trimmed)
            }
            if word.count == 2 { return (flags, bytes[scanner.position...].trimmed) }
            flags.append(word)
        }
    }

    /// The first word and the rest, trimmed; quotes have no meaning here.
    static func first(_ bytes: some Collection<UInt8>) -> (word: [UInt8], rest: [UInt8]) {
        let bytes = Array(bytes).trimmed
        let end = bytes.firstIndex(where: \.isDockerSpace) ?? bytes.endIndex
        return (Array(bytes[..<end]), bytes[end...].trimmed)
    }

    private struct Scanner {
        let bytes: [UInt8]
        let escape: UInt8
        var position = 0

        init(bytes: [UInt8], escape: UInt8) {
            self.bytes = bytes
            self.escape = escape
        }

        mutating func skipSpace() { while position < bytes.count, bytes[position].isDockerSpace { position += 1 } }

        mutating func next() -> [UInt8]? {
            skipSpace()
            guard position < bytes.count else { return nil }
            let start = position
            var quote: UInt8?
            while position < bytes.count {
                let byte = bytes[position]
                if byte == escape, quote != UInt8(ascii: "'") {
                    position += 1
                } else if let open = quote {
                    if byte == open { quote = nil }
                } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                    quote = byte
                } else if byte.isDockerSpace {
                    break
                }
                position += 1
            }
            position = min(position, bytes.count)
            return Array(bytes[start..<position])
        }
    }
}
