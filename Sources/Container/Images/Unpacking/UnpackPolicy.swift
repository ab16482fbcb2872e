/// What is made of an archive's entries: layers of images and trees that are copied into a container differ.
package struct UnpackPolicy: Hashable, Sendable {
    /// Names that begin with ".wh." (image-spec, layer.md).
    package enum Whiteouts: Hashable, Sendable {
        /// They become overlayfs' own: a character device 0:0, and trusted.overlay.opaque on a directory.
        case overlay
        /// They are files like any other.
        case plain
    }

    package enum Devices: Hashable, Sendable {
        /// Made as they are; whoever mounts the tree decides whether they work (nodev).
        case make
        /// Not made, and counted: a container's /dev is its own, and a device in an image reaches the machine.
        case leaveOut
        case refuse
    }

    package enum Owners: Hashable, Sendable {
        /// As the archive has them.
        case archive
        /// Everything belongs to this user and group.
        case fixed(UInt32, UInt32)
    }

    package var whiteouts = Whiteouts.overlay
    package var devices = Devices.leaveOut
    package var owners = Owners.archive
    /// Whether set-user-ID, set-group-ID and file capabilities are kept.
    package var keepsPrivileges = true
    /// Whether an entry that is no directory may take the place of a directory with all that is in it. In the
    /// directory of a layer only what the same layer made can be there.
    package var replacesDirectories = true

    /// For the layers of images.
    package static let layer = UnpackPolicy()

    /// For copies into a container's root, and archives that are no layers.
    package static let copy: UnpackPolicy = {
        var policy = UnpackPolicy()
        policy.whiteouts = .plain
        policy.devices = .refuse
        policy.replacesDirectories = false
        return policy
    }()

    /// For a root filesystem as one archive.
    package static let importing: UnpackPolicy = {
        var policy = UnpackPolicy()
        policy.whiteouts = .plain
        return policy
    }()

    package init() {}
}

/// What unpacking an archive gave.
package struct UnpackedLayer: Hashable, Sendable {
    /// Digests and sizes of the archive.
    package var totals = ArchiveTotals()
    /// Entries read, whiteouts included.
    package var entries = 0
    /// What the files hold, hard links counted once.
    package var fileBytes = 0
    /// Devices that the policy left out.
    package var devicesLeftOut = 0
    /// Extended attributes outside of the allow-list, or that the file system does not keep.
    package var attributesLeftOut = 0
    /// Whether the layer hides everything below it (an opaque whiteout at its root). overlayfs does not look for
    /// that at a root: whoever stacks layers leaves those below out.
    package var hidesLayersBelow = false
}
