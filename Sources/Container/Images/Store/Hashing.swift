internal import struct Crypto.SHA256
internal import struct Crypto.SHA512
package import OCI

/// A digest computed over bytes as they come.
package struct DigestBuilder: Sendable {
    private enum Function {
        case sha256(SHA256)
        case sha512(SHA512)
    }

    private var function: Function

    package init(_ algorithm: OCI.Digest.Algorithm = .sha256) {
        switch algorithm {
        case .sha256: function = .sha256(SHA256())
        case .sha512: function = .sha512(SHA512())
        }
    }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        switch function {
        case .sha256(var hash):
            hash.update(bufferPointer: bytes)
            function = .sha256(hash)
        case .sha512(var hash):
            hash.update(bufferPointer: bytes)
            function = .sha512(hash)
        }
    }

    /// The digest of all bytes up to now.
    package func finalize() -> OCI.Digest {
        switch function {
        case .sha256(let hash): OCI.Digest(.sha256, hash: hash.finalize())
        case .sha512(let hash): OCI.Digest(.sha512, hash: hash.finalize())
        }
    }
}

extension OCI.Digest {
    /// The digest of these bytes.
    package init(of bytes: [UInt8], _ algorithm: OCI.Digest.Algorithm = .sha256) {
        var builder = DigestBuilder(algorithm)
        bytes.withUnsafeBytes { builder.update($0) }
        self = builder.finalize()
    }

    /// The chain id of each layer of a stack, the lowest first: the name of what the layers up to it unpack to
    /// (image-spec config.md, "Layer ChainID").
    package static func chainIDs(of diffIDs: [OCI.Digest]) -> [OCI.Digest] {
        var chain: [OCI.Digest] = []
        for diffID in diffIDs {
            guard let below = chain.last else {
                chain.append(diffID)
                continue
            }
            chain.append(OCI.Digest(of: Array("\(below) \(diffID)".utf8)))
        }
        return chain
    }
}
