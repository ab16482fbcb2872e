internal import Images
internal import NIOHTTP1
package import OCI

extension RegistryClient {
    /// Whether a repository has a blob.
    package func holds(
        _ content: Descriptor, in repository: Repository
    ) async throws(RegistryFailure) -> Bool {
        let request = WebRequest(.HEAD, address(repository, "blobs/\(content.digest)"))
        return try await retrying { () async throws(RegistryFailure) in
            try await self.exchange(request, repository.registry, [repository.pushScope]) {
                response, _ async throws(RegistryFailure) in
                switch response.status {
                case 200: return true
                case 404: return false
                default: throw await RegistryAnswer.failure(response, "ask \(repository) for \(content.digest)")
                }
            }
        }
    }

    /// Sends a blob, unless it is there or a neighbouring repository lends it.
    package func upload(
        _ content: Descriptor, from source: any BlobSource, to repository: Repository,
        neighbour: Repository? = nil,
        progress: @escaping @Sendable (TransferEvent) async -> Void = { _ in }
    ) async throws(RegistryFailure) {
        let sameRegistry = neighbour?.registry == repository.registry && neighbour != repository
        try await BlobUpload(
            client: self, content: content, repository: repository, source: source,
            neighbour: sameRegistry ? neighbour?.path : nil, progress: progress
        ).run()
    }

    /// Puts a manifest or an index, whose parts are there, under a tag or its digest.
    package func put(
        _ bytes: [UInt8], mediaType: String, as reference: String, of repository: Repository
    ) async throws(RegistryFailure) {
        let digest = Digest(of: bytes)
        guard Repository.isTag(reference) || Digest(reference)?.matches(bytes) == true else {
            throw RegistryFailure(
                .badRequest, "\(reference.debugDescription) is neither a tag nor this manifest's digest")
        }
        var request = WebRequest(.PUT, address(repository, "manifests/\(reference)"))
        request.headers = [("Content-Type", mediaType)]
        request.body = .bytes(bytes)
        let asked = request
        try await retrying { () async throws(RegistryFailure) in
            try await self.exchange(asked, repository.registry, [repository.pushScope]) {
                response, _ async throws(RegistryFailure) in
                guard response.status == 201 else {
                    throw await RegistryAnswer.failure(response, "put the manifest of \(repository):\(reference)")
                }
                let stored = response.header("docker-content-digest").flatMap { Digest($0) }
                guard stored == nil || stored == digest || stored?.matches(bytes) == true else {
                    throw RegistryFailure(
                        .untrustworthy,
                        "\(repository.registry) keeps the manifest as \(stored!), which is not \(digest)")
                }
            }
        }
    }
}

/// One image on its way to a registry: parts first, several at once, documents last and the named one at the very end,
/// so that the name never stands for something incomplete.
package struct ImagePush: Sendable {
    /// What is to be sent is read from here.
    package var source: @Sendable (Descriptor) async throws(RegistryFailure) -> any BlobSource
    package var client: RegistryClient
    package var repository: Repository
    /// A repository of the same registry from which the image came, to borrow from.
    package var neighbour: Repository?
    package var progress: @Sendable (TransferEvent) async -> Void

    package init(
        client: RegistryClient, repository: Repository, neighbour: Repository? = nil,
        source: @escaping @Sendable (Descriptor) async throws(RegistryFailure) -> any BlobSource,
        progress: @escaping @Sendable (TransferEvent) async -> Void = { _ in }
    ) {
        self.client = client
        self.repository = repository
        self.neighbour = neighbour
        self.source = source
        self.progress = progress
    }

    /// Sends an image and names it: the manifest, or an index with all its manifests.
    ///
    /// - Parameter tag: nil: it is reached by its digest only.
    package func run(_ named: Descriptor, tag: String?) async throws(RegistryFailure) {
        try await send(named, as: tag ?? named.digest.description)
    }

    private func send(_ content: Descriptor, as reference: String) async throws(RegistryFailure) {
        let name = "\(repository):\(reference)"
        guard content.size <= DocumentLimits.manifestBytes else {
            throw RegistryFailure(
                .badRequest, "the manifest of \(name) is longer than \(DocumentLimits.manifestBytes) bytes")
        }
        let bytes = try await source(content).read(from: 0, count: content.size)
        guard content.digest.matches(bytes) else {
            throw RegistryFailure(.storage, "the manifest of \(name) is not what its digest says")
        }
        switch try RegistryClient.document(bytes, content, name) {
        case .index(let index):
            for entry in index.manifests { try await send(entry, as: entry.digest.description) }
        case .manifest(let manifest):
            try await PartTransfer(
                limit: client.settings.parallelBlobs, progress: progress, move: { await self.uploaded($0) }
            ).run([manifest.config] + manifest.layers)
        }
        try await client.put(bytes, mediaType: content.mediaType, as: reference, of: repository)
    }

    private func uploaded(_ part: Descriptor) async -> RegistryFailure? {
        do throws(RegistryFailure) {
            try await client.upload(
                part, from: try await source(part), to: repository, neighbour: neighbour, progress: progress)
            return nil
        } catch { return error }
    }
}
