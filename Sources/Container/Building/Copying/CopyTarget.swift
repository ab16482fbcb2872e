internal import Engine
internal import Glibc
internal import Linux

/// An open directory that is copied into, and its real path below the target's root.
struct CopyPlace: Sendable {
    let fd: SharedFD
    let path: String

    init(_ fd: SharedFD, path: String) {
        self.fd = fd
        self.path = path
    }

    /// Valid while this value lives.
    var raw: CInt { fd.raw }
}

/// The root that is copied into: a stage's layers with an empty one above them, seen as one tree. Nobody else has it.
struct CopyTarget: Sendable {
    let root: SharedFD
    /// Times after this one are set to it (SOURCE_DATE_EPOCH): what a later step sees is what the layer says.
    let latest: FileTime?

    /// What is at a path of the image, links followed inside of it.
    func look(_ path: String) throws(BuildFailure) -> RootedPath {
        try reaching(path) { () throws(SystemError) in try RootedPath(path, in: root.raw) }
    }

    /// Opens a directory; those that are missing are made for this owner.
    func directory(_ path: String, owner: (user: UInt32, group: UInt32)) throws(BuildFailure) -> CopyPlace {
        let parts = try look(path).parts
        let fd = try reaching(path) { () throws(SystemError) in
            var at = try PathResolution.open(".", inRoot: root.raw, flags: O_RDONLY | O_DIRECTORY)
            for part in parts {
                do throws(SystemError) {
                    at = try Files.open(part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, at: at.raw)
                } catch {
                    guard error.code == .noEntry else { throw error }
                    let parent = at.raw
                    try Files.makeDirectory(part, at: parent, mode: 0o755)
                    let made = try Files.open(part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, at: parent)
                    try FileEntries.setOwner(owner.user, owner.group, of: made.raw, name: part)
                    // Whatever the umask.
                    try FileEntries.setMode(0o755, of: made.raw, name: part)
                    at = made
                }
            }
            return at
        }
        return CopyPlace(SharedFD(fd), path: "/" + parts.joined(separator: "/"))
    }

    private func reaching<Value: ~Copyable>(
        _ path: String, _ body: () throws(SystemError) -> Value
    ) throws(BuildFailure) -> Value {
        do throws(SystemError) { return try body() } catch {
            guard error.code == .notDirectory else { throw BuildFailure(error) }
            throw BuildFailure(.badRequest, "\"\(path)\": \(error.subject) is no directory in the image")
        }
    }

    /// The time that a copy gets.
    func time(_ time: FileTime) -> FileTime { latest.map { min(time, $0) } ?? time }

    /// Makes room for a file, link or pipe: another that has the name goes, a directory does not.
    func makeRoom(_ name: String, at directory: CInt) throws(BuildFailure) {
        let status: EntryStatus
        do throws(SystemError) { status = try FileEntries.status(name, at: directory) } catch {
            guard error.code == .noEntry else { throw BuildFailure(error) }
            return
        }
        guard status.file.kind != .directory else {
            throw BuildFailure(.badRequest, "\"\(name)\" is a directory in the image, and what is copied there is none")
        }
        try building { () throws(SystemError) in try FileEntries.remove(name, at: directory) }
    }
}
