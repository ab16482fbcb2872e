import Engine
import Images
import Linux
import OCI

// Images that leave the store as archives, and come so.
extension ImageService {
    func save(_ request: SaveImages, to output: SharedFD) async throws(NodeFailure) -> NoValue {
        guard !request.images.isEmpty else { throw NodeFailure(.badRequest, "name at least one image to save") }
        var chosen: [SavedImage] = []
        for text in request.images {
            for saved in try selection(text) {
                if let at = chosen.firstIndex(where: { $0.image.manifest == saved.image.manifest }) {
                    chosen[at].names += saved.names.filter { !chosen[at].names.contains($0) }
                } else {
                    chosen.append(saved)
                }
            }
        }
        let format: ArchiveFormat =
            switch request.format {
            case .both: .both
            case .oci: .oci
            case .docker: .docker
            }
        let images = chosen
        try await inStore { () async throws(ImageFailure) in
            try await self.images.save(images, format: format, to: output)
        }
        for saved in images { engine.journal.note(.image, "save", subject: saved.image.id.description) }
        return NoValue()
    }

    /// What a word stands for: a name with its tag, every name of a repository, or an image without a name by its id.
    private func selection(_ text: String) throws(NodeFailure) -> [SavedImage] {
        if let meant = try? Reference(text), meant.tag == nil, meant.digest == nil {
            let found = images.images.compactMap { image in
                let names = image.names.filter { $0.repository == meant.repository }
                return names.isEmpty ? nil : SavedImage(image, names: names)
            }
            if !found.isEmpty { return found }
        }
        let image = try image(text)
        let name = (try? Reference(text)).flatMap { name in image.names.contains(name) ? name : nil }
        return [SavedImage(image, names: name.map { [$0] } ?? [])]
    }

    func load(_ request: LoadImages, from archive: SharedFD) async throws(NodeFailure) -> ImagesLoaded {
        let loaded = try await inStore { () async throws(ImageFailure) in
            try await self.images.load(archive, platform: request.platform ?? .ofThisMachine, now: Clock.now())
        }
        for image in loaded { engine.journal.note(.image, "load", subject: image.image.id.description) }
        return ImagesLoaded(images: loaded.map { ImagesLoaded.Image(id: $0.image.id, names: $0.names) })
    }

    func importRoot(_ request: ImportImage, from archive: SharedFD) async throws(NodeFailure) -> ImageMade {
        let now = Clock.now()
        var config = ImageConfig(platform: request.platform ?? .ofThisMachine)
        config.defaults = try ConfigChanges.apply(request.changes, to: config.defaults)
        config.created = now.description
        config.history = [HistoryEntry(created: now.description, comment: request.message ?? "Imported from an archive")]
        let names = request.name.map { [$0.tagged] } ?? []
        try checkNames(names)
        let made = config
        let image = try await inStore { () async throws(ImageFailure) in
            try await self.images.importRoot(archive, config: made, names: names, now: now)
        }
        engine.journal.note(.image, "import", subject: image.id.description, name: names.first?.description)
        return ImageMade(id: image.id)
    }

    /// An image is named before it has a digest, so it cannot be named by one.
    func checkNames(_ names: [Reference]) throws(NodeFailure) {
        for name in names where name.digest != nil {
            throw NodeFailure(.badRequest, "\"\(name)\" cannot be given as a name: leave out the digest")
        }
    }
}
