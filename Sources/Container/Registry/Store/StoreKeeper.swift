package import Images
internal import Linux
package import OCI

/// The store of images as the place where pulled blobs go. What has come is held by the lease.
package struct StoreKeeper: BlobKeeper {
    let store: ImageStore
    let lease: ImageLease

    package init(store: ImageStore, lease: ImageLease) {
        self.store = store
        self.lease = lease
    }

    package func holds(_ content: Descriptor) async throws(RegistryFailure) -> Bool {
        let (store, lease) = (store, lease)
        let size = try await onDisk { () throws(ImageFailure) in try store.claim(content.digest, lease: lease) }
        guard let size else { return false }
        guard size == content.size else {
            throw RegistryFailure(
                .untrustworthy, "blob \(content.digest) has \(size) bytes, and the registry says \(content.size)")
        }
        return true
    }

    package func sink(for content: Descriptor) async throws(RegistryFailure) -> any BlobSink {
        let (store, lease) = (store, lease)
        let writer = try await onDisk { () throws(ImageFailure) in
            try store.blobWriter(expected: content.digest, size: content.size, lease: lease)
        }
        return StoreSink(writer)
    }

    package func read(_ content: Descriptor) async throws(RegistryFailure) -> [UInt8] {
        let store = store
        return try await onDisk { () throws(ImageFailure) in
            try store.read(blob: content.digest, limit: content.size)
        }
    }
}

/// One blob on its way into the store.
///
/// What arrives comes in small pieces from the network; they go to the disk, and through the hash, in larger ones.
actor StoreSink: BlobSink {
    private static let pieceBytes = 512 << 10

    /// nil: it is over, one way or the other.
    private var writer: BlobWriter?
    private var pending: [UInt8] = []

    init(_ writer: BlobWriter) { self.writer = writer }

    func count() -> Int { (writer?.written ?? 0) + pending.count }

    func write(_ bytes: [UInt8]) async throws(RegistryFailure) {
        pending += bytes
        if pending.count >= Self.pieceBytes { try await flush() }
    }

    func restart() async throws(RegistryFailure) {
        pending = []
        let writer = open
        try await onDisk { () throws(ImageFailure) in try writer.restart() }
    }

    func finish() async throws(RegistryFailure) {
        try await flush()
        let writer = open
        try await onDisk { () throws(ImageFailure) in _ = try writer.finish() }
        self.writer = nil
    }

    func discard() {
        pending = []
        writer = nil
    }

    private var open: BlobWriter {
        guard let writer else { preconditionFailure("a blob that is over takes no bytes") }
        return writer
    }

    private func flush() async throws(RegistryFailure) {
        guard !pending.isEmpty else { return }
        let (writer, bytes) = (open, pending)
        pending = []
        try await onDisk { () throws(ImageFailure) in try writer.write(bytes) }
    }
}

/// A blob of the store, to be sent.
struct StoreSource: BlobSource {
    private let file: SharedFD
    private let digest: Digest

    /// Opens a blob; a collection that takes it meanwhile leaves us ours.
    init(_ content: Descriptor, in store: ImageStore) async throws(RegistryFailure) {
        digest = content.digest
        file = try await onDisk { () throws(ImageFailure) in SharedFD(try store.open(blob: content.digest)) }
    }

    func read(from offset: Int, count: Int) async throws(RegistryFailure) -> [UInt8] {
        let (file, digest) = (file, digest)
        do throws(SystemError) {
            return try await BlockingPool.shared.run { () throws(SystemError) in
                try Files.read(file.raw, from: offset, count: count, name: "blob \(digest)")
            }
        } catch { throw RegistryFailure(.storage, "\(error)") }
    }
}
