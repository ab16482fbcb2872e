/// The media types that Forkless reads and writes (image-spec media-types.md), and Docker's names for the same.
package enum MediaType {
    package static let manifest = "application/vnd.oci.image.manifest.v1+json"
    package static let index = "application/vnd.oci.image.index.v1+json"
    package static let config = "application/vnd.oci.image.config.v1+json"
    package static let layer = "application/vnd.oci.image.layer.v1.tar"
    package static let layerGzip = "application/vnd.oci.image.layer.v1.tar+gzip"
    package static let layerZstd = "application/vnd.oci.image.layer.v1.tar+zstd"

    package static let dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
    package static let dockerIndex = "application/vnd.docker.distribution.manifest.list.v2+json"
    package static let dockerConfig = "application/vnd.docker.container.image.v1+json"
    package static let dockerLayerGzip = "application/vnd.docker.image.rootfs.diff.tar.gzip"
    package static let dockerLayer = "application/vnd.docker.image.rootfs.diff.tar"

    package static func isManifest(_ type: String) -> Bool { type == manifest || type == dockerManifest }

    package static func isIndex(_ type: String) -> Bool { type == index || type == dockerIndex }

    package static func isConfig(_ type: String) -> Bool { type == config || type == dockerConfig }

    /// How a layer's tar is compressed.
    package enum Compression: Hashable, Sendable { case none, gzip, zstd }

    /// What a layer's media type says about its compression; nil for what is no layer, or one that must be fetched
    /// from elsewhere (Docker's foreign layers, OCI's non-distributable ones: deprecated, and a way to make a client
    /// send its credentials to a stranger).
    package static func compression(ofLayer type: String) -> Compression? {
        switch type {
        case layer, dockerLayer: Compression.none
        case layerGzip, dockerLayerGzip: .gzip
        case layerZstd: .zstd
        default: nil
        }
    }
}
