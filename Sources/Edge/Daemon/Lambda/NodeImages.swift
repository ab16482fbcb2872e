import Catalog
import Images
import Lambda
import OCI

/// The node's store of images, for functions that are made from them.
struct NodeImages: LocalImages {
    let store: ImageStore

    func resolve(_ name: String) async throws(LambdaFailure) -> LocalImage {
        do throws(ImageFailure) {
            let held = try await held(name)
            return LocalImage(
                id: "\(held.image.id)", digest: "\(held.image.manifest)", size: held.image.size, lease: held.lease)
        } catch {
            throw .invalidParameter(
                "Source image \(name) cannot be used: \(error.description). Images are those of this node: build, load or "
                    + "pull it first.")
        }
    }

    func hold(_ id: String) async throws(LambdaFailure) -> any LocalImageLease {
        do throws(ImageFailure) { return try await held(id).lease } catch {
            throw .service("The image \(id) is not in the node's store any more: \(error.description)")
        }
    }

    private func held(_ name: String) async throws(ImageFailure) -> (image: StoredImage, lease: HeldImage) {
        try await Blocking.run { () throws(ImageFailure) in
            let image = try store.resolve(name)
            let lease = store.lease(for: "functions")
            try store.hold(image, by: lease)
            return (image, HeldImage(lease))
        }
    }
}

/// An image that stays in the store as long as somebody refers to this.
private final class HeldImage: LocalImageLease {
    private let lease: ImageLease

    init(_ lease: ImageLease) { self.lease = lease }

    deinit { lease.end() }
}
