package import Linux
package import OCI
internal import Glibc
internal import Synchronization

/// The images of one state directory: blobs by digest, and which of them make up which image.
///
/// Look-ups answer from memory. Everything that says so blocks on the disk: call it on the `BlockingPool`. One process
/// has a directory open at a time (the node's lock on its state directory sees to that).
///
/// Invariants (each with a test in ImageStoreTests):
/// 1. An image is listed only when its config and all its layers are in the store, and as many as the config says.
/// 2. What fails changes nothing: names, images and blobs are as before.
/// 3. A collection takes no blob of a listed image and none that is held by a lease, and everything else.
/// 4. Nobody but the owner can look into the directory, whatever the umask (CVE-2021-41103, CVE-2021-41091).
package final class ImageStore: Sendable {
    /// STATE/images.
    package let directory: String

    let blobs: BlobDirectory
    let shelf: LayerShelf
    /// Of the images that were asked for unpacked, by their manifests: a start reads no documents.
    private let stacks = Mutex<[Digest: UnpackedImage]>([:])
    private let leases = LeaseBooks()
    private let state: Mutex<ImageBooks>
    private let lastNumber = Atomic<Int>(0)

    /// Opens a store, making the directory if it is missing, and removes what a dead process left half done. Blocks.
    package init(
        directory: String, unpacking: any LayerUnpacking = OverlayUnpacking()
    ) throws(ImageFailure) {
        self.directory = directory
        blobs = BlobDirectory(root: directory)
        shelf = LayerShelf(directory + "/layers", unpacking: unpacking)
        do throws(SystemError) {
            try Files.makeDirectories(directory, mode: 0o700)
            try Files.setPermissions(directory, 0o700)
            try blobs.open()
            try shelf.open()
            try Files.makeDirectories(directory + "/empty", mode: 0o755)
        } catch { throw .system(error) }
        state = Mutex(try Self.readBooks(directory + "/images.json"))
    }

    private static func readBooks(_ path: String) throws(ImageFailure) -> ImageBooks {
        let bytes: [UInt8]
        do throws(SystemError) { bytes = try Files.read(path, limit: 256 << 20) } catch {
            guard error.code == .noEntry else { throw .system(error) }
            return ImageBooks()
        }
        return try ImageBooks(bytes)
    }

    /// A directory without entries, for overlays of fewer layers than the kernel takes.
    package var emptyDirectory: String { directory + "/empty" }

    // MARK: Looking up

    /// All images, the latest first.
    package var images: [StoredImage] { state.withLock { $0.images } }

    /// The image that a name, a digest, an id or the beginning of one means.
    package func resolve(_ text: String) throws(ImageFailure) -> StoredImage {
        try state.withLock { books throws(ImageFailure) in try books.resolve(text) }
    }

    // MARK: Holding

    /// A lease for work that is beginning. What it is for appears when a removal is refused: "container web".
    package func lease(for purpose: String) -> ImageLease { ImageLease(purpose: purpose, books: leases) }

    /// Holds an image for as long as the lease lives. Blocks while a collection runs.
    package func hold(_ image: StoredImage, by lease: ImageLease) throws(ImageFailure) {
        try changing { books throws(ImageFailure) in
            guard books.entries[image.manifest] != nil else { throw .unknownImage(image.id.description) }
            lease.hold(image.manifest)
        }
    }

    /// The same without waiting for anybody.
    ///
    /// - Returns: false when somebody is changing the books at this moment, and nothing was done.
    package func holdIfFree(_ image: StoredImage, by lease: ImageLease) throws(ImageFailure) -> Bool {
        let isHeld = leases.gate.withLockIfAvailable { _ -> Bool in
            guard state.withLock({ $0.entries[image.manifest] != nil }) else { return false }
            lease.hold(image.manifest)
            return true
        }
        guard let isHeld else { return false }
        guard isHeld else { throw .unknownImage(image.id.description) }
        return true
    }

    // MARK: Blobs

    /// Begins a blob. With `size` exactly so many bytes must come, else at most `limit`. Blocks.
    package func blobWriter(
        expected: Digest?, size: Int? = nil, limit: Int = DocumentLimits.blobBytes, lease: ImageLease
    ) throws(ImageFailure) -> BlobWriter {
        precondition(lease.books === leases, "a lease of this store")
        let number = lastNumber.add(1, ordering: .relaxed).newValue
        do throws(SystemError) {
            let (file, path) = try blobs.makeIncoming(number)
            return BlobWriter(
                expected: expected, size: size, limit: limit, file: file, path: path, blobs: blobs,
                lease: lease)
        } catch { throw .system(error) }
    }

    /// Puts bytes that are in memory (a manifest, a config) into the store. Blocks.
    @discardableResult
    package func put(_ bytes: [UInt8], lease: ImageLease) throws(ImageFailure) -> Digest {
        let writer = try blobWriter(expected: Digest(of: bytes), size: bytes.count, lease: lease)
        try writer.write(bytes)
        return try writer.finish().digest
    }

    /// The size of a blob that is here, which the lease holds from then on; nil when it is not here. Blocks.
    package func claim(_ digest: Digest, lease: ImageLease) throws(ImageFailure) -> Int? {
        try changing { _ throws(ImageFailure) in
            let size: Int?
            do throws(SystemError) { size = try blobs.size(digest) } catch { throw .system(error) }
            if size != nil { lease.hold(digest) }
            return size
        }
    }

    /// Opens a blob for reading. Blocks.
    package func open(blob digest: Digest) throws(ImageFailure) -> OwnedFD {
        do throws(SystemError) { return try Files.open(blobs.path(digest), O_RDONLY | O_NOFOLLOW) } catch {
            guard error.code == .noEntry else { throw .system(error) }
            throw .missingBlob(digest)
        }
    }

    /// The bytes of a small blob, checked against its digest. Blocks.
    package func read(blob digest: Digest, limit: Int) throws(ImageFailure) -> [UInt8] {
        let file = try open(blob: digest)
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try Files.readAll(from: file.raw, limit: limit, name: blobs.path(digest))
        } catch { throw .system(error) }
        let found = Digest(of: bytes, digest.algorithm)
        guard found == digest else { throw .wrongDigest(expected: digest, found: found) }
        return bytes
    }

    /// The layers of an image as they were once stacked; nil before that.
    func unpackedAlready(_ manifest: Digest) -> UnpackedImage? { stacks.withLock { $0[manifest] } }

    func remember(_ image: UnpackedImage, _ manifest: Digest) { stacks.withLock { $0[manifest] = image } }

    /// Forgets the stacks of images that are not in the books.
    func forgetStacks(except kept: ImageBooks) {
        stacks.withLock { stacks in stacks = stacks.filter { kept.entries[$0.key] != nil } }
    }

    /// What holds an image: "container web".
    package func holders(of image: StoredImage) -> [String] { holders(of: image.manifest) }

    /// Whether a lease holds a digest, and what for.
    func holders(of digest: Digest) -> [String] { leases.purposes(of: digest) }

    var held: Set<Digest> { leases.digests }

    /// Changes the books: the new ones count only once they are on the disk. Blocks.
    func changing<Value>(
        _ change: (inout ImageBooks) throws(ImageFailure) -> Value
    ) throws(ImageFailure) -> Value {
        try leases.gate.withLock { _ throws(ImageFailure) in
            let before = state.withLock { $0 }
            var books = before
            let value = try change(&books)
            guard books != before else { return value }
            do throws(SystemError) {
                try Files.replace(directory + "/images.json", with: books.bytes)
                try Files.synchronize(directory: directory)
            } catch { throw .system(error) }
            state.withLock { $0 = books }
            return value
        }
    }
}
