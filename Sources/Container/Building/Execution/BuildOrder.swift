package import Engine
package import OCI

/// One build, everything that was sent for it read and checked.
package struct BuildOrder: Sendable {
    package var dockerfile: Dockerfile
    package var graph: BuildGraph
    /// The Dockerfile's name, for messages.
    package var fileName: String
    /// nil: there is nothing to copy from.
    package var context: SourceTree?
    package var arguments: [String: String]
    package var labels: [String: String]
    package var tags: [Reference]
    package var usesCache: Bool
    package var network: BuildImage.Network
    /// SOURCE_DATE_EPOCH in seconds.
    package var epoch: Int?

    package init(
        dockerfile: Dockerfile, graph: BuildGraph, fileName: String, context: SourceTree?, arguments: [String: String],
        labels: [String: String] = [:], tags: [Reference] = [], usesCache: Bool = true,
        network: BuildImage.Network = .standard, epoch: Int? = nil
    ) {
        self.dockerfile = dockerfile
        self.graph = graph
        self.fileName = fileName
        self.context = context
        self.arguments = arguments
        self.labels = labels
        self.tags = tags
        self.usesCache = usesCache
        self.network = network
        self.epoch = epoch
    }

    /// The name of the build argument that is the epoch, too.
    package static let epochArgument = "SOURCE_DATE_EPOCH"

    /// Reads SOURCE_DATE_EPOCH: seconds since 1970, as its specification has it.
    package static func epoch(_ text: String) throws(BuildFailure) -> Int {
        guard let epoch = Int(text), epoch >= 0, epoch <= 253_402_300_799 else {
            throw BuildFailure(
                .badRequest, "SOURCE_DATE_EPOCH=\(text): expected seconds since 1970, as in $(git log -1 --format=%ct)")
        }
        return epoch
    }
}

extension BuildGraph {
    /// The images that the build needs, as the Dockerfile names them, each once.
    package var images: [String] {
        var images: [String] = []
        for node in nodes {
            for case .image(let name) in [node.base] + node.copies.sorted(by: { $0.key < $1.key }).map(\.value)
            where !images.contains(name) {
                images.append(name)
            }
        }
        return images
    }

    /// FROM and the instructions of all stages that are built.
    package var stepCount: Int { nodes.reduce(0) { $0 + 1 + $1.stage.steps.count } }
}
