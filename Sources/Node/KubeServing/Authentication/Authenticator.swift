package import KubeObjects
internal import Synchronization

/// What a request brings to say who sends it.
package struct Credentials: Hashable, Sendable {
    /// Of a client by TLS that proved to have its key, DER.
    package var certificate: [UInt8]?
    /// The header Authorization.
    package var authorization: String?
    /// The header Sec-WebSocket-Protocol: browsers can send a token by no other.
    package var webSocketProtocols: String?

    package init(certificate: [UInt8]? = nil, authorization: String? = nil, webSocketProtocols: String? = nil) {
        self.certificate = certificate
        self.authorization = authorization
        self.webSocketProtocols = webSocketProtocols
    }

    /// The text of the token, as kube-apiserver looks for it.
    var bearerToken: String? {
        if let authorization {
            let parts = authorization.trimmed.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
            if parts.count >= 2, parts[0].lowercased() == "bearer", !parts[1].isEmpty { return String(parts[1]) }
        }
        for name in (webSocketProtocols ?? "").split(separator: ",").map({ $0.trimmed })
        where name.hasPrefix(Self.webSocketPrefix) {
            let bytes = Base64URL.bytes(name.dropFirst(Self.webSocketPrefix.count))
            if let bytes, !bytes.isEmpty { return String(decoding: bytes, as: UTF8.self) }
        }
        return nil
    }

    static let webSocketPrefix = "base64url.bearer.authorization.k8s.io."
}

/// Says who sends a request: by certificate, else by token; nobody at all is anonymous, and somebody with credentials
/// that are not good is nobody (401).
package struct Authenticator: Sendable {
    /// metav1.Status of 401.
    package static let unauthorized = APIFailure(401, "Unauthorized", "Unauthorized")

    private let certificates: ClientCertificates
    private let fixed: StaticTokens
    private let tokens: ServiceAccountTokens?
    private let now: @Sendable () -> Int64

    /// - Parameters:
    ///   - staticTokens: further ones; the administrator's token of the authority is among them always.
    ///   - tokens: nil: no service account is known.
    package init(
        authority: NodeAuthority, tokens: ServiceAccountTokens?, staticTokens: StaticTokens = StaticTokens(),
        now: @escaping @Sendable () -> Int64 = NodeAuthority.clock
    ) {
        certificates = ClientCertificates(authority.authority)
        var fixed = staticTokens
        fixed.add(authority.administratorToken, UserInfo(name: "forkless:admin", groups: [UserInfo.masters]))
        self.fixed = fixed
        self.tokens = tokens
        self.now = now
    }

    /// - Throws: 401; what the look-up of a token's subjects does.
    package func user(_ credentials: Credentials) async throws(APIFailure) -> UserInfo {
        if let certificate = credentials.certificate, let user = certificates.user(certificate, at: now()) {
            return Self.authenticated(user)
        }
        if let token = credentials.bearerToken {
            if let user = fixed.user(token) { return Self.authenticated(user) }
            if let tokens, case .user(let user, _) = try await tokens.review(token) { return Self.authenticated(user) }
            throw Self.unauthorized
        }
        // A certificate that names nobody is no different from none that was meant: it must not become anonymous.
        guard credentials.certificate == nil, credentials.authorization == nil else { throw Self.unauthorized }
        return .anonymous
    }

    /// Looks whose token it is, for TokenReview: the node's own tokens and those of service accounts.
    ///
    /// - Parameter audiences: who asks; empty: the API, whose the node's own tokens are.
    package func review(
        _ token: String, audiences: [String]
    ) async throws(APIFailure) -> ServiceAccountTokens.Review {
        if let user = fixed.user(token) {
            let own = tokens?.audiences ?? []
            let common = audiences.isEmpty ? own : audiences.filter { own.contains($0) }
            guard !common.isEmpty || audiences.isEmpty else { return .refused("invalid bearer token") }
            return .user(Self.authenticated(user), audiences: common)
        }
        guard let tokens else { return .unknown }
        switch try await tokens.review(token, audiences: audiences) {
        case .user(let user, let audiences): return .user(Self.authenticated(user), audiences: audiences)
        case let other: return other
        }
    }

    private static func authenticated(_ user: UserInfo) -> UserInfo {
        guard user.name != UserInfo.anonymous.name, !user.groups.contains("system:authenticated") else { return user }
        var user = user
        user.groups.append("system:authenticated")
        return user
    }
}
