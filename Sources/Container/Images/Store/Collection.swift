internal import Linux
internal import OCI

// Removing what nothing needs. Every removal first changes the list of images, on the disk, and then takes blobs: a
// crash in between leaves rubbish, which the next collection takes, and never an image without its layers.
extension ImageStore {
    /// Removes a name, and with its last name the image. Blocks.
    ///
    /// An image that something holds, or that has other names and was named by its id, is refused unless `force`; then
    /// its names go, and the image itself stays for as long as it is held.
    @discardableResult
    package func remove(_ text: String, force: Bool = false) throws(ImageFailure) -> ImageRemoval {
        var removal = try changing { books throws(ImageFailure) in
            let image = try books.resolve(text)
            var removal = ImageRemoval()
            let named = (try? Reference(text))?.tagged
            if let named, image.names.contains(named), image.names.count > 1 {
                books.unname(named)
                removal.untagged = [named]
                return removal
            }
            try refuse(image, text, isNamed: named.map { image.names.contains($0) } ?? false, force: force)
            for name in image.names { books.unname(name) }
            removal.untagged = image.names
            if holders(of: image.manifest).isEmpty {
                books.remove(image.manifest)
                removal.deleted = [image.id]
            }
            return removal
        }
        if !removal.deleted.isEmpty { removal.freedBytes = try collect() }
        return removal
    }

    private func refuse(_ image: StoredImage, _ text: String, isNamed: Bool, force: Bool) throws(ImageFailure) {
        guard !force else { return }
        let holders = holders(of: image.manifest)
        guard holders.isEmpty else {
            throw .inUse(
                "image \"\(text)\" cannot be removed: it is used by \(holders.joined(separator: ", ")). "
                    + "Remove that first, or use --force to remove the name.")
        }
        guard isNamed || image.names.count <= 1 else {
            throw .inUse(
                "image \"\(text)\" cannot be removed by its id: it has \(image.names.count) names "
                    + "(\(image.names.map(\.description).joined(separator: ", "))). Use --force to remove all of them.")
        }
    }

    /// Removes the images without a name that nothing holds; with `all` also those with names. Of them, those that
    /// `isMeant` wants, by the image and its labels. Blocks.
    package func prune(
        all: Bool, where isMeant: (StoredImage, _ labels: [String: String]) -> Bool = { _, _ in true }
    ) throws(ImageFailure) -> ImageRemoval {
        var removal = try changing { books throws(ImageFailure) in
            var removal = ImageRemoval()
            for image in books.images where all || image.names.isEmpty {
                guard holders(of: image.manifest).isEmpty else { continue }
                guard isMeant(image, try config(image.id).defaults.labels) else { continue }
                books.remove(image.manifest)
                removal.untagged += image.names
                removal.deleted.append(image.id)
            }
            return removal
        }
        removal.freedBytes = try collect()
        return removal
    }

    /// Removes the blobs and unpacked layers that no image and no lease needs; returns how many bytes they had on
    /// the disk. Blocks, for as long as it takes to remove the trees.
    package func collect() throws(ImageFailure) -> Int {
        let (blobBytes, trees) = try changing { books throws(ImageFailure) in
            var kept = held
            // A build holds the stacks of its stages by their chain ids.
            var chains = held
            for entry in books.entries.values {
                let manifest = try manifest(entry.manifest)
                kept.formUnion([entry.manifest, entry.id])
                if let index = entry.index { kept.insert(index) }
                for layer in manifest.layers { kept.insert(layer.digest) }
                chains.formUnion(Digest.chainIDs(of: try config(entry.id).diffIDs))
            }
            forgetStacks(except: books)
            do throws(SystemError) {
                return (try removeBlobs(except: kept), try shelf.takeOut(except: chains))
            } catch { throw .system(error) }
        }
        // Without the gate: removing a tree of many files takes seconds.
        do throws(SystemError) {
            var freed = blobBytes
            for tree in trees {
                freed += try DiskUse.bytes(below: tree)
                try Files.removeTree(tree)
            }
            return freed
        } catch { throw .system(error) }
    }

    private func removeBlobs(except kept: Set<Digest>) throws(SystemError) -> Int {
        var freed = 0
        for digest in try blobs.list() where !kept.contains(digest) {
            freed += try DiskUse.bytes(below: blobs.path(digest))
            try Files.remove(blobs.path(digest))
        }
        return freed
    }
}
