import Linux

/// A file of a volume that the node writes.
struct VolumeFile: Hashable, Sendable {
    /// Relative, without "." and "..".
    var path: String
    var bytes: [UInt8]
    var mode: UInt32
}

/// A directory whose files change all at once: each state lies in a directory of its own, to which the link "..data"
/// leads, and a rename of that link is the change (k8s.io/kubernetes/pkg/volume/util/atomic_writer).
///
/// Invariants
/// 1. A reader sees the files of one state: before the rename the old ones, after it the new ones.
///    (test: `a reader of a volume sees one state or the other`)
/// 2. Files that are as they were are not written again. (test: `what has not changed is not touched`)
struct AtomicFiles: Sendable {
    let directory: String
    /// Owns the files; nil: root.
    var group: UInt32?

    /// Blocks.
    /// - Returns: whether anything has changed.
    @discardableResult
    func write(_ files: [VolumeFile]) throws(SystemError) -> Bool {
        try Files.makeDirectories(directory, mode: 0o755)
        let before = try? Files.link(directory + "/..data")
        if let before, isSame(files, in: before) { return false }
        let state = "..\(Clock.now().nanoseconds)"
        do {
            try fill(state, files)
            let place = try Files.place(directory)
            try? FileEntries.remove("..data_tmp", at: place.raw)
            try FileEntries.makeLink(to: state, named: "..data_tmp", at: place.raw)
            try Files.rename("..data_tmp", to: "..data", at: place.raw)
            try link(files, place.raw)
        } catch {
            try? Files.removeTree(directory + "/" + state)
            throw error
        }
        if let before, before.hasPrefix(".."), !before.contains("/") { try? Files.removeTree(directory + "/" + before) }
        return true
    }

    private func fill(_ state: String, _ files: [VolumeFile]) throws(SystemError) {
        let root = directory + "/" + state
        try Files.makeDirectory(root, mode: 0o755)
        try own(root, mode: 0o755)
        for file in files {
            let path = root + "/" + file.path
            if let parent = Self.parent(of: file.path) { try Files.makeDirectories(root + "/" + parent, mode: 0o755) }
            let fd = try Files.open(path, Self.create, mode: 0o600)
            try Files.writeAll(file.bytes, to: fd.raw, name: path)
            if let group { try FileEntries.setOwner(0, group, of: fd.raw, name: path) }
            // The group that volumes belong to may read what is in them.
            try FileEntries.setMode(file.mode | (group == nil ? 0 : 0o040), of: fd.raw, name: path)
        }
    }

    private func own(_ path: String, mode: UInt32) throws(SystemError) {
        guard let group else { return }
        let fd = try Files.open(path, 0)
        try FileEntries.setOwner(0, group, of: fd.raw, name: path)
        try FileEntries.setMode(mode, of: fd.raw, name: path)
    }

    /// What users see at the top: a link for each first part of a path.
    private func link(_ files: [VolumeFile], _ place: CInt) throws(SystemError) {
        let wanted = Set(files.compactMap { $0.path.split(separator: "/").first.map(String.init) })
        for name in try Files.list(directory) where !name.hasPrefix("..") && !wanted.contains(name) {
            try FileEntries.remove(name, at: place)
        }
        for name in wanted where (try? Files.link(directory + "/" + name)) != "..data/" + name {
            try FileEntries.makeLink(to: "..data/" + name, named: name, at: place)
        }
    }

    private func isSame(_ files: [VolumeFile], in state: String) -> Bool {
        let root = directory + "/" + state
        guard files.allSatisfy({ file in (try? Files.read(root + "/" + file.path, limit: 16 << 20)) == file.bytes })
        else { return false }
        let wanted = Set(files.compactMap { $0.path.split(separator: "/").first.map(String.init) })
        return (try? Files.list(root)).map { Set($0) == wanted } ?? false
    }

    private static func parent(of path: String) -> String? {
        path.lastIndex(of: "/").map { String(path[..<$0]) }
    }

    /// O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
    private static let create: CInt = 0o1 | 0o100 | 0o200 | 0o400_000

    /// Whether a path stays below where it is put.
    static func isInside(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return !path.isEmpty && !path.hasPrefix("/") && !path.utf8.contains(0)
            && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." } && !path.hasPrefix("..")
    }
}
