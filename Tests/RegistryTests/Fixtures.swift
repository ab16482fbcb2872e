import Images
import JSON
import OCI
import Synchronization

@testable import Registry

/// A sink in memory that checks its digest as a store does.
final class MemorySink: BlobSink {
    let content: Descriptor
    private let bytes = Mutex<[UInt8]>([])
    private let keep: @Sendable ([UInt8]) -> Void
    let isDiscarded = Mutex(false)

    init(_ content: Descriptor, keep: @escaping @Sendable ([UInt8]) -> Void = { _ in }) {
        self.content = content
        self.keep = keep
    }

    var all: [UInt8] { bytes.withLock { $0 } }
    func count() async -> Int { all.count }
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
    private let blobs = Mutex<[Digest: [UInt8]]>([:])

    var digests: Set<Digest> { blobs.withLock { Set($0.keys) } }
    func add(_ bytes: [UInt8]) { blobs.withLock { $0[Digest(of: bytes)] = bytes } }
    func bytes(_ digest: Digest) -> [UInt8]? { blobs.withLock { $0[digest] } }
    func holds(_ content: Descriptor) async throws(RegistryFailure) -> Bool { bytes(content.digest) != nil }
    func sink(for content: Descriptor) async throws(RegistryFailure) -> any BlobSink {
        MemorySink(content) { self.add($0) }
    }
    func read(_ content: Descriptor) async throws(RegistryFailure) -> [UInt8] {
        guard let bytes = bytes(content.digest) else { throw RegistryFailure(.storage, "not there") }
        return bytes
    }
    func source(_ content: Descriptor) throws(RegistryFailure) -> any BlobSource {
        guard let bytes = bytes(content.digest) else { throw RegistryFailure(.storage, "not there") }
        return MemorySource(bytes: bytes)
    }
}

struct MemorySource: BlobSource {
    var bytes: [UInt8]
    func read(from offset: Int, count: Int) async throws(RegistryFailure) -> [UInt8] {
        Array(bytes.dropFirst(offset).prefix(count))
    }
}

extension Descriptor {
    /// A layer of these bytes.
    static func blob(_ bytes: [UInt8]) -> Descriptor {
        Descriptor(
            mediaType: MediaType.layerGzip, digest: Digest(of: bytes), size: bytes.count)
    }
}

/// An image made of these layers.
struct RemoteImage {
    var config = Array(#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#.utf8)
    var layers: [[UInt8]]

    var manifest: [UInt8] {
        Manifest(
            config: Descriptor(mediaType: MediaType.config, digest: Digest(of: config), size: config.count),
            layers: layers.map { Descriptor.blob($0) }
        ).bytes
    }

    var content: Descriptor {
        Descriptor(mediaType: MediaType.manifest, digest: Digest(of: manifest), size: manifest.count)
    }

    /// Honest answers of a registry that has it as "app:1".
    func answer(_ request: FakeRequest) -> FakeAnswer {
        let name = request.path.split(separator: "/").last.map(String.init) ?? ""
        if request.path.contains("/manifests/"), name == "1" || name == content.digest.description {
            return FakeAnswer(headers: [("Content-Type", MediaType.manifest)], body: manifest)
        }
        if let blob = (layers + [config]).first(where: { Digest(of: $0).description == name }) {
            return FakeAnswer(body: blob)
        }
        return FakeAnswer(status: 404)
    }
}

extension FakeRegistry {
    /// A client for this registry that waits for nothing between tries.
    func client(
        credentials: any CredentialSource = KnownCredentials(), plain: Set<String>? = nil,
        patience: Patience = Patience(), attempts: Int = 3, chunkBytes: Int = 1 << 20
    ) -> RegistryClient {
        RegistryClient(
            .init(
                plainHosts: plain ?? [host], patience: patience, retry: RetryPolicy(attempts: attempts),
                waiting: Waiting(sleep: { _ in }, chance: { 0 }), chunkBytes: chunkBytes), credentials: credentials)
    }

    var app: Repository { get throws(RegistryFailure) { try Repository(registry: host, path: "app") } }
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
