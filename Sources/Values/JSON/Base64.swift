/// Bytes in JSON, and where else a text has to carry them: base64 of RFC 4648 section 4. Fast, for archives of megabytes.
package enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let padding = UInt8(ascii: "=")
    /// 64 stands for what is no digit.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 64, count: 256)
        for (value, digit) in alphabet.enumerated() { values[Int(digit)] = UInt8(value) }
        return values
    }()

    /// With padding.
    package static func text(_ bytes: [UInt8]) -> String {
        let count = (bytes.count + 2) / 3 * 4
        return String(unsafeUninitializedCapacity: count) { text in
            var at = 0
            for start in stride(from: 0, to: bytes.count, by: 3) {
                let left = bytes.count - start
                let word =
                    UInt32(bytes[start]) << 16 | (left > 1 ? UInt32(bytes[start + 1]) << 8 : 0)
                    | (left > 2 ? UInt32(bytes[start + 2]) : 0)
                text[at] = alphabet[Int(word >> 18 & 63)]
                text[at + 1] = alphabet[Int(word >> 12 & 63)]
                text[at + 2] = left > 1 ? alphabet[Int(word >> 6 & 63)] : padding
                text[at + 3] = left > 2 ? alphabet[Int(word & 63)] : padding
                at += 4
            }
            return count
        }
    }

    /// nil when the text is no base64. Padding may be missing; nothing else may stand between or after the digits.
    package static func bytes(_ text: String) -> [UInt8]? {
        var text = text
        return text.withUTF8 { bytes($0) }
    }

    /// nil for anything but the one form that `text` writes for some bytes.
    package static func bytes(exactly text: String) -> [UInt8]? {
        guard let bytes = bytes(text), self.text(bytes) == text else { return nil }
        return bytes
    }

    private static func bytes(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        var count = text.count
        while count > 0, text.count - count < 2, text[count - 1] == padding { count -= 1 }
        guard count % 4 != 1, count == text.count || text.count % 4 == 0 else { return nil }
        var bad: UInt8 = 0
        let bytes = values.withUnsafeBufferPointer { values in
            [UInt8](unsafeUninitializedCapacity: count / 4 * 3 + 3) { bytes, made in
                var at = 0
                for start in stride(from: 0, to: count, by: 4) {
                    let digits = min(4, count - start)
                    var word: UInt32 = 0
                    for index in 0..<4 {
                        let value = index < digits ? values[Int(text[start + index])] : 0
                        bad |= value & 64
                        word = word << 6 | UInt32(value & 63)
                    }
                    bytes[at] = UInt8(truncatingIfNeeded: word >> 16)
                    bytes[at + 1] = UInt8(truncatingIfNeeded: word >> 8)
                    bytes[at + 2] = UInt8(truncatingIfNeeded: word)
                    at += digits - 1
                }
                made = at
            }
        }
        return bad == 0 ? bytes : nil
    }
}
