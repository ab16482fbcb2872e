import Synchronization

/// Chance for all requests: uids and the ends of generated names.
final class Chance: Sendable {
    private let source: Mutex<any RandomNumberGenerator & Sendable>

    init(_ source: any RandomNumberGenerator & Sendable) { self.source = Mutex(source) }

    func next() -> UInt64 { source.withLock { $0.next() } }

    /// 0..<bound
    func below(_ bound: UInt64) -> UInt64 {
        precondition(bound > 0, "nothing lies below 0")
        return next().multipliedFullWidth(by: bound).high
    }

    /// A random UUID, RFC 9562 version 4.
    func uuid() -> String {
        let (a, b) = (next(), next())
        let high = a & ~0xF000 | 0x4000
        let low = b & ~(3 << 62) | 1 << 63
        func hex(_ value: UInt64, _ digits: Int) -> String {
            let text = String(value, radix: 16)
            return String(repeating: "0", count: digits - text.utf8.count) + text
        }
        let (first, second) = (hex(high, 16), hex(low, 16))
        let parts = [
            first.prefix(8), first.dropFirst(8).prefix(4), first.suffix(4), second.prefix(4), second.suffix(12),
        ]
        return parts.joined(separator: "-")
    }

    /// Vowels and what looks like others are left out, so that no words come about (`util/rand` of apimachinery).
    private static let letters = Array("bcdfghjklmnpqrstvwxz2456789")

    func suffix(_ length: Int) -> String {
        String((0..<length).map { _ in Self.letters[Int(below(UInt64(Self.letters.count)))] })
    }
}
