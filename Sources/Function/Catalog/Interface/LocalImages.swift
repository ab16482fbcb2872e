package import Lambda

/// The images of this node, from which functions can be made.
package protocol LocalImages: Sendable {
    /// The image of that name, and a lease that keeps it in the store.
    /// - Throws: InvalidParameterValueException when there is none.
    func resolve(_ name: String) async throws(LambdaFailure) -> LocalImage
    /// Keeps an image that was resolved before in the store, by its id: for functions of a node that starts again.
    func hold(_ id: String) async throws(LambdaFailure) -> any LocalImageLease
}

/// Keeps an image in the store for as long as it is referred to.
package protocol LocalImageLease: AnyObject, Sendable {}

package struct LocalImage: Sendable {
    /// "sha256:...": of its configuration.
    package var id: String
    /// "sha256:...": of its manifest, for `ResolvedImageUri`.
    package var digest: String
    /// Bytes.
    package var size: Int
    package var lease: any LocalImageLease

    package init(id: String, digest: String, size: Int, lease: any LocalImageLease) {
        self.id = id
        self.digest = digest
        self.size = size
        self.lease = lease
    }
}

/// A node without images.
package struct NoImages: LocalImages {
    package init() {}

    package func resolve(_ name: String) async throws(LambdaFailure) -> LocalImage {
        throw .invalidParameter("Source image \(name) does not exist: this node has no store of images.")
    }

    package func hold(_ id: String) async throws(LambdaFailure) -> any LocalImageLease {
        throw .invalidParameter("Source image \(id) does not exist: this node has no store of images.")
    }
}
