internal import Images
internal import NIOHTTP1
package import OCI

/// A manifest or index as a registry sent it, checked.
package struct FetchedDocument: Hashable, Sendable {
    package var content: Descriptor
    package var document: ImageDocument

    package var bytes: [UInt8] { document.bytes }
}

extension RegistryClient {
    /// Fetches a manifest or an index.
    ///
    /// - Parameter reference: a tag, or a digest, and then the bytes are of that digest.
    package func document(
        _ reference: String, of repository: Repository
    ) async throws(RegistryFailure) -> FetchedDocument {
        let name = reference.contains(":") ? "\(repository)@\(reference)" : "\(repository):\(reference)"
        guard Repository.isTag(reference) || Digest(reference) != nil else {
            throw RegistryFailure(.badRequest, "\(reference.debugDescription) is neither a tag nor a digest")
        }
        var request = WebRequest(.GET, address(repository, "manifests/\(reference)"))
        request.headers = Self.documentTypes.map { ("Accept", $0) }
        let asked = request
        return try await retrying { () async throws(RegistryFailure) in
            try await self.exchange(asked, repository.registry, [repository.pullScope]) {
                response, _ async throws(RegistryFailure) in
                guard response.status == 200 else {
                    throw await RegistryAnswer.failure(response, "get the manifest of \(name)")
                }
                let bytes = try await response.bytes(
                    limit: DocumentLimits.manifestBytes, what: "the manifest of \(name)")
                return try Self.checked(bytes, response, Digest(reference), name)
            }
        }
    }

    private static func checked(
        _ bytes: [UInt8], _ response: WebResponse, _ wanted: Digest?, _ name: String
    ) throws(RegistryFailure) -> FetchedDocument {
        // By digest the header says nothing that we do not know better; by tag it has to be true.
        let announced = wanted ?? response.header("docker-content-digest").flatMap { Digest($0) }
        if let announced, !announced.matches(bytes) {
            throw RegistryFailure(
                .untrustworthy,
                "the manifest of \(name) should be \(announced), and what came is \(Digest(of: bytes))")
        }
        let type = (response.header("content-type") ?? "").prefix { $0 != ";" && $0 != " " }
        let content = Descriptor(
            mediaType: String(type), digest: announced ?? Digest(of: bytes), size: bytes.count)
        return FetchedDocument(content: content, document: try document(bytes, content, name))
    }

    /// What an image can be, the specification's types and Docker's.
    private static let documentTypes = [
        MediaType.index, MediaType.manifest, MediaType.dockerIndex, MediaType.dockerManifest,
    ]

    /// Reads a manifest or an index of the type that it was announced as.
    ///
    /// - Parameter name: of the image, for messages.
    static func document(
        _ bytes: [UInt8], _ content: Descriptor, _ name: String
    ) throws(RegistryFailure) -> ImageDocument {
        guard documentTypes.contains(content.mediaType) else {
            throw RegistryFailure(
                .unsupported,
                "\(name) is of the type \(content.mediaType.debugDescription), which is neither an image manifest nor "
                    + "an index")
        }
        do throws(DocumentError) { return try ImageDocument(bytes, mediaType: content.mediaType) } catch {
            throw RegistryFailure(.untrustworthy, "read the manifest of \(name): \(error)")
        }
    }

    /// Downloads a blob into a sink; a connection that breaks is taken up where it broke.
    ///
    /// The sink is finished on success and discarded on failure.
    package func download(
        _ content: Descriptor, of repository: Repository, into sink: any BlobSink,
        progress: @escaping @Sendable (TransferEvent) async -> Void = { _ in }
    ) async throws(RegistryFailure) {
        let download = BlobDownload(
            client: self, content: content, repository: repository, sink: sink, progress: progress)
        do throws(RegistryFailure) { try await download.run() } catch {
            await sink.discard()
            throw error
        }
    }
}

extension Repository {
    var pullScope: String { "repository:\(path):pull" }
    var pushScope: String { "repository:\(path):pull,push" }
}
