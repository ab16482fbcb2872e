package import Linux

/// Layer directories seen as one tree: a detached overlay mount, which no path leads to and which is gone with its
/// last descriptor.
///
/// The descriptors are places (O_PATH): "." is opened at them. Calls block, shortly. The process needs CAP_SYS_ADMIN.
package enum LayerStack {
    /// The layers of an image that fit: overlayfs takes 500 lower directories (OVL_MAX_STACK in the kernel's
    /// fs/overlayfs/params.h), of which a container's base of mount points is one, and an upper one that is looked
    /// at as a layer another.
    package static let limit = 498

    /// Opens the tree for reading.
    ///
    /// - Parameters:
    ///   - layers: The topmost first; none is an empty tree.
    ///   - empty: A directory without entries: overlayfs wants two layers where nothing can be written.
    package static func readOnly(_ layers: [String], empty: String) throws(SystemError) -> OwnedFD {
        guard !layers.isEmpty else {
            let place = try Files.place(empty)
            return try Mounts.copyTree(of: place.raw, name: empty, attributes: [.readOnly, .noDevices])
        }
        return try Mounts.overlay(
            lower: layers.count == 1 ? layers + [empty] : layers, attributes: [.readOnly, .noDevices, .noSetuid])
    }

    /// Opens the tree for reading and writing: what is written goes to `upper`.
    ///
    /// - Parameter work: An empty directory beside `upper`, on its file system.
    package static func writable(
        _ layers: [String], upper: String, work: String, empty: String
    ) throws(SystemError) -> OwnedFD {
        try Mounts.overlay(
            lower: layers.isEmpty ? [empty] : layers, upper: (upper, work), attributes: [.noDevices, .noSetuid])
    }
}
