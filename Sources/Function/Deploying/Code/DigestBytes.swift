internal import Images
internal import OCI

enum DigestBytes {
    /// SHA-256.
    static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        let hex = Array(OCI.Digest(of: bytes).hex.utf8)
        return stride(from: 0, to: hex.count, by: 2).map { nibble(hex[$0]) << 4 | nibble(hex[$0 + 1]) }
    }

    private static func nibble(_ digit: UInt8) -> UInt8 { digit <= UInt8(ascii: "9") ? digit - 48 : digit - 87 }
}
