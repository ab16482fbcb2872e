package import Images
import Linux
import OCI
import Synchronization

/// The images of the node as its containers have them: found once, when a container is made, and held until it is
/// removed.
///
/// Invariants
/// 1. As long as a container of an image is on record, no collection takes the image.
///    (test: `an image is held as long as a container of it is there`)
/// 2. A container keeps the image that it was made from, whatever its name means later.
///    (test: `a container stays with the image that it was made from`)
package final class ContainerImages: Sendable {
    private let store: ImageStore
    /// By container.
    private let leases = Mutex<[String: ImageLease]>([:])

    package init(_ store: ImageStore) { self.store = store }

    /// The image of a spec, held from now on.
    struct Found: Sendable {
        /// With the image's defaults where the spec said nothing, and its id.
        var spec: ContainerSpec
        fileprivate var lease: ImageLease
    }

    /// Finds the image that a spec names, unpacks it and fills the spec in.
    ///
    /// - Throws: `NodeFailure`; `noImage` when there is none of the name.
    func find(for spec: ContainerSpec) async throws(NodeFailure) -> Found {
        guard let image = spec.image else { preconditionFailure("a spec without an image") }
        let lease = store.lease(for: spec.name.map { "container \($0)" } ?? "a container")
        let unpacked = try await unpacked(image, lease: lease)
        do { return Found(spec: try ImageDefaultsMerge.merge(spec, with: unpacked.config.defaults, id: unpacked.id), lease: lease) } catch {
            throw error.failure
        }
    }

    /// The container is made: its image is held until `release`.
    func keep(_ found: Found, for container: String) { leases.withLock { $0[container] = found.lease } }

    /// Holds the image of a container that an earlier node has made.
    func keep(imageOf record: ContainerRecord) async throws(NodeFailure) {
        guard let image = record.spec.image else { return }
        let lease = store.lease(for: "container \(record.name)")
        try await holding(try stored(image), lease)
        leases.withLock { $0[record.id] = lease }
    }

    /// The container is gone.
    func release(_ container: String) { _ = leases.withLock { $0.removeValue(forKey: container) } }

    /// The id of the image that a word means; nil: it means none, or several.
    func id(of word: String) -> String? { try? store.resolve(word).id.description }

    /// The directories of a container's layers, the topmost first.
    func layers(of record: ContainerRecord) async throws(NodeFailure) -> [String] {
        guard let image = record.spec.image else { return [] }
        return try await unpacked(image, lease: nil).layers
    }

    private func unpacked(_ image: ContainerImage, lease: ImageLease?) async throws(NodeFailure) -> UnpackedImage {
        let stored = try stored(image)
        if let lease { try await holding(stored, lease) }
        do throws(ImageFailure) { return try await store.unpacked(stored) } catch { throw NodeFailure(error, image) }
    }

    private func stored(_ image: ContainerImage) throws(NodeFailure) -> StoredImage {
        do throws(ImageFailure) { return try store.resolve(image.id?.description ?? image.name) } catch {
            throw NodeFailure(error, image)
        }
    }

    private func holding(_ stored: StoredImage, _ lease: ImageLease) async throws(NodeFailure) {
        let store = store
        do throws(ImageFailure) {
            if try store.holdIfFree(stored, by: lease) { return }
            try await Blocking.run { () throws(ImageFailure) in try store.hold(stored, by: lease) }
        } catch { throw NodeFailure(.system, "hold the image \(stored.id.short): \(error)") }
    }
}

extension NodeFailure {
    fileprivate init(_ failure: ImageFailure, _ image: ContainerImage) {
        switch failure {
        case .unknownImage, .name:
            self.init(.noImage, "there is no image \"\(image.name)\" here; \"forkless images\" lists all, and \"forkless pull\" gets one")
        case .ambiguous: self.init(.badRequest, failure.description)
        case .system: self.init(.system, "use the image \"\(image.name)\": \(failure)")
        default: self.init(.badRequest, "use the image \"\(image.name)\": \(failure)")
        }
    }
}
