import CKernel

/// Tells when something changes in one directory, inotify(7).
///
/// It says that, not what: a reader looks for itself, and so cannot miss what a full queue dropped.
package struct FileWatch: ~Copyable, Sendable {
    package let fd: OwnedFD

    /// Watches a directory for files written to, made and renamed.
    ///
    /// - Throws: `SystemError`; EMFILE or ENOSPC at the limits in /proc/sys/fs/inotify.
    package init(directory path: String) throws(SystemError) {
        let watch = OwnedFD(
            adopting: CInt(
                try Self.advised("fs.inotify.max_user_instances") { () throws(SystemError) in
                    try call("watch", path) { ck_inotify_init() }
                }))
        let events = UInt32(IN_MODIFY) | UInt32(IN_CREATE) | UInt32(IN_MOVED_TO)
        let raw = watch.raw
        _ = try Self.advised("fs.inotify.max_user_watches") { () throws(SystemError) in
            try call("watch", path) { ck_inotify_add_watch(raw, path, events) }
        }
        fd = watch
    }

    /// Forgets the changes told so far; whether there were any.
    package borrowing func drain() -> Bool {
        var any = false
        while let events = try? Files.readSome(fd.raw, count: 4096), !events.isEmpty { any = true }
        return any
    }

    static func advised(
        _ setting: String, _ body: () throws(SystemError) -> Int
    ) throws(SystemError) -> Int {
        do { return try body() } catch {
            var error = error
            if error.code == .tooManyOpenFiles || error.code == .noSpace {
                error.advice = "Raise \(setting), sysctl(8)."
            }
            throw error
        }
    }
}
