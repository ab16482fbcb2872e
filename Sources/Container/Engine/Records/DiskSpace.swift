import Glibc
import Linux

/// What files take on the disk: what du(1) counts.
enum DiskSpace {
    /// Bytes allocated below a directory, itself included; a file with several names counts once. Blocks.
    ///
    /// Links are not followed and other file systems not entered.
    static func bytes(below path: String) throws(SystemError) -> Int {
        let directory = try Files.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        let status = try FileEntries.status(of: directory.raw, name: path)
        var walk = Walk(device: status.file.device)
        try walk.add(directory.raw, depth: 0)
        return walk.bytes + status.allocatedBytes
    }

    private struct Walk {
        let device: UInt64
        var bytes = 0
        var seen: Set<UInt64> = []

        /// Deeper than any path that the kernel takes at once could name.
        static let deepest = 4096

        init(device: UInt64) { self.device = device }

        mutating func add(_ directory: CInt, depth: Int) throws(SystemError) {
            guard depth < Self.deepest else { throw SystemError("measure a directory", code: .nameTooLong) }
            for name in try Files.list(directory) {
                // What is removed meanwhile takes nothing.
                guard let status = try? FileEntries.status(name, at: directory), status.file.device == device else { continue }
                if status.links > 1, status.file.kind != .directory, !seen.insert(status.file.inode).inserted { continue }
                bytes += status.allocatedBytes
                guard status.file.kind == .directory else { continue }
                guard let child = try? Files.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, at: directory) else { continue }
                try add(child.raw, depth: depth + 1)
            }
        }
    }
}
