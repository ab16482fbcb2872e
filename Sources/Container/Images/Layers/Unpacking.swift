internal import Linux
package import OCI

// Images as stacks of directories.
extension ImageStore {
    /// The image with its layers unpacked: each layer once, also when several ask for it at the same time.
    ///
    /// Whoever uses the directories holds the image by a lease, taken before; they are there for as long.
    package func unpacked(_ image: StoredImage) async throws(ImageFailure) -> UnpackedImage {
        if let known = unpackedAlready(image.manifest) { return known }
        let lease = lease(for: "unpacking \(image.id.short)")
        defer { lease.end() }
        let (config, orders) = try await Blocking.run { () throws(ImageFailure) in
            try self.hold(image, by: lease)
            return try self.orders(for: try self.manifest(of: image))
        }
        let visible = try await visible(orders)
        guard visible.count <= LayerStack.limit else {
            throw .unusable(
                "the image \(image.id.short) has \(visible.count) layers, and the kernel stacks at most "
                    + "\(LayerStack.limit) for a container. Make it one layer: export a container of it where it runs, "
                    + "and import that.")
        }
        let unpacked = UnpackedImage(id: image.id, config: config, layers: visible.reversed().map { shelf.tree($0.chain) })
        remember(unpacked, image.manifest)
        return unpacked
    }

    /// The directories of a stack of layers that is no image (yet): a stage of a build. The topmost first.
    ///
    /// - Parameter lease: holds the blobs, and from now on the directories.
    package func unpacked(
        _ layers: [(blob: Digest, diff: Digest)], lease: ImageLease
    ) async throws(ImageFailure) -> [String] {
        let chains = Digest.chainIDs(of: layers.map(\.diff))
        for chain in chains { lease.hold(chain) }
        let orders = chains.indices.map { index in
            let (blob, diff) = layers[index]
            return LayerShelf.Order(chain: chains[index], diff: diff, blob: blob) {
                () throws(ImageFailure) in try self.open(blob: blob)
            }
        }
        return try await visible(orders).reversed().map { shelf.tree($0.chain) }
    }

    /// What is under a layer that hides all others is not part of the root: overlayfs does not look for an opaque
    /// mark at a layer's own root.
    private func visible(_ orders: [LayerShelf.Order]) async throws(ImageFailure) -> ArraySlice<LayerShelf.Order> {
        let notes = try await carryOut(orders) { _, _ in }
        let lowest = notes.lastIndex { $0.hidesLayersBelow } ?? 0
        return orders[min(lowest, orders.count)...]
    }

    /// What is known of the layers of an image, the lowest first; nil for those that are not unpacked. Blocks.
    package func layerNotes(of image: StoredImage) throws(ImageFailure) -> [LayerNote?] {
        Digest.chainIDs(of: try config(of: image).diffIDs).map { shelf.note($0) }
    }

    /// Unpacks the layers of an image that is not listed yet, which shows whether they are what its config says. A
    /// lease of the caller's holds its parts. `progress` hears of each layer when its work begins, and when it ends.
    package func unpackLayers(
        of manifest: Manifest, progress: @escaping @Sendable (Descriptor, _ isDone: Bool) -> Void = { _, _ in }
    ) async throws(ImageFailure) {
        let (_, orders) = try await Blocking.run { () throws(ImageFailure) in try self.orders(for: manifest) }
        _ = try await carryOut(orders) { index, isDone in progress(manifest.layers[index], isDone) }
    }

    private func orders(for manifest: Manifest) throws(ImageFailure) -> (ImageConfig, [LayerShelf.Order]) {
        let config = try config(manifest.config.digest)
        try checkCount(manifest, config)
        let chains = Digest.chainIDs(of: config.diffIDs)
        let orders = chains.indices.map { index in
            let blob = manifest.layers[index].digest
            return LayerShelf.Order(chain: chains[index], diff: config.diffIDs[index], blob: blob) {
                () throws(ImageFailure) in try self.open(blob: blob)
            }
        }
        return (config, orders)
    }

    /// Two at a time: one reads and decompresses while the other writes.
    private func carryOut(
        _ orders: [LayerShelf.Order], _ progress: @escaping @Sendable (Int, Bool) -> Void
    ) async throws(ImageFailure) -> [LayerNote] {
        let shelf = shelf
        var notes = [LayerNote?](repeating: nil, count: orders.count)
        var failure: ImageFailure?
        await withTaskGroup(of: (Int, Result<LayerNote, ImageFailure>).self) { group in
            var next = 0
            func add() {
                guard next < orders.count, failure == nil else { return }
                let index = next
                next += 1
                group.addTask {
                    progress(index, false)
                    do throws(ImageFailure) {
                        let note = try await shelf.layer(orders[index])
                        progress(index, true)
                        return (index, .success(note))
                    } catch { return (index, .failure(error)) }
                }
            }
            for _ in 0..<2 { add() }
            while let (index, result) = await group.next() {
                switch result {
                case .success(let note): notes[index] = note
                case .failure(let error): failure = failure ?? error
                }
                add()
            }
        }
        if let failure { throw failure }
        return notes.compactMap { $0 }
    }
}
