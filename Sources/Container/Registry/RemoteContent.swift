internal import Crypto

/// The digest of a blob as registries write it, checked before it becomes part of any address or path.
///
/// Invariants
/// 1. It is "sha256:" and 64, or "sha512:" and 128, digits of lower case.
///    (test: `a digest that is none is refused before it is used`)
package struct RemoteDigest: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let length = ["sha256": 64, "sha512": 128][parts[0]], parts[1].utf8.count == length,
            parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return nil }
        description = text
    }

    /// The SHA-256 of bytes.
    package init(of bytes: [UInt8]) { description = "sha256:" + Self.hex(SHA256.hash(data: bytes)) }

    /// Whether it is the digest of these bytes.
    package func matches(_ bytes: [UInt8]) -> Bool {
        description.hasPrefix("sha512:")
            ? description == "sha512:" + Self.hex(SHA512.hash(data: bytes)) : self == RemoteDigest(of: bytes)
    }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

/// One thing that a registry holds: a descriptor, as far as its transfer needs it.
package struct RemoteContent: Hashable, Sendable {
    package var mediaType: String
    package var digest: RemoteDigest
    /// Bytes.
    package var size: Int64

    package init(mediaType: String, digest: RemoteDigest, size: Int64) {
        self.mediaType = mediaType
        self.digest = digest
        self.size = size
    }
}

/// A repository of a registry.
///
/// Invariants
/// 1. `path` is a name of the distribution specification, so that it can be part of an address as it is.
///    (test: `a repository's name cannot leave its place in an address`)
package struct RemoteRepository: Hashable, Sendable, CustomStringConvertible {
    /// The host with its port, as references name it.
    package let registry: String
    package let path: String

    /// - Throws: `RegistryFailure` of kind `badRequest`.
    package init(registry: String, path: String) throws(RegistryFailure) {
        guard WebAddress(registry: registry, isSecure: true) != nil else {
            throw RegistryFailure(.badRequest, "\(registry.debugDescription) is no host of a registry")
        }
        guard Self.isName(path) else {
            throw RegistryFailure(
                .badRequest,
                "\(path.debugDescription) is no repository: words of a-z and 0-9, joined by \".\", \"_\", \"__\" or "
                    + "dashes, with \"/\" between them, 255 characters at most")
        }
        self.registry = registry
        self.path = path
    }

    package var description: String { "\(registry)/\(path)" }

    /// The grammar of a repository's name: the distribution specification, "Pulling manifests".
    private static func isName(_ path: String) -> Bool {
        guard path.utf8.count <= 255 else { return false }
        return path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { component in
            let runs = component.split(omittingEmptySubsequences: false) { !isWordCharacter($0) }
            guard let first = runs.first, !first.isEmpty, runs.last?.isEmpty == false else { return false }
            let separators = component.split(whereSeparator: isWordCharacter)
            return separators.allSatisfy { $0 == "." || $0 == "_" || $0 == "__" || $0.allSatisfy { $0 == "-" } }
        }
    }

    private static func isWordCharacter(_ character: Character) -> Bool {
        ("a"..."z").contains(character) || ("0"..."9").contains(character)
    }

    /// Whether a text is a tag of the distribution specification.
    package static func isTag(_ text: String) -> Bool {
        guard (1...128).contains(text.utf8.count), let first = text.utf8.first, isTagByte(first),
            first != UInt8(ascii: "."), first != UInt8(ascii: "-")
        else { return false }
        return text.utf8.allSatisfy(isTagByte)
    }

    private static func isTagByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
    }
}
