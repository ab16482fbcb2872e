import Engine
import Images
import Linux
import OCI
import Registry
import Synchronization

/// Registries as a part of the node: `images.pull`, `images.push`, `registries.get` and `registries.check`.
package enum RegistryPart {
    /// Makes the part for a node.
    package static let maker: NodePart.Maker = { node in
        let exchange = RegistryExchange(
            settings: node.settings.registries, images: node.images, journal: node.engine.journal)
        return NodePart(owner: nil, routes: exchange.routes)
    }
}

/// What the node does with registries, for one request at a time: a client is made of what the request carries and of
/// what the node was told, and is gone with it, credentials and all.
struct RegistryExchange: Sendable {
    let settings: RegistrySettings
    let images: ImageStore
    let journal: EventJournal

    var routes: [NodeRoute] {
        [
            NodeRoute(PullImage.self) { request, exchange async throws(NodeFailure) in
                try await pull(request, exchange)
            },
            NodeRoute(PushImage.self) { request, exchange async throws(NodeFailure) in
                try await push(request, exchange)
            },
            NodeRoute(CheckRegistry.self) { request, _ async throws(NodeFailure) in
                try await using(request.access, of: request.registry) { client throws(RegistryFailure) in
                    try await client.ping(request.registry)
                    return NoValue()
                }
            },
            NodeRoute(GetRegistries.self) { _, _ async throws(NodeFailure) in settings.view },
        ]
    }

    private func pull(_ request: PullImage, _ exchange: NodeExchange) async throws(NodeFailure) -> ImagePulled {
        let report = report(to: exchange)
        let images = images
        // Of layers that were here nothing more is told: they are unpacked, too, as a rule.
        let present = Mutex<Set<Digest>>([])
        let outcome = try await using(request.access, of: request.image.host ?? settings.usual) {
            client throws(RegistryFailure) in
            let pull = StorePull(
                store: images, client: client, defaultRegistry: settings.usual,
                progress: { event in
                    if event.happening == .present { _ = present.withLock { $0.insert(event.content.digest) } }
                    await report(TransferProgress(event))
                },
                prepare: { manifest throws(ImageFailure) in
                    try await unpack(manifest) { word in
                        if !present.withLock({ $0.contains(word.part) }) { await report(word) }
                    }
                })
            return try await pull.run(request.image, platform: request.platform, now: Clock.now())
        }
        journal.note(.image, "pull", subject: outcome.name.description, name: outcome.name.repository)
        return ImagePulled(
            name: outcome.name, id: outcome.image.id, digest: outcome.digest, isNew: outcome.isNew)
    }

    private func unpack(
        _ manifest: Manifest, _ report: @escaping @Sendable (TransferProgress) async -> Void
    ) async throws(ImageFailure) {
        // Those who unpack do not wait for a reader of progress: two words for each layer are kept for it.
        let (words, keeping) = AsyncStream<TransferProgress>.makeStream()
        async let telling: Void = {
            for await word in words { await report(word) }
        }()
        do throws(ImageFailure) {
            try await images.unpackLayers(of: manifest) { layer, isDone in
                keeping.yield(TransferProgress(layer, isDone ? .unpacked : .unpacking))
            }
        } catch {
            keeping.finish()
            await telling
            throw error
        }
        keeping.finish()
        await telling
    }

    private func push(_ request: PushImage, _ exchange: NodeExchange) async throws(NodeFailure) -> ImagePushed {
        let report = report(to: exchange)
        let images = images
        let outcome = try await using(request.access, of: request.image.host ?? settings.usual) {
            client throws(RegistryFailure) in
            let push = StorePush(
                store: images, client: client, defaultRegistry: settings.usual,
                progress: { await report(TransferProgress($0)) })
            return try await push.run(request.image)
        }
        journal.note(.image, "push", subject: request.image.tagged.description, name: request.image.repository)
        return ImagePushed(name: request.image.tagged, digest: outcome.digest, size: outcome.size)
    }

    /// Somebody who is gone takes the request along: their progress needs no second way of ending it.
    private func report(to exchange: NodeExchange) -> @Sendable (TransferProgress) async -> Void {
        { progress in try? await exchange.send(progress) }
    }

    /// A client for one request.
    ///
    /// - Parameter registry: that the credentials are for; nil: none is asked, and the name will be refused.
    private func using<Value: Sendable>(
        _ access: RegistryAccess, of registry: String?,
        _ body: @Sendable (RegistryClient) async throws(RegistryFailure) -> Value
    ) async throws(NodeFailure) -> Value {
        var known: [String: Credentials] = [:]
        if let registry, let login = access.credentials { known[registry] = Credentials(login) }
        do throws(RegistryFailure) {
            let client = RegistryClient(
                RegistryClient.Settings(
                    plainHosts: Set(settings.plainHosts + access.plainHosts), trust: try await settings.trust(in: registry)),
                credentials: KnownCredentials(known))
            do throws(RegistryFailure) {
                let value = try await body(client)
                await client.close()
                return value
            } catch {
                await client.close()
                throw error
            }
        } catch { throw NodeFailure(error) }
    }
}

extension RegistrySettings {
    /// Whose certificates are believed in connections to a registry.
    func trust(in registry: String?) async throws(RegistryFailure) -> RegistryTrust {
        let settings = self
        let result: Result<RegistryTrust, RegistryFailure>
        do throws(SystemError) {
            result = try await BlockingPool.shared.run { () throws(SystemError) in
                Result { () throws(RegistryFailure) in
                    let trust = RegistryTrust(roots: settings.roots)
                    guard let registry else { return trust }
                    return try trust.adding(directory: settings.certificates, for: registry)
                }
            }
        } catch { throw RegistryFailure(.storage, "\(error)") }
        return try result.get()
    }
}

extension Credentials {
    fileprivate init(_ login: RegistryLogin) {
        switch login.secret {
        case .password(let user, let password): self = .password(user: user, password: password)
        case .identityToken(let token): self = .identityToken(token)
        }
    }
}

extension TransferProgress {
    fileprivate init(_ layer: Descriptor, _ state: State) {
        self.init(part: layer.digest, isLayer: !MediaType.isConfig(layer.mediaType), size: layer.size, state: state)
    }

    fileprivate init(_ event: TransferEvent) {
        self.init(event.content, .waiting)
        switch event.happening {
        case .waiting: state = .waiting
        case .present: state = .present
        case .mounted: state = .mounted
        case .done: state = .done
        case .moving(let count): (state, bytes) = (.moving, count)
        case .retrying(let why): (state, message) = (.retrying, why)
        }
    }
}

extension NodeFailure {
    init(_ failure: RegistryFailure) {
        let kind: Kind =
            switch failure.kind {
            case .badRequest: .badRequest
            case .notFound: .notFound
            case .denied: .denied
            case .unreachable, .stalled, .busy, .untrustworthy: .unavailable
            case .unsupported: .unsupported
            case .storage: .system
            case .cancelled: .cancelled
            }
        self.init(kind, failure.message)
    }
}
