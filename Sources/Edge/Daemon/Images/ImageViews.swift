import Engine
import Glibc
import Images
import JSON
import Linux
import OCI

// Images as they are listed, inspected and explained.
extension ImageService {
    private static let filterKeys = ["before", "dangling", "label", "reference", "since"]

    func list(_ request: ListImages) async throws(NodeFailure) -> ImageList {
        let filters = try Filters(request.filters, known: Self.filterKeys)
        let dangling = try filters.flag("dangling")
        let bounds = try bounds(filters)
        let all = images.images
        let summaries = try await inStore { () async throws(ImageFailure) in
            try await Blocking.runLong { _ throws(ImageFailure) in
                var summaries: [(StoredImage, ImageSummary)] = []
                for image in all { summaries.append((image, try self.summary(image))) }
                return summaries
            }
        }
        var found: [ImageSummary] = []
        for (image, summary) in summaries {
            guard dangling.map({ $0 == image.names.isEmpty }) ?? true, filters.matchesLabels(summary.labels),
                bounds.allSatisfy({ $0(image) })
            else { continue }
            var summary = summary
            summary.names = summary.names.filter { name in
                request.name.map { Self.isMeant(name, by: $0) } ?? true
                    && filters.matches("reference") { Self.matches(name, $0) }
            }
            let isByName = request.name != nil || !filters.all("reference").isEmpty
            if !isByName || !summary.names.isEmpty { found.append(summary) }
        }
        return ImageList(images: found)
    }

    /// `before` and `since`: by the time of creation, as with Docker.
    private func bounds(_ filters: Filters) throws(NodeFailure) -> [@Sendable (StoredImage) -> Bool] {
        var bounds: [@Sendable (StoredImage) -> Bool] = []
        for text in filters.all("before") {
            let limit = try image(text)
            bounds.append { $0.createdTime < limit.createdTime }
        }
        for text in filters.all("since") {
            let limit = try image(text)
            bounds.append { $0.createdTime > limit.createdTime }
        }
        return bounds
    }

    /// "app" means every name in that repository, "app:1" one.
    private static func isMeant(_ name: Reference, by text: String) -> Bool {
        guard let meant = try? Reference(text) else { return false }
        if meant.tag != nil || meant.digest != nil { return name == meant }
        return name.repository == meant.repository
    }

    /// A pattern for the whole name or for its repository; "*" does not match "/".
    private static func matches(_ name: Reference, _ pattern: String) -> Bool {
        [name.description, name.repository].contains { (text: String) in fnmatch(pattern, text, FNM_PATHNAME) == 0 }
    }

    private func summary(_ image: StoredImage) throws(ImageFailure) -> ImageSummary {
        let notes = try images.layerNotes(of: image)
        let layers = try images.manifest(of: image).layers
        let size = zip(notes, layers).reduce(0) { $0 + ($1.0?.fileBytes ?? $1.1.size) }
        return ImageSummary(
            id: image.id, names: image.names, digest: image.manifest, created: image.created, size: size,
            labels: try images.config(of: image).defaults.labels)
    }

    func inspect(_ text: String) async throws(NodeFailure) -> ImageDetails {
        let image = try image(text)
        return try await inStore { () async throws(ImageFailure) in
            try await Blocking.run { () throws(ImageFailure) in
                let config = try self.images.config(of: image)
                let manifest = try self.images.manifest(of: image)
                let notes = try self.images.layerNotes(of: image)
                let layers = manifest.layers.indices.map { index in
                    ImageLayer(
                        digest: manifest.layers[index].digest, diff: config.diffIDs[index],
                        storedBytes: manifest.layers[index].size, fileBytes: notes[index]?.fileBytes)
                }
                return ImageDetails(
                    summary: try self.summary(image), author: config.author, platform: config.platform,
                    config: config.proposals, layers: layers, storedBytes: image.size,
                    holders: self.images.holders(of: image))
            }
        }
    }

    func history(_ text: String) async throws(NodeFailure) -> ImageSteps {
        let image = try image(text)
        return try await inStore { () async throws(ImageFailure) in
            try await Blocking.run { () throws(ImageFailure) in
                let config = try self.images.config(of: image)
                let layers = try self.images.manifest(of: image).layers
                let notes = try self.images.layerNotes(of: image)
                let sizes = zip(notes, layers).map { $0?.fileBytes ?? $1.size }
                return ImageSteps(id: image.id, steps: Self.steps(config, sizes))
            }
        }
    }

    /// The steps, the last first. An image may say nothing of its layers, or less than it has.
    static func steps(_ config: ImageConfig, _ sizes: [Int]) -> [ImageStep] {
        var left = sizes[...]
        var steps = config.history.map { entry in
            ImageStep(
                created: entry.created, createdBy: entry.createdBy, comment: entry.comment,
                size: entry.isEmptyLayer ? 0 : left.popFirst() ?? 0)
        }
        steps += left.map { ImageStep(created: config.created, createdBy: nil, comment: nil, size: $0) }
        return steps.reversed()
    }
}

extension StoredImage {
    /// When it was made; when it came, where its config does not say.
    fileprivate var createdTime: Timestamp { created.flatMap { Timestamp($0) } ?? added }
}
