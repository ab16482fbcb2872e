/// Tells whether bytes are JSON, without keeping any of it: for payloads that are only passed on.
///
/// Invariant: it accepts exactly what `JSONParser` accepts (`the check and the parser accept the same`).
package enum JSONCheck {
    package static func isValue(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBufferPointer { bytes in
            var check = Check(bytes: bytes)
            return check.value(0) && check.isAtEndAfterSpace
        }
    }

    private struct Check {
        let bytes: UnsafeBufferPointer<UInt8>
        var at = 0

        /// The next byte; 0, which begins nothing in JSON, at the end.
        private var peek: UInt8 { at < bytes.count ? bytes[at] : 0 }

        var isAtEndAfterSpace: Bool {
            mutating get {
                skipSpace()
                return at == bytes.count
            }
        }

        private mutating func skipSpace() {
            while at < bytes.count, bytes[at] == 0x20 || bytes[at] == 0x0A || bytes[at] == 0x0D || bytes[at] == 0x09 {
                at += 1
            }
        }

        private mutating func take(_ byte: UInt8) -> Bool {
            guard at < bytes.count, bytes[at] == byte else { return false }
            at += 1
            return true
        }

        mutating func value(_ depth: Int) -> Bool {
            skipSpace()
            switch peek {
            case UInt8(ascii: "{"): return object(depth + 1)
            case UInt8(ascii: "["): return array(depth + 1)
            case UInt8(ascii: "\""): return string()
            case UInt8(ascii: "t"): return word("true")
            case UInt8(ascii: "f"): return word("false")
            case UInt8(ascii: "n"): return word("null")
            default: return number()
            }
        }

        private mutating func array(_ depth: Int) -> Bool {
            guard depth <= JSONParser.depthLimit else { return false }
            at += 1
            skipSpace()
            if take(UInt8(ascii: "]")) { return true }
            while value(depth) {
                skipSpace()
                if take(UInt8(ascii: ",")) { continue }
                return take(UInt8(ascii: "]"))
            }
            return false
        }

        private mutating func object(_ depth: Int) -> Bool {
            guard depth <= JSONParser.depthLimit else { return false }
            at += 1
            skipSpace()
            if take(UInt8(ascii: "}")) { return true }
            while true {
                skipSpace()
                guard peek == UInt8(ascii: "\""), string() else { return false }
                skipSpace()
                guard take(UInt8(ascii: ":")), value(depth) else { return false }
                skipSpace()
                if take(UInt8(ascii: ",")) { continue }
                return take(UInt8(ascii: "}"))
            }
        }

        private mutating func word(_ word: StaticString) -> Bool {
            for letter in UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount) {
                guard take(letter) else { return false }
            }
            return true
        }

        private mutating func digits() -> Bool {
            let start = at
            while at < bytes.count, bytes[at] &- UInt8(ascii: "0") < 10 { at += 1 }
            return at > start
        }

        private mutating func number() -> Bool {
            _ = take(UInt8(ascii: "-"))
            if !take(UInt8(ascii: "0")) { guard digits() else { return false } }
            if take(UInt8(ascii: ".")) { guard digits() else { return false } }
            if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
                if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
                guard digits() else { return false }
            }
            return true
        }

        private mutating func string() -> Bool {
            at += 1
            while at < bytes.count {
                let byte = bytes[at]
                if byte == UInt8(ascii: "\"") {
                    at += 1
                    return true
                }
                if byte == UInt8(ascii: "\\") {
                    guard escape() else { return false }
                } else if byte < 0x20 {
                    return false
                } else if byte < 0x80 {
                    at += 1
                } else {
                    guard character() else { return false }
                }
            }
            return false
        }

        private mutating func escape() -> Bool {
            at += 1
            switch peek {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
                UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
                at += 1
                return true
            case UInt8(ascii: "u"):
                at += 1
                guard let unit = unit() else { return false }
                guard unit & 0xF800 == 0xD800 else { return true }
                // Half a pair: the other half has to follow.
                guard unit < 0xDC00, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")), let low = self.unit() else {
                    return false
                }
                return low & 0xFC00 == 0xDC00
            default: return false
            }
        }

        /// Four hexadecimal digits.
        private mutating func unit() -> UInt16? {
            var value: UInt16 = 0
            for _ in 0..<4 {
                switch peek {
                case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt16(peek - UInt8(ascii: "0"))
                case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt16(peek - UInt8(ascii: "a") + 10)
                case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt16(peek - UInt8(ascii: "A") + 10)
                default: return nil
                }
                at += 1
            }
            return value
        }

        /// A character of several bytes, Unicode table 3-7 (no overlong form, no surrogate, nothing above U+10FFFF).
        private mutating func character() -> Bool {
            let first = bytes[at]
            let count: Int
            var second: ClosedRange<UInt8> = 0x80...0xBF
            switch first {
            case 0xC2...0xDF: count = 2
            case 0xE0: (count, second) = (3, 0xA0...0xBF)
            case 0xED: (count, second) = (3, 0x80...0x9F)
            case 0xE1...0xEF: count = 3
            case 0xF0: (count, second) = (4, 0x90...0xBF)
            case 0xF4: (count, second) = (4, 0x80...0x8F)
            case 0xF1...0xF3: count = 4
            default: return false
            }
            guard at + count <= bytes.count, second.contains(bytes[at + 1]) else { return false }
            for index in (at + 2)..<max(at + count, at + 2) where bytes[index] & 0xC0 != 0x80 { return false }
            at += count
            return true
        }
    }
}
