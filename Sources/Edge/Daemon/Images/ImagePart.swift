import Engine
import Images
import Linux
import OCI

/// The store of images as a part of the node: `images.*`, what is made of containers, and what all of it takes on the disk.
package enum ImagePart {
    /// Makes the part for a node.
    package static let maker: NodePart.Maker = { node in
        let service = ImageService(images: node.images, engine: node.engine)
        return NodePart(owner: nil, routes: service.viewRoutes + service.archiveRoutes + service.containerRoutes)
    }
}

/// Serves what is asked about images.
struct ImageService: Sendable {
    let images: ImageStore
    let engine: ContainerEngine

    var viewRoutes: [NodeRoute] {
        [
            NodeRoute(ListImages.self) { request, _ async throws(NodeFailure) in try await self.list(request) },
            NodeRoute(InspectImage.self) { request, _ async throws(NodeFailure) in try await self.inspect(request.image) },
            NodeRoute(ImageHistory.self) { request, _ async throws(NodeFailure) in try await self.history(request.image) },
            NodeRoute(TagImage.self) { request, _ async throws(NodeFailure) in try await self.tag(request) },
            NodeRoute(RemoveImage.self) { request, _ async throws(NodeFailure) in try await self.remove(request) },
            NodeRoute(PruneImages.self) { request, _ async throws(NodeFailure) in try await self.prune(request) },
        ]
    }

    var archiveRoutes: [NodeRoute] {
        [
            NodeRoute(SaveImages.self) { request, exchange async throws(NodeFailure) in
                try exchange.require(descriptors: 1, for: "saving images")
                return try await self.save(request, to: exchange.descriptors[0])
            },
            NodeRoute(LoadImages.self) { request, exchange async throws(NodeFailure) in
                try exchange.require(descriptors: 1, for: "loading images")
                return try await self.load(request, from: exchange.descriptors[0])
            },
            NodeRoute(ImportImage.self) { request, exchange async throws(NodeFailure) in
                try exchange.require(descriptors: 1, for: "importing an image")
                return try await self.importRoot(request, from: exchange.descriptors[0])
            },
        ]
    }

    /// Runs work of the store.
    func inStore<Value>(_ body: () async throws(ImageFailure) -> Value) async throws(NodeFailure) -> Value {
        do throws(ImageFailure) { return try await body() } catch { throw NodeFailure(error) }
    }

    /// The image that is meant by a name, a digest or an id.
    func image(_ text: String) throws(NodeFailure) -> StoredImage {
        do throws(ImageFailure) { return try images.resolve(text) } catch { throw NodeFailure(error) }
    }
}

extension NodeFailure {
    /// What the store said, as the node's answer.
    init(_ failure: ImageFailure) {
        let kind: NodeFailure.Kind =
            switch failure {
            case .system(let error): error.code == .canceled ? .cancelled : .system
            case .unknownImage: .noImage
            case .inUse: .conflict
            case .name, .ambiguous, .document, .missingBlob, .wrongDigest, .wrongSize, .wrongLayer, .unusable: .badRequest
            }
        self.init(kind, failure.description)
    }
}
