import CKernel

extension Files {
    /// Opens whatever a path leads to, through symbolic links, as a name for it: O_PATH, so that it can be looked at and
    /// executed (execveat(2)) but neither read nor written.
    package static func handle(_ path: String) throws(SystemError) -> OwnedFD {
        OwnedFD(adopting: CInt(try call("open", path) { ck_openat(here, path, O_PATH | O_CLOEXEC, 0) }))
    }
}
