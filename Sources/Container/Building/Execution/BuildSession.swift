internal import Engine
internal import Images
internal import Linux
internal import OCI

/// What one build has beside its order: the lease on everything it uses, the time, the way to tell how far it is.
struct BuildSession: Sendable {
    let order: BuildOrder
    let store: ImageStore
    let cache: BuildCache
    let kit: BuildKit
    let lease: ImageLease
    /// When the build began.
    let now: Timestamp
    let platform: Platform
    let tell: @Sendable (BuildProgress) async -> Void

    var circumstances: StepKey.Circumstances {
        StepKey.Circumstances(platform: platform.description, epoch: order.epoch)
    }

    /// Times of files after this one are written as this one.
    var latest: FileTime? { order.epoch.map { FileTime(seconds: $0) } }

    /// What new entries of the history say, RFC 3339.
    var created: String { order.epoch.map { Timestamp(nanoseconds: $0 * 1_000_000_000) }.map(\.description) ?? now.description }

    /// Where an image that the Dockerfile names is.
    func image(_ name: String) async throws(BuildFailure) -> (image: StoredImage, config: ImageConfig, stack: StageStack) {
        let store = store
        let lease = lease
        let found = try await storing { () throws(ImageFailure) in
            let image = try store.resolve(name)
            try store.hold(image, by: lease)
            let manifest = try store.manifest(of: image)
            let config = try store.config(of: image)
            for layer in manifest.layers { lease.hold(layer.digest) }
            return (image, config, StageStack(manifest, config))
        }
        guard platform.distance(to: found.1.platform) != nil else {
            throw BuildFailure(
                .unsupported, "the image \(name) is for \(found.1.platform), and this machine is \(platform): pull the one for it")
        }
        return found
    }
}
