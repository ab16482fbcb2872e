package import JSON
package import OCI

/// The images that are here, the latest first: `images.list`.
package struct ListImages: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = ImageList
    package static let operation = NodeOperation.listImages

    /// Only this repository ("app"), or this name ("app:1"); nil: all.
    package var name: String?
    /// "dangling", "label", "before", "since", "reference": any of one key, every key.
    package var filters: [String]

    package init(name: String? = nil, filters: [String] = []) {
        self.name = name
        self.filters = filters
    }
}

package struct ImageList: NodeValue {
    package var images: [ImageSummary]

    package init(images: [ImageSummary]) { self.images = images }
}

package struct ImageSummary: NodeValue {
    package var id: Digest
    package var names: [Reference]
    /// That of its manifest.
    package var digest: Digest
    /// RFC 3339, as its config says; nil when that says nothing.
    package var created: String?
    /// What its files hold, in bytes; where a layer has not been unpacked yet, what that takes as it is stored.
    package var size: Int
    package var labels: [String: String]

    package init(
        id: Digest, names: [Reference], digest: Digest, created: String?, size: Int, labels: [String: String]
    ) {
        self.id = id
        self.names = names
        self.digest = digest
        self.created = created
        self.size = size
        self.labels = labels
    }
}

/// Everything about one image: `images.inspect`.
package struct InspectImage: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = ImageDetails
    package static let operation = NodeOperation.inspectImage

    package var image: String

    package init(image: String) { self.image = image }
}

package struct ImageDetails: NodeValue {
    package var summary: ImageSummary
    package var author: String?
    package var platform: Platform
    /// What it proposes for containers, in the image specification's words ("Cmd", "Env", ...).
    package var config: JSONValue
    /// The layers, the lowest first.
    package var layers: [ImageLayer]
    /// Bytes of config and layers as they are stored.
    package var storedBytes: Int
    /// Why it cannot be removed just so: "container web".
    package var holders: [String]

    package init(
        summary: ImageSummary, author: String?, platform: Platform, config: JSONValue, layers: [ImageLayer],
        storedBytes: Int, holders: [String]
    ) {
        self.summary = summary
        self.author = author
        self.platform = platform
        self.config = config
        self.layers = layers
        self.storedBytes = storedBytes
        self.holders = holders
    }
}

package struct ImageLayer: NodeValue {
    /// Of the blob.
    package var digest: Digest
    /// Of the tar.
    package var diff: Digest
    /// As it is stored.
    package var storedBytes: Int
    /// What its files hold; nil until it is unpacked.
    package var fileBytes: Int?

    package init(digest: Digest, diff: Digest, storedBytes: Int, fileBytes: Int?) {
        self.digest = digest
        self.diff = diff
        self.storedBytes = storedBytes
        self.fileBytes = fileBytes
    }
}

/// How an image came about, the last step first: `images.history`.
package struct ImageHistory: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = ImageSteps
    package static let operation = NodeOperation.imageHistory

    package var image: String

    package init(image: String) { self.image = image }
}

package struct ImageSteps: NodeValue {
    package var id: Digest
    package var steps: [ImageStep]

    package init(id: Digest, steps: [ImageStep]) {
        self.id = id
        self.steps = steps
    }
}

package struct ImageStep: NodeValue {
    package var created: String?
    package var createdBy: String?
    package var comment: String?
    /// Of the layer that it made; 0 when it made none.
    package var size: Int

    package init(created: String?, createdBy: String?, comment: String?, size: Int) {
        self.created = created
        self.createdBy = createdBy
        self.comment = comment
        self.size = size
    }
}

/// Gives an image one more name: `images.tag`.
package struct TagImage: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = NoValue
    package static let operation = NodeOperation.tagImage

    package var image: String
    package var name: Reference

    package init(image: String, name: Reference) {
        self.image = image
        self.name = name
    }
}

/// Removes a name, and with its last name an image: `images.remove`.
package struct RemoveImage: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = ImagesRemoved
    package static let operation = NodeOperation.removeImage

    package var image: String
    package var force: Bool

    package init(image: String, force: Bool = false) {
        self.image = image
        self.force = force
    }
}

/// Removes the images that nothing uses and that have no name, or also those with one: `images.prune`.
package struct PruneImages: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = ImagesRemoved
    package static let operation = NodeOperation.pruneImages

    package var all: Bool
    /// "label", "label!", "until".
    package var filters: [String]

    package init(all: Bool = false, filters: [String] = []) {
        self.all = all
        self.filters = filters
    }
}

package struct ImagesRemoved: NodeValue {
    package var untagged: [Reference]
    package var deleted: [Digest]
    /// What the disk has got back.
    package var freedBytes: Int

    package init(untagged: [Reference], deleted: [Digest], freedBytes: Int) {
        self.untagged = untagged
        self.deleted = deleted
        self.freedBytes = freedBytes
    }
}
