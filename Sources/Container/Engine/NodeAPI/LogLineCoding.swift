package import JSON
import Linux

extension LogLine {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        let content: [UInt8]
        if let encoded: String = try reader.optional("base64") {
            guard let bytes = Base64.decode(encoded) else { throw reader.error("base64", "not base64") }
            content = bytes
        } else {
            let text: String = try reader.required("text")
            content = Array(text.utf8)
        }
        self.init(
            time: try reader.required("time"), stream: try reader.word("stream"), content: content,
            isComplete: try reader.flag("complete"))
    }

    package var json: JSONValue {
        let text = String(validating: content, as: UTF8.self)
        return .members(
            ("time", time.json), ("stream", .string(stream.rawValue)), ("text", text?.json),
            ("base64", text == nil ? .string(Base64.encode(content)) : nil), ("complete", isComplete.json))
    }
}

/// RFC 4648 section 4, with padding: for bytes in JSON that are no text.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let padding = UInt8(ascii: "=")

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let part = bytes[start..<min(start + 3, bytes.count)]
            var word: UInt32 = 0
            for index in 0..<3 { word = word << 8 | UInt32(index < part.count ? part[start + index] : 0) }
            for index in 0..<4 {
                text.append(index <= part.count ? alphabet[Int(word >> UInt32(18 - 6 * index) & 63)] : padding)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// nil for anything but the one form that `encode` writes for some bytes.
    static func decode(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count % 4 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 4 * 3)
        for start in stride(from: 0, to: digits.count, by: 4) {
            let four = digits[start..<start + 4]
            let used = start + 4 == digits.count ? four.prefix { $0 != padding } : four
            guard used.count >= 2, four.dropFirst(used.count).allSatisfy({ $0 == padding }) else { return nil }
            var word: UInt32 = 0
            for digit in used {
                guard let value = alphabet.firstIndex(of: digit) else { return nil }
                word = word << 6 | UInt32(value)
            }
            word <<= UInt32(6 * (4 - used.count))
            for index in 0..<(used.count - 1) { bytes.append(UInt8(word >> UInt32(16 - 8 * index) & 255)) }
        }
        return encode(bytes) == text ? bytes : nil
    }
}
