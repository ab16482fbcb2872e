import Engine
import Images
import Linux
import OCI

// Names that come and go, and images with them.
extension ImageService {
    func tag(_ request: TagImage) async throws(NodeFailure) -> NoValue {
        let image = try image(request.image)
        try await inStore { () async throws(ImageFailure) in
            try await Blocking.run { () throws(ImageFailure) in try self.images.tag(image, as: request.name) }
        }
        engine.journal.note(.image, "tag", subject: image.id.description, name: request.name.tagged.description)
        return NoValue()
    }

    func remove(_ request: RemoveImage) async throws(NodeFailure) -> ImagesRemoved {
        let removal = try await inStore { () async throws(ImageFailure) in
            try await Blocking.runLong { _ throws(ImageFailure) in
                try self.images.remove(request.image, force: request.force)
            }
        }
        return noted(removal)
    }

    func prune(_ request: PruneImages) async throws(NodeFailure) -> ImagesRemoved {
        let filters = try Filters(request.filters, known: ["label", "label!", "until"])
        var limit: Timestamp?
        for text in filters.all("until") {
            guard let time = Timestamp(text) else {
                throw NodeFailure(.badRequest, "--filter until=\(text): write a time such as 2026-01-31T12:00:00Z")
            }
            limit = min(limit ?? time, time)
        }
        let until = limit
        let removal = try await inStore { () async throws(ImageFailure) in
            try await Blocking.runLong { _ throws(ImageFailure) in
                try self.images.prune(all: request.all) { image, labels in
                    guard filters.matchesLabels(labels) else { return false }
                    let isSpared = filters.all("label!").contains { Self.has(labels, $0) }
                    return !isSpared && (until.map { (image.created.flatMap { Timestamp($0) } ?? image.added) < $0 } ?? true)
                }
            }
        }
        return noted(removal)
    }

    private static func has(_ labels: [String: String], _ wanted: String) -> Bool {
        let pair = wanted.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let value = labels[pair[0]] else { return false }
        return pair.count == 1 || pair[1] == value
    }

    private func noted(_ removal: ImageRemoval) -> ImagesRemoved {
        for name in removal.untagged { engine.journal.note(.image, "untag", subject: name.description) }
        for id in removal.deleted { engine.journal.note(.image, "delete", subject: id.description) }
        return ImagesRemoved(untagged: removal.untagged, deleted: removal.deleted, freedBytes: removal.freedBytes)
    }
}
