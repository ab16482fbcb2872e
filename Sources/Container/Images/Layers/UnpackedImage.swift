package import OCI

/// An image whose layers are directories: what a container's root is stacked from.
package struct UnpackedImage: Hashable, Sendable {
    /// The digest of its config.
    package var id: Digest
    package var config: ImageConfig
    /// Directories for overlayfs' "lowerdir", the topmost first; none for an image without layers.
    package var layers: [String]
}

/// What is known of a layer that is unpacked.
package struct LayerNote: Hashable, Sendable {
    /// What it was made from.
    package var blob: Digest
    /// The digest of its tar.
    package var diff: Digest
    /// What the files in it hold, in bytes: what Docker calls a layer's size.
    package var fileBytes: Int
    package var entries: Int
    /// Devices that were in the archive and were not made.
    package var devicesLeftOut: Int
    /// Whether nothing of the layers below it shows through.
    package var hidesLayersBelow: Bool
}
