internal import Linux
internal import OCI

/// What a store takes on the disk, in bytes as `du` counts them.
package struct StoreUse: Hashable, Sendable {
    package var images = 0
    /// Of them, those that something holds.
    package var active = 0
    /// Everything below the store's directory.
    package var bytes = 0
    /// What would be free without the images that nothing holds: what they share with others stays.
    package var reclaimableBytes = 0
}

extension ImageStore {
    /// Counts. Blocks, for as long as it takes to look at every file.
    package func use() throws(ImageFailure) -> StoreUse {
        let images = images
        let active = images.filter { !holders(of: $0).isEmpty }
        // What leases hold beside images, a build's cache for one, a collection does not take either.
        var kept = held
        var chains = held
        for image in active {
            let manifest = try manifest(of: image)
            kept.formUnion([image.manifest, image.id] + manifest.layers.map(\.digest))
            if let index = image.index { kept.insert(index) }
            chains.formUnion(Digest.chainIDs(of: try config(of: image).diffIDs))
        }
        do throws(SystemError) {
            var needed = 0
            for digest in kept { needed += try DiskUse.bytes(below: blobs.path(digest)) }
            for chain in chains where shelf.note(chain) != nil { needed += try DiskUse.bytes(below: shelf.place(chain)) }
            let parts = try DiskUse.bytes(below: directory + "/blobs") + DiskUse.bytes(below: directory + "/layers")
            let bare = try bareBytes()
            return StoreUse(
                images: images.count, active: active.count, bytes: try DiskUse.bytes(below: directory),
                reclaimableBytes: max(0, parts - bare - needed))
        } catch { throw .system(error) }
    }

    /// The directories that an empty store has, too.
    private func bareBytes() throws(SystemError) -> Int {
        var bytes = 0
        for path in ["blobs", "blobs/sha256", "blobs/sha512", "layers", "layers/incoming"] {
            bytes += try DiskUse.own(directory + "/" + path)
        }
        return bytes
    }
}
