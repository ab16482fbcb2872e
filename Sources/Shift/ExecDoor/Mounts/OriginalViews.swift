internal import Linux

/// Where originals stay reachable: a copy of the mount that a program lies on, without what is mounted on it, so that `../lib`
/// beside the program is there as well.
///
/// RUN/originals/NAME is such a copy. It is private, so that a shim that is mounted over the program never appears in it, and
/// read-only: whoever removes RUN with all that is below it must not remove the machine's files.
///
/// Invariants (tests in ProgramMountsTests)
/// 1. Nothing can be changed through a view. (`nothing can be changed through the view of the originals`)
struct OriginalViews: Sendable {
    let directory: String

    /// The path at which a program stays reachable, made so if it is not yet.
    func make(for path: String) throws(SystemError) -> String {
        let mounts = try Mountinfo.ofThisProcess()
        let (mount, view) = try place(of: path, in: mounts)
        if !isThere(view, of: mount, in: mounts) {
            // Searched by every user whose program is shifted.
            try Files.makeDirectories(view, mode: 0o755)
            let tree = try Mounts.copyOne(mount.mountPoint, attributes: [.readOnly])
            try Mounts.attach(tree, at: view)
        }
        return Self.path(path, of: mount, in: view)
    }

    /// The same where a view is there already: the program's own file even while a shim stands over it.
    func existing(for path: String) throws(SystemError) -> String {
        let (mount, view) = try place(of: path, in: try Mountinfo.ofThisProcess())
        return Self.path(path, of: mount, in: view)
    }

    /// The mount on which a program's own file lies, whatever is mounted over that file.
    private func place(of path: String, in mounts: [Mountinfo]) throws(SystemError) -> (Mountinfo, view: String) {
        let directory = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        guard let mount = Mountinfo.seen(at: directory.isEmpty ? "/" : directory, in: mounts) else {
            throw SystemError("find the mount of", path, code: .noEntry)
        }
        return (mount, "\(self.directory)/\(Self.name(of: mount))")
    }

    private static func path(_ path: String, of mount: Mountinfo, in view: String) -> String {
        view + (mount.mountPoint == "/" ? path : String(path.dropFirst(mount.mountPoint.count)))
    }

    /// Takes away the views in which none of these paths lies.
    func remove(except paths: [String]) throws(SystemError) {
        guard Files.exists(directory) else { return }
        let mounts = try Mountinfo.ofThisProcess()
        for name in try Files.list(directory) {
            let view = "\(directory)/\(name)"
            if paths.contains(where: { $0.hasPrefix(view + "/") }) { continue }
            for _ in mounts.filter({ $0.mountPoint == view }) { try Mounts.detach(view) }
            try Files.removeDirectory(view)
        }
    }

    private func isThere(_ view: String, of mount: Mountinfo, in mounts: [Mountinfo]) -> Bool {
        guard let there = mounts.last(where: { $0.mountPoint == view }) else { return false }
        return there.deviceMajor == mount.deviceMajor && there.deviceMinor == mount.deviceMinor
            && there.root == mount.root
    }

    /// "8-1-3f2a...": the device, and which part of its file system is seen where.
    private static func name(of mount: Mountinfo) -> String {
        "\(mount.deviceMajor)-\(mount.deviceMinor)-\(ShortHash.text("\(mount.root)\0\(mount.mountPoint)"))"
    }
}

/// A few digits that differ between most texts: FNV-1a, 32 bits.
package enum ShortHash {
    package static func text(_ text: String) -> String {
        var hash: UInt32 = 0x811C_9DC5
        for byte in text.utf8 { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
