package import Linux
package import OCI

extension ImageStore {
    /// The manifest of an image. Blocks.
    package func manifest(of image: StoredImage) throws(ImageFailure) -> Manifest {
        try manifest(image.manifest)
    }

    func manifest(_ digest: Digest) throws(ImageFailure) -> Manifest {
        let bytes = try read(blob: digest, limit: DocumentLimits.manifestBytes)
        do throws(DocumentError) { return try Manifest(bytes) } catch { throw .document(error) }
    }

    /// The config of an image. Blocks.
    package func config(of image: StoredImage) throws(ImageFailure) -> ImageConfig { try config(image.id) }

    func config(_ digest: Digest) throws(ImageFailure) -> ImageConfig {
        let bytes = try read(blob: digest, limit: DocumentLimits.configBytes)
        do throws(DocumentError) { return try ImageConfig(bytes) } catch { throw .document(error) }
    }

    /// Lists an image whose config and layers are in the store, under these names. Blocks.
    ///
    /// `index` is the digest of the index it was chosen from, when that is in the store, too. `now` is the time it came.
    @discardableResult
    package func add(
        _ manifest: Manifest, index: Digest? = nil, names: [Reference] = [], now: Timestamp, lease: ImageLease
    ) throws(ImageFailure) -> StoredImage {
        try add([ArchivedImage(manifest: manifest, index: index, names: names)], now: now, lease: lease)[0]
    }

    /// Lists several images, or, when one of them cannot be, none.
    func add(_ images: [ArchivedImage], now: Timestamp, lease: ImageLease) throws(ImageFailure) -> [StoredImage] {
        for image in images { try put(image.manifest.bytes, lease: lease) }
        return try changing { books throws(ImageFailure) in
            for image in images {
                let manifest = image.manifest
                let config = try check(manifest, index: image.index)
                let digest = Digest(of: manifest.bytes)
                books.add(
                    ImageBooks.Entry(
                        id: manifest.config.digest, manifest: digest, index: image.index,
                        size: manifest.layers.reduce(manifest.config.size) { $0 + $1.size }, created: config.created,
                        added: now))
                for name in image.names { books.name(name.tagged, digest) }
            }
            return images.compactMap { books.image(Digest(of: $0.manifest.bytes)) }
        }
    }

    /// What an image consists of must be here, in the announced sizes.
    private func check(_ manifest: Manifest, index: Digest?) throws(ImageFailure) -> ImageConfig {
        for part in [manifest.config] + manifest.layers {
            let size: Int?
            do throws(SystemError) { size = try blobs.size(part.digest) } catch { throw .system(error) }
            guard let size else { throw .missingBlob(part.digest) }
            guard size == part.size else { throw .wrongSize(part.digest, expected: part.size, found: size) }
        }
        if let index { _ = try read(blob: index, limit: DocumentLimits.manifestBytes) }
        let config = try config(manifest.config.digest)
        try checkCount(manifest, config)
        return config
    }

    func checkCount(_ manifest: Manifest, _ config: ImageConfig) throws(ImageFailure) {
        guard config.diffIDs.count == manifest.layers.count else {
            throw .unusable(
                "the image cannot be used: its manifest lists \(manifest.layers.count) layers and its config "
                    + "\(config.diffIDs.count)")
        }
    }

    /// Gives an image one more name; an image that had the name loses it. Blocks.
    package func tag(_ image: StoredImage, as name: Reference) throws(ImageFailure) {
        guard name.digest == nil else {
            throw .unusable("\"\(name)\" cannot be given as a name: a name with a digest comes from a registry only")
        }
        try changing { books throws(ImageFailure) in
            guard books.entries[image.manifest] != nil else { throw .unknownImage(image.id.description) }
            books.name(name.tagged, image.manifest)
        }
    }
}
