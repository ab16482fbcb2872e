import Linux

/// The paths of executables by device and inode, which is how the kernel's accounting names them.
///
/// It learns from every program that was seen running, and looks through the directories of programs when a file is
/// unknown, at most every `pause`: a package manager may have replaced a program.
struct ExecutableNames {
    private static let directories = [
        "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/libexec",
    ]
    private static let pause = 2_000_000_000

    private var paths: [TaskRecord.File: String] = [:]
    private var known: Set<String> = []
    private var searchedAt: Int?

    /// A program that was seen running under this path.
    mutating func learn(_ path: String) {
        guard known.insert(path).inserted else { return }
        // A path in somebody's own mount namespace can be another file here: then its inode is not the one that
        // accounting names, and nothing is found by it.
        if let file = Self.file(path) { paths[file] = path }
    }

    /// The path of a file; nil when nothing known has this device and inode.
    mutating func path(of file: TaskRecord.File, now: Int) -> String? {
        if let path = paths[file] { return path }
        if let searchedAt, now - searchedAt < Self.pause { return nil }
        searchedAt = now
        search()
        return paths[file]
    }

    private mutating func search() {
        known = []
        for directory in Self.directories where (try? Files.status(directory, followLinks: false).kind) == .directory {
            for name in (try? Files.list(directory)) ?? [] {
                let path = directory + "/" + name
                // A link is another name for something that is found under its own.
                guard let status = try? Files.status(path, followLinks: false), status.kind == .regular else {
                    continue
                }
                paths[Self.file(status)] = path
            }
        }
    }

    private static func file(_ path: String) -> TaskRecord.File? { (try? Files.status(path)).map(file) }

    private static func file(_ status: FileStatus) -> TaskRecord.File {
        TaskRecord.File(major: status.deviceMajor, minor: status.deviceMinor, inode: status.inode)
    }
}
