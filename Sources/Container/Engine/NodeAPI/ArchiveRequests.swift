package import OCI

/// Writes images as an archive to the descriptor that comes with the request: `images.save`.
package struct SaveImages: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = NoValue
    package static let operation = NodeOperation.saveImages

    package enum Format: String, Hashable, Sendable, CaseIterable {
        /// An OCI layout with the table of a docker-archive.
        case both
        case oci = "oci-archive"
        case docker = "docker-archive"
    }

    /// Names (with the tag, or all of a repository's without), digests or ids.
    package var images: [String]
    package var format: Format

    package init(images: [String], format: Format = .both) {
        self.images = images
        self.format = format
    }
}

/// Takes in the images of the archive in the descriptor that comes with the request: `images.load`.
package struct LoadImages: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = ImagesLoaded
    package static let operation = NodeOperation.loadImages

    /// nil: this machine's, where an index leaves the choice.
    package var platform: Platform?

    package init(platform: Platform? = nil) { self.platform = platform }
}

package struct ImagesLoaded: NodeValue {
    package struct Image: NodeValue {
        package var id: Digest
        package var names: [Reference]

        package init(id: Digest, names: [Reference]) {
            self.id = id
            self.names = names
        }
    }

    package var images: [Image]

    package init(images: [Image]) { self.images = images }
}

/// Makes an image of the root filesystem in the descriptor that comes with the request: `images.import`.
package struct ImportImage: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = ImageMade
    package static let operation = NodeOperation.importImage

    package var name: Reference?
    package var platform: Platform?
    package var message: String?
    /// Dockerfile instructions for the config: "CMD [\"sh\"]", "ENV A=b".
    package var changes: [String]

    package init(name: Reference? = nil, platform: Platform? = nil, message: String? = nil, changes: [String] = []) {
        self.name = name
        self.platform = platform
        self.message = message
        self.changes = changes
    }
}

/// Makes an image of what a container changed: `containers.commit`.
package struct CommitContainer: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = ImageMade
    package static let operation = NodeOperation.commitContainer

    package var container: String
    package var name: Reference?
    package var author: String?
    package var message: String?
    package var changes: [String]
    /// Whether a container that runs is paused meanwhile.
    package var pauses: Bool

    package init(
        container: String, name: Reference? = nil, author: String? = nil, message: String? = nil, changes: [String] = [],
        pauses: Bool = true
    ) {
        self.container = container
        self.name = name
        self.author = author
        self.message = message
        self.changes = changes
        self.pauses = pauses
    }
}

package struct ImageMade: NodeValue {
    package var id: Digest

    package init(id: Digest) { self.id = id }
}

/// Writes a container's files as a tar archive to the descriptor that comes with the request: `containers.export`.
package struct ExportContainer: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = NoValue
    package static let operation = NodeOperation.exportContainer

    package var container: String

    package init(container: String) { self.container = container }
}

/// What a container changed in the files of its image: `containers.changes`.
package struct ContainerChanges: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = FileChanges
    package static let operation = NodeOperation.containerChanges

    package var container: String

    package init(container: String) { self.container = container }
}

package struct FileChanges: NodeValue {
    package struct Change: NodeValue {
        package enum Kind: String, Hashable, Sendable, CaseIterable { case added = "A", changed = "C", deleted = "D" }

        package var kind: Kind
        package var path: String

        package init(kind: Kind, path: String) {
            self.kind = kind
            self.path = path
        }
    }

    package var changes: [Change]

    package init(changes: [Change]) { self.changes = changes }
}

/// What the node's things take on the disk: `node.diskUsage`.
package struct GetDiskUsage: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = NodeDiskUsage
    package static let operation = NodeOperation.diskUsage

    package init() {}
}

package struct NodeDiskUsage: NodeValue {
    /// One sort of thing. Bytes are those that are allocated on the disk, as `du` counts them.
    package struct Part: NodeValue {
        /// "images", "containers", "volumes", "buildCache".
        package var name: String
        package var total: Int
        /// How many of them are in use.
        package var active: Int
        package var bytes: Int
        /// What would be free if everything that is not in use were removed.
        package var reclaimableBytes: Int

        package init(name: String, total: Int, active: Int, bytes: Int, reclaimableBytes: Int) {
            self.name = name
            self.total = total
            self.active = active
            self.bytes = bytes
            self.reclaimableBytes = reclaimableBytes
        }
    }

    package var parts: [Part]

    package init(parts: [Part]) { self.parts = parts }
}
