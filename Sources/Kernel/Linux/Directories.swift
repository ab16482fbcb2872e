import CKernel

/// DT_DIR of readdir(3), which glibc declares only under _DEFAULT_SOURCE.
private let typeDirectory: UInt8 = 4

extension Files {
    /// Opens a directory as a place for `at:` arguments: O_PATH, so that neither reading nor writing it is possible.
    ///
    /// - Throws: `SystemError`; ENOTDIR for what is no directory, ELOOP for a symbolic link at the end of the path.
    package static func place(_ path: String, at directory: CInt = here) throws(SystemError) -> OwnedFD {
        OwnedFD(
            adopting: CInt(
                try call("open directory", path) {
                    ck_openat(directory, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
                }))
    }

    /// Makes one directory, mkdir(2).
    package static func makeDirectory(_ path: String, at directory: CInt = here, mode: UInt32 = 0o755)
        throws(SystemError)
    {
        try call("make directory", path) { ck_mkdirat(directory, path, mode) }
    }

    /// Removes one empty directory, rmdir(2).
    package static func removeDirectory(_ path: String, at directory: CInt = here) throws(SystemError) {
        try call("remove directory", path) { ck_unlinkat(directory, path, AT_REMOVEDIR) }
    }

    /// The names of the directories in a directory; links to directories are none.
    ///
    /// Relies on the type that getdents64(2) reports, which every file system the kernel makes up itself fills in.
    package static func subdirectories(_ path: String, at directory: CInt = here) throws(SystemError) -> [String] {
        let fd = try open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, at: directory)
        return try list(fd.raw, name: path) { $0 == typeDirectory }
    }
}
