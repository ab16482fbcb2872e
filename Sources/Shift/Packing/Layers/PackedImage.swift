internal import Glibc
import Images
import Linux
package import OCI

/// An image that was packed: its layers as files, and the documents that make them an image.
package struct PackedImage: Sendable {
    package struct Layer: Sendable {
        package var planned: PlannedLayer
        package var descriptor: Descriptor
        package var diff: Digest
        /// The file with its compressed bytes.
        package var file: String
    }

    package var layers: [Layer]
    package var config: ImageConfig
    package var configBytes: [UInt8]
    package var manifest: Manifest
    package var name: Reference?

    /// The image's id.
    package var id: Digest { manifest.config.digest }
    package var bytes: Int { layers.reduce(0) { $0 + $1.descriptor.size } }

    /// Writes the layers into `directory` and makes the documents. Blocks.
    /// - Parameter directory: an empty one of the caller's, whose files are used until the image is written.
    package static func make(
        _ plan: PackPlan, _ defaults: ImageDefaults, platform: Platform, name: Reference?, directory: String,
        progress: (String) -> Void = { _ in }
    ) throws(PackFailure) -> PackedImage {
        var layers: [Layer] = []
        for (index, planned) in plan.layers.enumerated() {
            progress(planned.title)
            layers.append(try write(planned, to: "\(directory)/layer-\(index)"))
        }
        var config = ImageConfig(platform: platform)
        config.defaults = defaults
        config.diffIDs = layers.map(\.diff)
        config.history = layers.map { HistoryEntry(createdBy: "forkless pack: \($0.planned.title)") }
        let bytes = config.encoded()
        let manifest = Manifest(
            config: Descriptor(mediaType: MediaType.config, digest: Digest(of: bytes), size: bytes.count),
            layers: layers.map(\.descriptor))
        return PackedImage(layers: layers, config: config, configBytes: bytes, manifest: manifest, name: name)
    }

    private static func write(_ planned: PlannedLayer, to file: String) throws(PackFailure) -> Layer {
        let fd: SharedFD
        do { fd = SharedFD(try Files.open(file, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)) } catch {
            throw PackFailure("\(error)")
        }
        let written = try LayerWriting(MachineTree()).write(planned, to: DescriptorSink(fd, name: file))
        let totals = written.totals
        return Layer(
            planned: planned,
            descriptor: Descriptor(
                mediaType: MediaType.layerGzip, digest: Digest(.sha256, hash: totals.blob), size: totals.compressedBytes
            ),
            diff: Digest(.sha256, hash: totals.diff), file: file)
    }
}
