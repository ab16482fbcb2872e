import JSON
import Synchronization

@testable import Registry

/// A sink in memory that checks its digest as a store does.
final class MemorySink: BlobSink {
    let content: RemoteContent
    private let bytes = Mutex<[UInt8]>([])
    private let keep: @Sendable ([UInt8]) -> Void
    let isDiscarded = Mutex(false)

    init(_ content: RemoteContent, keep: @escaping @Sendable ([UInt8]) -> Void = { _ in }) {
        self.content = content
        self.keep = keep
    }

    var all: [UInt8] { bytes.withLock { $0 } }
    func count() async -> Int64 { Int64(all.count) }
    func write(_ more: [UInt8]) async throws(RegistryFailure) { bytes.withLock { $0 += more } }
    func restart() async throws(RegistryFailure) { bytes.withLock { $0 = [] } }
    func finish() async throws(RegistryFailure) {
        guard content.digest.matches(all) else { throw RegistryFailure(.untrustworthy, "another digest") }
        keep(all)
    }
    func discard() async { isDiscarded.withLock { $0 = true } }
}

/// Blobs in memory, both to keep and to read.
final class MemoryStore: BlobKeeper {
    private let blobs = Mutex<[RemoteDigest: [UInt8]]>([:])

    var digests: Set<RemoteDigest> { blobs.withLock { Set($0.keys) } }
    func add(_ bytes: [UInt8]) { blobs.withLock { $0[RemoteDigest(of: bytes)] = bytes } }
    func bytes(_ digest: RemoteDigest) -> [UInt8]? { blobs.withLock { $0[digest] } }
    func holds(_ content: RemoteContent) async throws(RegistryFailure) -> Bool { bytes(content.digest) != nil }
    func sink(for content: RemoteContent) async throws(RegistryFailure) -> any BlobSink {
        MemorySink(content) { self.add($0) }
    }
    func source(_ content: RemoteContent) throws(RegistryFailure) -> any BlobSource {
        guard let bytes = bytes(content.digest) else { throw RegistryFailure(.storage, "not there") }
        return MemorySource(bytes: bytes)
    }
}

struct MemorySource: BlobSource {
    var bytes: [UInt8]
    func read(from offset: Int64, count: Int) async throws(RegistryFailure) -> [UInt8] {
        Array(bytes.dropFirst(Int(offset)).prefix(count))
    }
}

extension RemoteContent {
    /// A layer of these bytes.
    static func blob(_ bytes: [UInt8]) -> RemoteContent {
        RemoteContent(
            mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: RemoteDigest(of: bytes),
            size: Int64(bytes.count))
    }

    var json: JSONValue {
        [
            "mediaType": .string(mediaType), "digest": .string(digest.description), "size": .integer(size),
        ]
    }
}

/// An image made of these layers.
struct TestImage {
    static let manifestType = "application/vnd.oci.image.manifest.v1+json"
    static let indexType = "application/vnd.oci.image.index.v1+json"
    var config = Array(#"{"architecture":"amd64","os":"linux"}"#.utf8)
    var layers: [[UInt8]]

    var manifest: [UInt8] {
        JSONWriter.bytes([
            "schemaVersion": 2, "mediaType": .string(Self.manifestType),
            "config": RemoteContent(
                mediaType: "application/vnd.oci.image.config.v1+json", digest: RemoteDigest(of: config),
                size: Int64(config.count)
            ).json,
            "layers": .array(layers.map { RemoteContent.blob($0).json }),
        ])
    }

    var content: RemoteContent {
        RemoteContent(
            mediaType: Self.manifestType, digest: RemoteDigest(of: manifest), size: Int64(manifest.count))
    }

    /// Honest answers of a registry that has it as "app:1".
    func answer(_ request: FakeRequest) -> FakeAnswer {
        let name = request.path.split(separator: "/").last.map(String.init) ?? ""
        if request.path.contains("/manifests/"), name == "1" || name == content.digest.description {
            return FakeAnswer(headers: [("Content-Type", Self.manifestType)], body: manifest)
        }
        if let blob = (layers + [config]).first(where: { RemoteDigest(of: $0).description == name }) {
            return FakeAnswer(body: blob)
        }
        return FakeAnswer(status: 404)
    }
}

extension FakeRegistry {
    /// A client for this registry that waits for nothing between tries.
    func client(
        credentials: any CredentialSource = KnownCredentials(), plain: Set<String>? = nil,
        patience: Patience = Patience(), attempts: Int = 3, chunkBytes: Int64 = 1 << 20
    ) -> RegistryClient {
        RegistryClient(
            .init(
                plainHosts: plain ?? [host], patience: patience, retry: RetryPolicy(attempts: attempts),
                waiting: Waiting(sleep: { _ in }, chance: { 0 }), chunkBytes: chunkBytes), credentials: credentials)
    }

    var app: RemoteRepository { get throws(RegistryFailure) { try RemoteRepository(registry: host, path: "app") } }
}

/// The failure that a body ends with; nil when it does not fail.
func failure(_ body: () async throws -> Void) async -> RegistryFailure? {
    do {
        try await body()
        return nil
    } catch { return error as? RegistryFailure ?? RegistryFailure(.badRequest, "another error: \(error)") }
}

extension RegistryClient {
    /// Hands itself to `body` and closes.
    func using<Value>(
        isolation: isolated (any Actor)? = #isolation, _ body: (RegistryClient) async throws -> Value
    ) async throws -> Value {
        let result: Result<Value, any Error>
        do { result = .success(try await body(self)) } catch { result = .failure(error) }
        await close()
        return try result.get()
    }
}
