package import JSON

/// The name of some bytes: an algorithm and the hash in lower-case hexadecimal, "sha256:e3b0...".
///
/// Digests arrive from registries, archives and manifests, and become file names and parts of URLs.
///
/// Invariants (each with a test in DigestTests):
/// 1. A digest is `sha256:` and 64 digits or `sha512:` and 128 digits from 0-9a-f, and nothing else; so it holds no
///    "/", no ".." and no NUL (CVE-2024-3727).
/// 2. Two digests are equal when their texts are.
package struct Digest: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// A hash function that the image specification registers (image-spec descriptor.md, "Registered Algorithms").
    package enum Algorithm: String, Hashable, Sendable, CaseIterable {
        case sha256
        case sha512

        /// The length of a hash in hexadecimal digits.
        package var digits: Int {
            switch self {
            case .sha256: 64
            case .sha512: 128
            }
        }
    }

    package let algorithm: Algorithm
    /// The hash, two lower-case digits a byte.
    package let hex: String

    /// Reads "sha256:..." or "sha512:..."; nil for anything else.
    package init?(_ text: some StringProtocol) {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")),
            let algorithm = Algorithm(rawValue: String(text[..<colon]))
        else { return nil }
        let hex = text[text.utf8.index(after: colon)...]
        guard hex.utf8.count == algorithm.digits, hex.utf8.allSatisfy(Self.isDigit) else { return nil }
        self.algorithm = algorithm
        self.hex = String(hex)
    }

    /// The digest with this hash; a hash of another length is a programmer error.
    package init(_ algorithm: Algorithm, hash: some Sequence<UInt8>) {
        hex = Hexadecimal.text(Array(hash))
        precondition(hex.utf8.count == algorithm.digits, "a \(algorithm) hash has \(algorithm.digits / 2) bytes")
        self.algorithm = algorithm
    }

    package var description: String { "\(algorithm.rawValue):\(hex)" }

    /// The first twelve digits, as in listings.
    package var short: String { String(hex.prefix(12)) }

    package static func < (a: Digest, b: Digest) -> Bool {
        (a.algorithm.rawValue, a.hex) < (b.algorithm.rawValue, b.hex)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}

extension Digest: JSONConvertible {
    package static var expectation: String { "a digest (\"sha256:\" and 64 digits 0-9a-f, or sha512 and 128)" }
    package init?(json: JSONValue) {
        guard let text = json.string else { return nil }
        self.init(text)
    }
    package var json: JSONValue { .string(description) }
}
