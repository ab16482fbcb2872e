package import Images
package import Linux
package import OCI

/// An image pulled into the store and named there.
///
/// Invariants
/// 1. A pull that fails or is taken back leaves names, images and blobs as they were.
///    (tests: `a pull that fails leaves the store as it was`, `a full disk in the middle of a pull leaves the store as it was`)
/// 2. The name is given last: a name that stood for another image stands for it until everything of the new one is
///    here and unpacked. (test: `a name keeps its image until the new one is whole`)
package struct StorePull: Sendable {
    package struct Outcome: Hashable, Sendable {
        package var image: StoredImage
        /// What it is called here.
        package var name: Reference
        /// What the name stands for in the registry.
        package var digest: Digest
        /// Whether the name stood for another image before, or for none.
        package var isNew: Bool
    }

    package var store: ImageStore
    package var client: RegistryClient
    /// The registry of names without a host.
    package var defaultRegistry: String?
    package var progress: @Sendable (TransferEvent) async -> Void
    /// Called when everything of an image is in the store, before it is listed: unpacks it.
    package var prepare: @Sendable (Manifest) async throws(ImageFailure) -> Void

    package init(
        store: ImageStore, client: RegistryClient, defaultRegistry: String? = nil,
        progress: @escaping @Sendable (TransferEvent) async -> Void = { _ in },
        prepare: @escaping @Sendable (Manifest) async throws(ImageFailure) -> Void = { _ in }
    ) {
        self.store = store
        self.client = client
        self.defaultRegistry = defaultRegistry
        self.progress = progress
        self.prepare = prepare
    }

    /// Pulls what a name stands for.
    ///
    /// - Parameters:
    ///   - platform: nil: this machine's where there is a choice.
    ///   - now: when the image came here.
    package func run(
        _ reference: Reference, platform: Platform? = nil, now: Timestamp
    ) async throws(RegistryFailure) -> Outcome {
        let repository = try Repository(of: reference, default: defaultRegistry)
        let lease = store.lease(for: "the pull of \(reference)")
        do throws(RegistryFailure) {
            let outcome = try await pull(reference, repository, platform, now, lease)
            lease.end()
            return outcome
        } catch {
            lease.end()
            // Of what has come nobody has need. In a task that is not cancelled: a pull that is taken back clears up.
            let store = store
            await Task { _ = try? await Blocking.runLong { () throws(ImageFailure) in try store.collect() } }.value
            throw error
        }
    }

    private func pull(
        _ reference: Reference, _ repository: Repository, _ platform: Platform?, _ now: Timestamp, _ lease: ImageLease
    ) async throws(RegistryFailure) -> Outcome {
        let pull = ImagePull(
            client: client, repository: repository, platform: platform,
            keeper: StoreKeeper(store: store, lease: lease), progress: progress)
        // Docker's rule: of a tag and a digest the digest counts, and the tag is not given.
        let wanted = reference.digest?.description ?? reference.tagged.tag!
        let pulled = try await pull.run(wanted)
        let name: Reference
        do throws(ReferenceError) {
            name =
                try reference.digest.map { digest throws(ReferenceError) in
                    try reference.with(tag: nil, digest: digest)
                } ?? reference.tagged
        } catch { throw RegistryFailure(.badRequest, "\(error)") }
        return try await list(pulled, as: name, now, lease)
    }

    private func list(
        _ pulled: PulledImage, as name: Reference, _ now: Timestamp, _ lease: ImageLease
    ) async throws(RegistryFailure) -> Outcome {
        let (store, manifest) = (store, pulled.manifest)
        let index = pulled.isFromIndex ? pulled.named.digest : nil
        do throws(ImageFailure) { try await prepare(manifest) } catch { throw RegistryFailure(error) }
        let before = try? store.resolve(name.description)
        let image = try await onDisk { () throws(ImageFailure) in
            try store.add(manifest, index: index, names: [name], now: now, lease: lease)
        }
        return Outcome(image: image, name: name, digest: pulled.named.digest, isNew: before?.manifest != image.manifest)
    }
}
