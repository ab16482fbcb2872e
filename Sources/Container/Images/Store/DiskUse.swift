internal import Glibc
package import Linux

/// How much of a disk a tree takes: what `du` says.
package enum DiskUse {
    /// The bytes that are allocated for a file, or for a directory and everything below it, each file once however
    /// many names it has. What vanishes meanwhile is not counted, and what is mounted below is not gone into. Blocks.
    package static func bytes(below path: String) throws(SystemError) -> Int {
        var count = DiskCount()
        let slash = path.lastIndex(of: "/")
        let parent = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        let directory = try Files.open(parent, O_RDONLY | O_DIRECTORY)
        try count.add(name, in: directory.raw, path: path, device: nil)
        return count.bytes
    }

    /// The bytes of a directory itself, without what is in it.
    static func own(_ path: String) throws(SystemError) -> Int {
        let directory = try Files.open(path, O_RDONLY | O_DIRECTORY)
        return try FileEntries.status(of: directory.raw, name: path).allocatedBytes
    }
}

private struct DiskCount {
    var bytes = 0
    private var counted: Set<UInt64> = []

    mutating func add(_ name: String, in directory: CInt, path: String, device: UInt64?) throws(SystemError) {
        let status: EntryStatus
        do throws(SystemError) { status = try FileEntries.status(name, at: directory) } catch {
            guard error.code == .noEntry else { throw error }
            return
        }
        if let device, device != status.file.device { return }
        // Only files of several names have to be remembered.
        if status.links > 1, status.file.kind != .directory, !counted.insert(status.file.inode).inserted { return }
        bytes += status.allocatedBytes
        guard status.file.kind == .directory else { return }
        do throws(SystemError) {
            let fd = try Files.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, at: directory)
            for entry in try Files.list(fd.raw, name: path) {
                try add(entry, in: fd.raw, path: path + "/" + entry, device: status.file.device)
            }
        } catch {
            guard error.code == .noEntry else { throw error }
        }
    }
}
