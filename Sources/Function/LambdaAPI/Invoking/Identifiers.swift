internal import Linux

/// Identifiers that are given to calls.
enum Identifiers {
    private static let digits = Array("0123456789abcdef".utf8)

    /// A UUID that begins with the time, RFC 9562 version 7: "0190163d-8694-739b-aea5-966c26f8ad91".
    ///
    /// The ledger's index of requests grows at its end then, where a random one would change a page for each call.
    static func requestID(at time: Timestamp, _ chance: inout some RandomNumberGenerator) -> String {
        let milliseconds = UInt64(max(time.nanoseconds, 0)) / 1_000_000
        let high = milliseconds << 16 | 0x7000 | chance.next() & 0x0FFF
        let low = chance.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
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
