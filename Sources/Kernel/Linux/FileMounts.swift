import CKernel

/// Mounts of single files and of one mount without what stands on it, open_tree(2), move_mount(2), umount2(2).
extension Mounts {
    /// A detached copy of the one mount that a path leads to, beginning at that path, without anything mounted below it and
    /// cut off from propagation. A symbolic link is not followed.
    package static func copyOne(_ path: String, attributes: Attributes = []) throws(SystemError) -> OwnedFD {
        let tree = OwnedFD(
            adopting: CInt(
                try call("copy the mount of", path) {
                    ck_open_tree(
                        Files.here, path,
                        CUnsignedInt(OPEN_TREE_CLONE) | CUnsignedInt(O_CLOEXEC) | CUnsignedInt(AT_SYMLINK_NOFOLLOW))
                }))
        try call("change the mount attributes of", path) {
            ck_mount_setattr(tree.raw, "", emptyPath, attributes.rawValue, 0, UInt64(privatePropagation), 0)
        }
        return tree
    }

    /// Attaches a detached mount at a path: a file's on a file, a directory's on a directory.
    package static func attach(_ tree: borrowing OwnedFD, at path: String) throws(SystemError) {
        let raw = tree.raw
        try call("mount on", path) { ck_move_mount(raw, "", Files.here, path, CUnsignedInt(MOVE_MOUNT_F_EMPTY_PATH)) }
    }

    /// Takes away the topmost mount at a path at once; what uses it goes on with it (MNT_DETACH). A symbolic link is not followed.
    package static func detach(_ path: String) throws(SystemError) {
        try call("unmount", path) { ck_umount2(path, detach | CInt(UMOUNT_NOFOLLOW)) }
    }
}
