/// Which extended attributes of an archive are set.
enum AttributeRules {
    enum Verdict: Hashable { case set, leaveOut, refuse }

    /// overlayfs takes its own attributes for its own: one from an archive could point a file of a layer at another
    /// (trusted.overlay.redirect), so an archive that has one is not unpacked at all.
    static func verdict(_ name: String, keepsPrivileges: Bool) -> Verdict {
        if name.hasPrefix("trusted.overlay.") || name.hasPrefix("user.overlay.") { return .refuse }
        if name.hasPrefix("user.") { return .set }
        switch name {
        case "security.capability": return keepsPrivileges ? .set : .leaveOut
        case "system.posix_acl_access", "system.posix_acl_default": return .set
        // Labels of security modules belong to the machine that unpacks; trusted.* to its administrator.
        default: return .leaveOut
        }
    }
}
