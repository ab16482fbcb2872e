/// Identifiers that are given to calls.
enum Identifiers {
    private static let digits = Array("0123456789abcdef".utf8)

    /// A random UUID, RFC 9562 version 4: "1f0c3b1e-6f4a-4c1d-9b5e-0a7f7c6d5e4b".
    static func requestID(_ chance: inout some RandomNumberGenerator) -> String {
        var high = chance.next()
        var low = chance.next()
        high = high & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        low = low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        return String(unsafeUninitializedCapacity: 36) { room in
            var at = 0
            for index in 0..<32 {
                if index == 8 || index == 12 || index == 16 || index == 20 {
                    room[at] = UInt8(ascii: "-")
                    at += 1
                }
                let word = index < 16 ? high : low
                room[at] = digits[Int(word >> UInt64(60 - 4 * (index & 15)) & 15)]
                at += 1
            }
            return 36
        }
    }

    /// A trace as X-Ray writes one: "Root=1-SECONDS-24 DIGITS;Parent=16 DIGITS;Sampled=0". One that is sampled begins at a
    /// function whose tracing is active.
    static func trace(seconds: Int, isSampled: Bool = false, _ chance: inout some RandomNumberGenerator) -> String {
        "Root=1-" + hex(UInt64(seconds), 8) + "-" + hex(chance.next(), 16) + hex(chance.next(), 8) + ";Parent="
            + hex(chance.next(), 16) + (isSampled ? ";Sampled=1" : ";Sampled=0")
    }

    private static func hex(_ number: UInt64, _ count: Int) -> String {
        String(unsafeUninitializedCapacity: count) { room in
            for index in 0..<count { room[index] = digits[Int(number >> UInt64(4 * (count - 1 - index)) & 15)] }
            return count
        }
    }
}
