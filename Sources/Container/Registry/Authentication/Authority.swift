import JSON
import Linux
internal import NIOHTTP1

/// Turns a registry's challenges into Authorization headers, and remembers tokens.
///
/// Invariants
/// 1. One token is fetched once, however many downloads ask for it at the same time.
///    (test: `parallel downloads share one token`)
/// 2. Credentials go to the registry they are for and to the token service that this registry names, in the clear only
///    where plain HTTP was named. (test: `a token service in the clear gets no password`)
actor Authority {
    /// A token that is about to expire is not used any more.
    private static let margin = 10
    /// The distribution specification's assumption for a token without "expires_in".
    private static let usualSeconds = 60
    private static let answerBytesLimit = 1 << 20

    private struct Key: Hashable {
        var registry: String
        var scopes: [String]
    }

    private struct Grant: Sendable {
        var header: String
        /// Of the monotonic clock; nil: for ever.
        var expires: Int?
    }

    private let source: any CredentialSource
    private let transport: Transport
    private var grants: [Key: Grant] = [:]
    private var underWay: [Key: Task<Result<Grant, RegistryFailure>, Never>] = [:]

    init(_ source: any CredentialSource, _ transport: Transport) {
        self.source = source
        self.transport = transport
    }

    /// What is known already for these scopes, still good.
    func header(for registry: String, _ scopes: [String]) -> String? {
        guard let grant = grants[Key(registry: registry, scopes: scopes)] else { return nil }
        if let expires = grant.expires, expires <= Clock.monotonicNanoseconds() { return nil }
        return grant.header
    }

    /// A header that meets one of the challenges.
    ///
    /// - Parameter refused: the header that was just refused, if there was one.
    func header(
        for registry: String, _ scopes: [String], meeting challenges: [Challenge], refused: String?
    ) async throws(RegistryFailure) -> String {
        let key = Key(registry: registry, scopes: scopes)
        // Somebody else may have got a new one since.
        if let known = header(for: registry, scopes), known != refused { return known }
        if let task = underWay[key] { return try await task.value.get().header }
        let task = Task { await self.fetch(registry, scopes, challenges, refused) }
        underWay[key] = task
        let result = await task.value
        underWay[key] = nil
        if case .success(let grant) = result { grants[key] = grant } else { grants[key] = nil }
        return try result.get().header
    }

    private func fetch(
        _ registry: String, _ scopes: [String], _ challenges: [Challenge], _ refused: String?
    ) async -> Result<Grant, RegistryFailure> {
        do throws(RegistryFailure) {
            let credentials = try await source.credentials(for: registry)
            if let bearer = challenges.first(where: { $0.scheme == "bearer" }) {
                return .success(try await token(registry, scopes, bearer, credentials))
            }
            guard challenges.contains(where: { $0.scheme == "basic" }) else {
                let schemes = challenges.map(\.scheme).joined(separator: ", ")
                throw RegistryFailure(
                    .unsupported,
                    "\(registry) wants authentication by \(schemes.isEmpty ? "nothing it names" : schemes); known here "
                        + "are bearer and basic")
            }
            guard let basic = credentials?.basic, basic != refused else {
                throw RegistryFailure(
                    .denied,
                    credentials == nil
                        ? "\(registry) wants a user and a password, and Docker's config.json has none for it"
                        : "\(registry) does not accept the user and password that Docker's config.json has for it")
            }
            return .success(Grant(header: basic))
        } catch { return .failure(error) }
    }

    private func token(
        _ registry: String, _ scopes: [String], _ challenge: Challenge, _ credentials: Credentials?
    ) async throws(RegistryFailure) -> Grant {
        guard let realm = challenge.parameters["realm"].flatMap({ WebAddress($0) }) else {
            throw RegistryFailure(.untrustworthy, "\(registry) names no token service that could be asked")
        }
        let request = Self.request(realm, scopes, challenge, credentials)
        let what = "the token for \(registry)"
        let bytes = try await transport.exchange(request) { response, _ in
            do throws(RegistryFailure) {
                guard response.status == 200 else { throw await RegistryAnswer.failure(response, "get \(what)") }
                return .success(try await response.bytes(limit: Self.answerBytesLimit, what: what))
            } catch { return .failure(error) }
        }
        let now = Clock.monotonicNanoseconds()
        do {
            var reader = try JSONObjectReader(try JSONParser.parse(bytes))
            let token: String? = try reader.optional("token")
            let access: String? = try reader.optional("access_token")
            let seconds: Int = try reader.optional("expires_in") ?? Self.usualSeconds
            guard let text = token ?? access, !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                throw JSONShapeError(path: "token", problem: "expected a token")
            }
            // A day at most: whoever says more means for ever, and would make the sum overflow.
            let span = max(min(seconds, 86_400) - Self.margin, 1)
            return Grant(header: "Bearer \(text)", expires: now + span * 1_000_000_000)
        } catch {
            throw RegistryFailure(.untrustworthy, "read \(what) from \(realm.authority): \(error)")
        }
    }

    /// A token by password is a GET with basic authentication; by refresh token a POST of OAuth 2 (RFC 6749 section 6).
    private static func request(
        _ realm: WebAddress, _ scopes: [String], _ challenge: Challenge, _ credentials: Credentials?
    ) -> WebRequest {
        let service = challenge.parameters["service"]
        let wanted = scopes.isEmpty ? [challenge.parameters["scope"]].compactMap { $0 } : scopes
        if case .identityToken(let refresh) = credentials {
            var fields = [("grant_type", "refresh_token"), ("client_id", "forkless"), ("refresh_token", refresh)]
            if let service { fields.append(("service", service)) }
            if !wanted.isEmpty { fields.append(("scope", wanted.joined(separator: " "))) }
            var request = WebRequest(.POST, realm)
            let form = fields.map { "\($0.0)=\(WebAddress.encoded($0.1))" }.joined(separator: "&")
            request.headers = [("Content-Type", "application/x-www-form-urlencoded")]
            request.body = .bytes(Array(form.utf8))
            return request
        }
        var query: [(name: String, value: String)] = []
        if let service { query.append(("service", service)) }
        for scope in wanted { query.append(("scope", scope)) }
        if case .password(let user, _) = credentials { query.append(("account", user)) }
        var request = WebRequest(.GET, realm.adding(query))
        request.authorization = credentials?.basic
        return request
    }
}
