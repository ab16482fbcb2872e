internal import JSON

/// What a service account's token says, as Kubernetes writes it (KEP-1205): a JWT, RFC 7519.
struct TokenClaims: Hashable, Sendable {
    /// An object by name and uid; of a pod's node the uid may be unknown, and empty.
    struct Reference: Hashable, Sendable {
        var name: String
        var uid: String
    }

    var issuer: String
    var audiences: [String]
    /// Seconds since 1970.
    var issuedAt: Int64
    var notBefore: Int64
    var expiry: Int64
    var identifier: String
    var namespace: String
    var account: Reference
    var pod: Reference?
    var node: Reference?
    var secret: Reference?

    var subject: String { "system:serviceaccount:\(namespace):\(account.name)" }

    var json: JSONValue {
        func value(_ reference: Reference) -> JSONValue {
            reference.uid.isEmpty
                ? ["name": .string(reference.name)] : ["name": .string(reference.name), "uid": .string(reference.uid)]
        }
        var own: JSONValue = ["namespace": .string(namespace)]
        if let node { own["node"] = value(node) }
        if let pod { own["pod"] = value(pod) }
        if let secret { own["secret"] = value(secret) }
        own["serviceaccount"] = value(account)
        return [
            "aud": .array(audiences.map { .string($0) }), "exp": .integer(expiry), "iat": .integer(issuedAt),
            "iss": .string(issuer), "jti": .string(identifier), "kubernetes.io": own, "nbf": .integer(notBefore),
            "sub": .string(subject),
        ]
    }
}

extension TokenClaims {
    /// nil for what is not such a token's content.
    init?(_ json: JSONValue) {
        func reference(_ value: JSONValue?) -> Reference? {
            guard let name = value?["name"]?.string else { return nil }
            return Reference(name: name, uid: value?["uid"]?.string ?? "")
        }
        guard let own = json["kubernetes.io"], let issuer = json["iss"]?.string, let expiry = json["exp"]?.integer,
            let namespace = own["namespace"]?.string, let account = reference(own["serviceaccount"])
        else { return nil }
        let audiences = json["aud"]?.array.map { $0.compactMap(\.string) } ?? json["aud"]?.string.map { [$0] } ?? []
        self.init(
            issuer: issuer, audiences: audiences, issuedAt: json["iat"]?.integer ?? 0,
            notBefore: json["nbf"]?.integer ?? 0, expiry: expiry, identifier: json["jti"]?.string ?? "",
            namespace: namespace, account: account, pod: reference(own["pod"]), node: reference(own["node"]),
            secret: reference(own["secret"]))
        // An object that is named and cannot be read would otherwise not be looked for.
        for (key, read) in [("pod", pod), ("node", node), ("secret", secret)] where own[key] != nil && read == nil {
            return nil
        }
        guard json["sub"]?.string == subject else { return nil }
    }
}

/// A JWT in its compact form, RFC 7515 section 7.1: ES256 only, whatever its header would like.
enum TokenText {
    /// Longest that is looked at, bytes.
    static let limit = 16 << 10

    /// - Throws: what the key says.
    static func sign(_ claims: TokenClaims, _ keys: TokenKeys) throws -> String {
        let header: JSONValue = ["alg": "ES256", "kid": .string(keys.signingKeyID)]
        let signed = Base64URL.text(JSONWriter.bytes(header)) + "." + Base64URL.text(JSONWriter.bytes(claims.json))
        return signed + "." + Base64URL.text(try keys.signature(Array(signed.utf8)))
    }

    /// What a token says whose signature is right; nil for any other text.
    static func claims(_ text: String, _ keys: TokenKeys) -> TokenClaims? {
        guard text.utf8.count <= limit else { return nil }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let headerBytes = Base64URL.bytes(parts[0]),
            let header = try? JSONParser.parse(headerBytes),
            header["alg"]?.string == "ES256", header["crit"] == nil, let signature = Base64URL.bytes(parts[2]),
            keys.isValid(signature, of: Array("\(parts[0]).\(parts[1])".utf8), keyID: header["kid"]?.string),
            let content = Base64URL.bytes(parts[1]), let json = try? JSONParser.parse(content)
        else { return nil }
        return TokenClaims(json)
    }

    /// Whether a text looks like a JWT of this issuer, before anybody has looked at its signature.
    static func issuer(_ text: String) -> String? {
        guard text.utf8.count <= limit else { return nil }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let content = Base64URL.bytes(parts[1]), let json = try? JSONParser.parse(content)
        else {
            return nil
        }
        return json["iss"]?.string
    }
}
