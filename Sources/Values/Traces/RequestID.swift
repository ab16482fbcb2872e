/// The id of one call, from the door at which it came to the record of its end.
package enum RequestID {
    /// Of an id that a caller may choose.
    static let lengthLimit = 128

    /// A UUID that begins with the time, RFC 9562 version 7: "0190163d-8694-739b-aea5-966c26f8ad91".
    ///
    /// - Parameters:
    ///   - milliseconds: since 1970.
    ///   - high: 12 bits of it are used.
    ///   - low: 62 bits.
    package static func text(milliseconds: UInt64, _ high: UInt64, _ low: UInt64) -> String {
        let high = milliseconds << 16 | 0x7000 | high & 0x0FFF
        let low = low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        return HexText.made(36) { text in
            text.write(high >> 32, digits: 8)
            text.write("-")
            text.write(high >> 16 & 0xFFFF, digits: 4)
            text.write("-")
            text.write(high & 0xFFFF, digits: 4)
            text.write("-")
            text.write(low >> 48, digits: 4)
            text.write("-")
            text.write(low & 0xFFFF_FFFF_FFFF, digits: 12)
        }
    }

    package static func drawn(milliseconds: UInt64, _ chance: inout some RandomNumberGenerator) -> String {
        text(milliseconds: milliseconds, chance.next(), chance.next())
    }

    /// Whether an id that a caller sent is taken: letters, digits and "-._~+/=:", at most 128 of them. Anything else would be
    /// trouble in a log line, a variable or a path, and gets an id of ours instead.
    package static func isAcceptable(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= lengthLimit
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-._~+/=:".utf8.contains(byte)
                }
            }
    }
}
