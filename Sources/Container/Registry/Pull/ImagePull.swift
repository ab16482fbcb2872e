package import OCI

/// Where pulled blobs are kept.
package protocol BlobKeeper: Sendable {
    /// Whether the blob is there, whole.
    func holds(_ content: Descriptor) async throws(RegistryFailure) -> Bool
    /// A place for a blob that is not there.
    func sink(for content: Descriptor) async throws(RegistryFailure) -> any BlobSink
    /// The bytes of a small blob that is there.
    func read(_ content: Descriptor) async throws(RegistryFailure) -> [UInt8]
}

/// What a pull has brought: every part of it is with the keeper.
package struct PulledImage: Hashable, Sendable {
    /// What the name stands for in the registry: an index or a manifest.
    package var named: Descriptor
    /// The platform's image.
    package var manifest: Manifest
    /// Whether it was chosen from an index, which then is what is named.
    package var isFromIndex: Bool
}

/// One image on its way here: the documents first, then what is missing of config and layers, several at once.
///
/// Invariants
/// 1. A part that is there already is not fetched. (test: `what is there already is not fetched again`)
/// 2. When one part fails the others stop, and the error is the first one's.
/// 3. The documents are kept last: a manifest that is with the keeper has all its parts there.
///    (test: `a pull that fails keeps no manifest`)
/// 4. An image of another platform than the one asked for is refused before its layers come.
///    (test: `an image of another platform than the one asked for is refused`)
package struct ImagePull: Sendable {
    package var client: RegistryClient
    package var repository: Repository
    /// nil: this machine's where there is a choice, and whatever there is where there is none.
    package var platform: Platform?
    package var keeper: any BlobKeeper
    package var progress: @Sendable (TransferEvent) async -> Void

    package init(
        client: RegistryClient, repository: Repository, platform: Platform? = nil,
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
        let name = reference.contains(":") ? "\(repository)@\(reference)" : "\(repository):\(reference)"
        let named = try await client.document(reference, of: repository)
        var chosen = named
        if case .index(let index) = named.document {
            let choice = try index.choice(for: platform ?? .ofThisMachine, name: name)
            chosen = try await client.document(choice.digest.description, of: repository)
            guard chosen.content.size == choice.size else {
                throw RegistryFailure(
                    .untrustworthy,
                    "\(name): a manifest has \(chosen.bytes.count) bytes where its index says \(choice.size)")
            }
        }
        guard case .manifest(let manifest) = chosen.document else {
            throw RegistryFailure(.unsupported, "\(name) is an index of an index")
        }
        if let platform, chosen == named { try await check(manifest.config, is: platform, name) }
        try await PartTransfer(
            limit: client.settings.parallelBlobs, progress: progress, move: { await self.fetched($0) }
        ).run([manifest.config] + manifest.layers)
        for document in chosen == named ? [chosen] : [chosen, named] { try await keep(document) }
        return PulledImage(named: named.content, manifest: manifest, isFromIndex: chosen != named)
    }

    /// A tag may stand for one image only, and that for another machine.
    private func check(_ config: Descriptor, is platform: Platform, _ name: String) async throws(RegistryFailure) {
        if let failure = await fetched(config) { throw failure }
        let bytes = try await keeper.read(config)
        let its: Platform
        do throws(DocumentError) { its = try ImageConfig(bytes).platform } catch {
            throw RegistryFailure(.untrustworthy, "read the config of \(name): \(error)")
        }
        guard platform.distance(to: its) != nil else {
            throw RegistryFailure(.notFound, "\(name) is not there for \(platform); it is there for \(its)")
        }
    }

    private func fetched(_ part: Descriptor) async -> RegistryFailure? {
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
