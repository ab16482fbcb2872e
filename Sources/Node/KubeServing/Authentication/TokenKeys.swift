internal import Crypto
internal import JSON

/// The keys of service accounts' tokens, ES256 (RFC 7518 section 3.4): the first signs, all are believed.
struct TokenKeys: Sendable {
    private struct Key: Sendable {
        let id: String
        let key: P256.Signing.PrivateKey
    }

    private let keys: [Key]

    static func make() -> TokenKeys { TokenKeys([P256.Signing.PrivateKey()]) }

    private init(_ keys: [P256.Signing.PrivateKey]) {
        self.keys = keys.map { key in
            // As Kubernetes names its keys: a digest of the public one.
            Key(id: Base64URL.text(Array(SHA256.hash(data: key.publicKey.derRepresentation))), key: key)
        }
    }

    init(pem text: String) throws {
        let blocks = PEMText.blocks(of: text) { $0.hasSuffix("PRIVATE KEY") }
        guard !blocks.isEmpty else { throw AuthorityFailure("it holds no private key") }
        self.init(try blocks.map { try P256.Signing.PrivateKey(pemRepresentation: $0) })
    }

    var pem: String { keys.map { $0.key.pemRepresentation + "\n" }.joined() }

    var signingKeyID: String { keys[0].id }

    /// r and s, 32 bytes each.
    func signature(_ bytes: [UInt8]) throws -> [UInt8] {
        Array(try keys[0].key.signature(for: bytes).rawRepresentation)
    }

    /// - Parameter id: which key; nil: any.
    func isValid(_ signature: [UInt8], of bytes: [UInt8], keyID id: String?) -> Bool {
        guard let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
        return keys.contains { ($0.id == id || id == nil) && $0.key.publicKey.isValidSignature(signature, for: bytes) }
    }

    /// RFC 7517.
    var keySet: JSONValue {
        let keys: [JSONValue] = keys.map { key in
            let point = Array(key.key.publicKey.rawRepresentation)
            return [
                "use": "sig", "kty": "EC", "kid": .string(key.id), "crv": "P-256", "alg": "ES256",
                "x": .string(Base64URL.text(Array(point[..<32]))), "y": .string(Base64URL.text(Array(point[32...]))),
            ]
        }
        return ["keys": .array(keys)]
    }
}

/// base64url without padding, RFC 4648 section 5.
enum Base64URL {
    static func text(_ bytes: [UInt8]) -> String {
        var text = Base64.text(bytes)
        while text.last == "=" { text.removeLast() }
        return String(decoding: text.utf8.map { $0 == 0x2B ? 0x2D : $0 == 0x2F ? 0x5F : $0 }, as: UTF8.self)
    }

    /// nil for what is none, also for the other alphabet.
    static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        guard text.utf8.allSatisfy({ $0 != 0x2B && $0 != 0x2F && $0 != 0x3D }) else { return nil }
        return Base64.bytes(
            String(decoding: text.utf8.map { $0 == 0x2D ? 0x2B : $0 == 0x5F ? 0x2F : $0 }, as: UTF8.self))
    }
}
