package import Linux
internal import OCI

/// Turns a layer's blob into a directory. A parameter of the store, so that its books can be tested without archives.
package protocol LayerUnpacking: Sendable {
    /// Unpacks `blob`, read from where it stands, into the empty directory `tree`. It brings its own thread.
    func unpack(_ blob: SharedFD, into tree: SharedFD) async throws(ImageFailure) -> UnpackedLayer
}

/// The way layers are unpacked for overlayfs.
package struct OverlayUnpacking: LayerUnpacking {
    package init() {}

    package func unpack(_ blob: SharedFD, into tree: SharedFD) async throws(ImageFailure) -> UnpackedLayer {
        do throws(ArchiveFailure) {
            return try await LayerUnpacker.unpack(DescriptorSource(blob, name: "the layer"), into: tree)
        } catch { throw ImageFailure(error) }
    }
}

extension ImageFailure {
    /// The same failure in the store's words: a full disk stays a full disk.
    package init(_ failure: ArchiveFailure) {
        if case .system(let error) = failure.reason {
            self = .system(error)
        } else {
            self = .unusable(failure.description)
        }
    }
}
