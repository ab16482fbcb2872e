/// Text that is not JSON: where, what was expected there and what was found.
///
/// Reads `line 3, column 12: expected a value, found "}"`.
package struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Counted from 0, in bytes.
    package var offset: Int
    /// Counted from 1.
    package var line: Int
    /// Counted from 1, in characters of Unicode (scalars), as most editors do.
    package var column: Int
    package var expected: String
    package var found: String

    package var description: String { "line \(line), column \(column): expected \(expected), found \(found)" }

    /// Works out line and column, which the parser does not keep while all is well.
    init(at offset: Int, in bytes: UnsafeBufferPointer<UInt8>, expected: String, found: String? = nil) {
        self.offset = offset
        self.expected = expected
        let before = bytes[..<offset]
        line = 1 + before.count { $0 == UInt8(ascii: "\n") }
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        // Continuation bytes belong to the scalar before them.
        column = 1 + before[lineStart...].count { $0 & 0xC0 != 0x80 }
        self.found = found ?? Self.describe(offset, in: bytes)
    }

    private static func describe(_ offset: Int, in bytes: UnsafeBufferPointer<UInt8>) -> String {
        guard offset < bytes.count else { return "the end of the text" }
        let byte = bytes[offset]
        switch byte {
        case 0x21...0x7E: return byte == UInt8(ascii: "\"") ? "a quotation mark" : "\"\(Unicode.Scalar(byte))\""
        case 0x20: return "a space"
        case 0x0A: return "the end of the line"
        case 0xEF where bytes[offset...].starts(with: [0xEF, 0xBB, 0xBF]): return "a byte order mark"
        default:
            let digits = String(byte, radix: 16, uppercase: true)
            return "byte 0x\(digits.count == 1 ? "0" : "")\(digits)"
        }
    }
}
