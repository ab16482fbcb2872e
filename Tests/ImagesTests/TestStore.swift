import Images
import JSON
import Linux
import OCI
import TestKit

/// A store of a test's own, and images whose layers are any bytes: the store never looks into one.
final class TestStore {
    let files: TemporaryDirectory
    let store: ImageStore
    let lease: ImageLease

    init() throws {
        files = try TemporaryDirectory("images")
        store = try ImageStore(directory: files.path("images"))
        lease = store.lease(for: "the test")
    }

    /// The same directory, opened as after the node's death.
    func reopened() throws -> ImageStore { try ImageStore(directory: files.path("images")) }

    /// An image of one layer with this text, put in place but not listed.
    func manifest(_ text: String, lease: ImageLease? = nil) throws -> Manifest {
        let lease = lease ?? self.lease
        let layer = Array(text.utf8)
        let layerDigest = try store.put(layer, lease: lease)
        var config = ImageConfig(platform: Platform("linux/amd64")!)
        config.diffIDs = [layerDigest]
        let configBytes = config.encoded()
        return Manifest(
            config: Descriptor(
                mediaType: MediaType.config, digest: try store.put(configBytes, lease: lease), size: configBytes.count),
            layers: [Descriptor(mediaType: MediaType.layer, digest: layerDigest, size: layer.count)])
    }

    /// A listed image; nothing holds it.
    @discardableResult
    func image(_ text: String, _ names: String..., at time: Int = 0) throws -> StoredImage {
        let lease = store.lease(for: "making \(text)")
        defer { lease.end() }
        return try store.add(
            try manifest(text, lease: lease), names: try names.map { try Reference($0) },
            now: Timestamp(nanoseconds: time), lease: lease)
    }

    /// Names and sizes of all files below the store.
    func everything() throws -> Set<String> {
        var found: Set<String> = []
        for place in ["blobs/sha256", "blobs/sha512", "incoming", "."] {
            for name in try Files.list(files.path("images/" + place)) {
                found.insert("\(place)/\(name) \(try Files.status(files.path("images/\(place)/\(name)")).kind)")
            }
        }
        return found
    }
}

/// What an error says.
func failure(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch { return "\(error)" }
}
