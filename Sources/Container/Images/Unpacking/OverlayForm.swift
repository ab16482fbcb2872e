internal import Linux

/// How overlayfs keeps in a layer what is gone (Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories").
enum OverlayForm {
    static let opaque = "trusted.overlay.opaque"
    /// A directory that was renamed: its content is that of another name below.
    static let redirect = "trusted.overlay.redirect"
    /// A file of which only the description is in this layer.
    static let metacopy = "trusted.overlay.metacopy"
}

extension EntryStatus {
    /// Whether overlayfs takes it for a whiteout.
    var isWhiteout: Bool { file.kind == .characterDevice && file.deviceNumber == 0 }
}
