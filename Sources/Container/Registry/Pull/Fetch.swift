internal import NIOHTTP1

/// A manifest or index as a registry sent it, checked.
package struct FetchedDocument: Hashable, Sendable {
    package var content: RemoteContent
    package var bytes: [UInt8]
    package var document: RemoteDocument
}

extension RegistryClient {
    /// Fetches a manifest or an index.
    ///
    /// - Parameter reference: a tag, or a digest, and then the bytes are of that digest.
    package func document(
        _ reference: String, of repository: RemoteRepository
    ) async throws(RegistryFailure) -> FetchedDocument {
        let name = reference.contains(":") ? "\(repository)@\(reference)" : "\(repository):\(reference)"
        guard RemoteRepository.isTag(reference) || RemoteDigest(reference) != nil else {
            throw RegistryFailure(.badRequest, "\(reference.debugDescription) is neither a tag nor a digest")
        }
        var request = WebRequest(.GET, address(repository, "manifests/\(reference)"))
        request.headers = (RemoteDocument.manifestTypes + RemoteDocument.indexTypes).map { ("Accept", $0) }
        let asked = request
        return try await retrying { () async throws(RegistryFailure) in
            try await self.exchange(asked, repository.registry, [repository.pullScope]) {
                response, _ async throws(RegistryFailure) in
                guard response.status == 200 else {
                    throw await RegistryAnswer.failure(response, "get the manifest of \(name)")
                }
                let bytes = try await response.bytes(limit: RemoteDocument.bytesLimit, what: "the manifest of \(name)")
                return try Self.checked(bytes, response, RemoteDigest(reference), name)
            }
        }
    }

    private static func checked(
        _ bytes: [UInt8], _ response: WebResponse, _ wanted: RemoteDigest?, _ name: String
    ) throws(RegistryFailure) -> FetchedDocument {
        // By digest the header says nothing that we do not know better; by tag it has to be true.
        let announced = wanted ?? response.header("docker-content-digest").flatMap { RemoteDigest($0) }
        if let announced, !announced.matches(bytes) {
            throw RegistryFailure(
                .untrustworthy,
                "the manifest of \(name) should be \(announced), and what came is \(RemoteDigest(of: bytes))")
        }
        let type = (response.header("content-type") ?? "").prefix { $0 != ";" && $0 != " " }
        let document = try RemoteDocument(bytes, mediaType: String(type), name: name)
        return FetchedDocument(
            content: RemoteContent(
                mediaType: String(type), digest: announced ?? RemoteDigest(of: bytes), size: Int64(bytes.count)),
            bytes: bytes, document: document)
    }

    /// Downloads a blob into a sink; a connection that breaks is taken up where it broke.
    ///
    /// The sink is finished on success and discarded on failure.
    package func download(
        _ content: RemoteContent, of repository: RemoteRepository, into sink: any BlobSink,
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

extension RemoteRepository {
    var pullScope: String { "repository:\(path):pull" }
    var pushScope: String { "repository:\(path):pull,push" }
}
