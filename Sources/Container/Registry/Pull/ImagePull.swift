/// Where pulled blobs are kept.
package protocol BlobKeeper: Sendable {
    /// Whether the blob is there, whole.
    func holds(_ content: RemoteContent) async throws(RegistryFailure) -> Bool
    /// A place for a blob that is not there.
    func sink(for content: RemoteContent) async throws(RegistryFailure) -> any BlobSink
}

/// What a pull has brought: every part of it is with the keeper.
package struct PulledImage: Hashable, Sendable {
    /// What the name stands for in the registry: an index or a manifest.
    package var named: RemoteContent
    /// The manifest of the platform's image.
    package var manifest: RemoteContent
    package var config: RemoteContent
    /// The lowest first.
    package var layers: [RemoteContent]
}

/// One image on its way here: the documents first, then what is missing of config and layers, several at once.
///
/// Invariants
/// 1. A part that is there already is not fetched. (test: `what is there already is not fetched again`)
/// 2. When one part fails the others stop, and the error is the first one's.
/// 3. The documents are kept last: a manifest that is with the keeper has all its parts there.
///    (test: `a pull that fails keeps no manifest`)
package struct ImagePull: Sendable {
    package var client: RegistryClient
    package var repository: RemoteRepository
    package var platform: RemotePlatform
    package var keeper: any BlobKeeper
    package var progress: @Sendable (TransferEvent) async -> Void

    package init(
        client: RegistryClient, repository: RemoteRepository, platform: RemotePlatform = .ofThisMachine,
        keeper: any BlobKeeper, progress: @escaping @Sendable (TransferEvent) async -> Void = { _ in }
    ) {
        self.client = client
        self.repository = repository
        self.platform = platform
        self.keeper = keeper
        self.progress = progress
    }

    /// Pulls what a tag or digest stands for.
    package func run(_ reference: String) async throws(RegistryFailure) -> PulledImage {
        let named = try await client.document(reference, of: repository)
        var manifest = named
        if case .index(let entries) = named.document {
            let name = "\(repository):\(reference)"
            let choice = try RemotePlatform.choose(entries, for: platform, name: name)
            manifest = try await client.document(choice.digest.description, of: repository)
            guard manifest.content.size == choice.size else {
                throw RegistryFailure(
                    .untrustworthy,
                    "\(name): a manifest has \(manifest.bytes.count) bytes where its index says \(choice.size)")
            }
        }
        guard case .manifest(let config, let layers) = manifest.document else {
            throw RegistryFailure(.unsupported, "\(repository):\(reference) is an index of an index")
        }
        try await PartTransfer(
            limit: client.settings.parallelBlobs, progress: progress, move: { await self.fetched($0) }
        ).run([config] + layers)
        for document in manifest == named ? [manifest] : [manifest, named] { try await keep(document) }
        return PulledImage(named: named.content, manifest: manifest.content, config: config, layers: layers)
    }

    private func fetched(_ part: RemoteContent) async -> RegistryFailure? {
        do throws(RegistryFailure) {
            if try await keeper.holds(part) {
                await progress(TransferEvent(part, .present))
            } else {
                let sink = try await keeper.sink(for: part)
                try await client.download(part, of: repository, into: sink, progress: progress)
            }
            return nil
        } catch { return error }
    }

    private func keep(_ document: FetchedDocument) async throws(RegistryFailure) {
        guard try await !keeper.holds(document.content) else { return }
        let sink = try await keeper.sink(for: document.content)
        do throws(RegistryFailure) {
            try await sink.write(document.bytes)
            try await sink.finish()
        } catch {
            await sink.discard()
            throw error
        }
    }
}
