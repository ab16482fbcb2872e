internal import NIOHTTP1

/// A client of registries, after the OCI distribution specification 1.1.
///
///     let client = RegistryClient(.init(plainHosts: ["localhost:5000"]), credentials: DockerCredentials(directory: ...))
///     try await client.ping("localhost:5000")
///     await client.close()
///
/// Invariants
/// 1. Nothing is believed: bytes are counted against what was announced and hashed before they count as received.
///    (tests: `a manifest of another digest is refused`, `a blob longer than announced is cut off`)
package final class RegistryClient: Sendable {
    package struct Settings: Sendable {
        /// Registries ("HOST[:PORT]") without TLS.
        package var plainHosts: Set<String>
        package var trust: RegistryTrust
        package var patience: Patience
        package var retry: RetryPolicy
        package var waiting: Waiting
        /// Blobs of one image at once.
        package var parallelBlobs: Int
        /// A longer blob is sent in chunks of so many bytes, so that a broken connection costs one chunk.
        package var chunkBytes: Int

        package init(
            plainHosts: Set<String> = [], trust: RegistryTrust = RegistryTrust(), patience: Patience = Patience(),
            retry: RetryPolicy = RetryPolicy(), waiting: Waiting = .real, parallelBlobs: Int = 4,
            chunkBytes: Int = 64 << 20
        ) {
            precondition(parallelBlobs >= 1 && chunkBytes >= 1, "at least one at a time")
            self.plainHosts = plainHosts
            self.trust = trust
            self.patience = patience
            self.retry = retry
            self.waiting = waiting
            self.parallelBlobs = parallelBlobs
            self.chunkBytes = chunkBytes
        }
    }

    package let settings: Settings
    private let transport: Transport
    private let authority: Authority

    package init(_ settings: Settings = Settings(), credentials: any CredentialSource = KnownCredentials()) {
        self.settings = settings
        transport = Transport(
            rule: RedirectRule(plainHosts: settings.plainHosts), patience: settings.patience, trust: settings.trust)
        authority = Authority(credentials, transport)
    }

    /// Ends its connections. Every client has to be closed, and nothing may be asked afterwards.
    package func close() async { await transport.close() }

    /// Whether a registry is there, speaks this protocol, and accepts the credentials for it.
    package func ping(_ registry: String) async throws(RegistryFailure) {
        guard let address = address(registry) else {
            throw RegistryFailure(.badRequest, "\(registry.debugDescription) is no host of a registry")
        }
        let request = WebRequest(.GET, address.at("/v2/"))
        try await retrying { () async throws(RegistryFailure) in
            try await self.exchange(request, registry, []) { response, _ async throws(RegistryFailure) in
                guard response.status == 200 else {
                    throw await RegistryAnswer.failure(response, "greet \(registry)")
                }
            }
        }
    }

    // What follows is for Pull/ and Push/.

    /// "/v2/NAME/REST" of a repository's registry.
    func address(_ repository: Repository, _ rest: String) -> WebAddress {
        // Checked when the repository was made.
        address(repository.registry)!.at("/v2/\(repository.path)/\(rest)")
    }

    private func address(_ registry: String) -> WebAddress? {
        WebAddress(registry: registry, isSecure: !transport.rule.isPlain(registry: registry))
    }

    /// One exchange with authentication: a challenge is met once, and what then is refused is refused.
    func exchange<Value: Sendable>(
        _ request: WebRequest, _ registry: String, _ scopes: [String],
        _ read: @escaping @Sendable (WebResponse, StallWatch) async throws(RegistryFailure) -> Value
    ) async throws(RegistryFailure) -> Value {
        var request = request
        // Credentials are for the registry; where an upload is sent may be another host.
        let isHome = request.address.origin == address(registry)?.origin
        request.authorization = isHome ? await authority.header(for: registry, scopes) : nil
        switch try await answer(request, mayBeChallenged: isHome, read) {
        case .value(let value): return value
        case .challenged(let challenges):
            request.authorization = try await authority.header(
                for: registry, scopes, meeting: challenges, refused: request.authorization)
            guard case .value(let value) = try await answer(request, mayBeChallenged: false, read) else {
                preconditionFailure("a challenge is a value where it is not looked for")
            }
            return value
        }
    }

    private enum Answer<Value: Sendable>: Sendable {
        case value(Value)
        case challenged([Challenge])
    }

    private func answer<Value: Sendable>(
        _ request: WebRequest, mayBeChallenged: Bool,
        _ read: @escaping @Sendable (WebResponse, StallWatch) async throws(RegistryFailure) -> Value
    ) async throws(RegistryFailure) -> Answer<Value> {
        try await transport.exchange(request) { response, watch in
            if response.status == 401, mayBeChallenged, response.address.origin == request.address.origin {
                let challenges = response.headers["www-authenticate"].flatMap { Challenge.parse($0) }
                if !challenges.isEmpty { return .success(.challenged(challenges)) }
            }
            do throws(RegistryFailure) { return .success(.value(try await read(response, watch))) } catch {
                return .failure(error)
            }
        }
    }

    /// Tries again what may pass by itself.
    ///
    /// - Parameters:
    ///   - progress: a number that grows when a try brought something: tries that bring something are not counted.
    ///   - note: hears of a failed try before the pause.
    func retrying<Value: Sendable>(
        progress: @Sendable () async -> Int = { 0 }, note: @Sendable (RegistryFailure) async -> Void = { _ in },
        _ body: @Sendable () async throws(RegistryFailure) -> Value
    ) async throws(RegistryFailure) -> Value {
        var failed = 0
        var reached = await progress()
        while true {
            do throws(RegistryFailure) { return try await body() } catch {
                let now = await progress()
                failed = now > reached ? 1 : failed + 1
                reached = max(now, reached)
                let chance = settings.waiting.chance()
                guard let pause = settings.retry.pause(after: error, failed: failed, chance: chance) else {
                    throw error
                }
                await note(error)
                do { try await settings.waiting.sleep(pause) } catch { throw RegistryFailure(.cancelled, "taken back") }
            }
        }
    }
}
