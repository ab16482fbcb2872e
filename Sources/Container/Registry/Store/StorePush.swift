package import Images
package import OCI

/// An image of the store sent to the registry that its name names.
package struct StorePush: Sendable {
    package struct Outcome: Hashable, Sendable {
        /// The image's digest in the registry.
        package var digest: Digest
        /// Bytes of its manifest.
        package var size: Int
        package var tag: String
    }

    package var store: ImageStore
    package var client: RegistryClient
    /// The registry of names without a host.
    package var defaultRegistry: String?
    package var progress: @Sendable (TransferEvent) async -> Void

    package init(
        store: ImageStore, client: RegistryClient, defaultRegistry: String? = nil,
        progress: @escaping @Sendable (TransferEvent) async -> Void = { _ in }
    ) {
        self.store = store
        self.client = client
        self.defaultRegistry = defaultRegistry
        self.progress = progress
    }

    /// Sends the image that a name stands for under that name.
    package func run(_ reference: Reference) async throws(RegistryFailure) -> Outcome {
        guard reference.digest == nil, let tag = reference.tagged.tag else {
            throw RegistryFailure(
                .badRequest, "\"\(reference)\" cannot be pushed: a push gives a tag. Write \(reference.repository):TAG")
        }
        let repository = try Repository(of: reference, default: defaultRegistry)
        let (store, lease) = (store, store.lease(for: "the push of \(reference)"))
        defer { lease.end() }
        let (image, manifest) = try await onDisk { () throws(ImageFailure) in
            let image = try store.resolve(reference.tagged.description)
            try store.hold(image, by: lease)
            return (image, try store.manifest(of: image))
        }
        let push = ImagePush(
            client: client, repository: repository, neighbour: neighbour(of: image, repository),
            source: { content throws(RegistryFailure) in try await StoreSource(content, in: store) },
            progress: progress)
        let content = Descriptor(
            mediaType: manifest.mediaType, digest: image.manifest, size: manifest.bytes.count)
        try await push.run(content, tag: tag)
        return Outcome(digest: image.manifest, size: manifest.bytes.count, tag: tag)
    }

    /// Another repository of the same registry under whose name the image is here: it may lend its blobs.
    private func neighbour(of image: StoredImage, _ repository: Repository) -> Repository? {
        image.names.lazy.compactMap { try? Repository(of: $0, default: defaultRegistry) }
            .first { $0.registry == repository.registry && $0 != repository }
    }
}
