internal import Crypto
internal import JSON

/// Digests as lower-case hexadecimal digits.
enum Digests {
    static func sha256(_ bytes: [UInt8]) -> String { Hexadecimal.text(Array(SHA256.hash(data: bytes))) }
    /// Only where a protocol asks for it.
    static func md5(_ bytes: [UInt8]) -> String { Hexadecimal.text(Array(Insecure.MD5.hash(data: bytes))) }
}

/// Identifiers in the form of a UUID, RFC 9562.
enum Identifiers {
    /// Version 4: by chance.
    static func random() -> String {
        uuid((0..<16).map { _ in UInt8.random(in: .min ... .max) }, version: 4)
    }

    /// Version 8: from a name, the same for the same name.
    static func named(_ name: String) -> String {
        uuid(Array(SHA256.hash(data: Array(name.utf8)).prefix(16)), version: 8)
    }

    private static func uuid(_ bytes: [UInt8], version: UInt8) -> String {
        var bytes = bytes
        bytes[6] = bytes[6] & 0x0F | version << 4
        bytes[8] = bytes[8] & 0x3F | 0x80
        let parts = [0..<4, 4..<6, 6..<8, 8..<10, 10..<16]
        return parts.map { Hexadecimal.text(Array(bytes[$0])) }.joined(separator: "-")
    }
}
