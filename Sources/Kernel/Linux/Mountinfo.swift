/// One mount of a mount namespace, as a line of /proc/PID/mountinfo tells it, proc_pid_mountinfo(5).
///
/// The parser is pure: it takes the bytes and knows nothing of this machine. Paths come decoded (the kernel writes
/// space, tab, newline and backslash as three octal digits); a path that isn't UTF-8 holds U+FFFD where it isn't,
/// and so names no file.
///
/// Invariants, each with its test in Tests/LinuxTests/MountinfoTests.swift:
/// 1. A line is taken whole or refused: no field of a damaged line is guessed.
///    (`a damaged line is refused by its text`)
/// 2. The number of optional fields is open; only the lone hyphen ends them.
///    (`any number of optional fields is skipped up to the hyphen`)
package struct Mountinfo: Hashable, Sendable {
    /// Unique among the mounts that exist now; reused after an unmount.
    package var id: Int
    /// The mount that this one stands on; its own id, or one that isn't listed, at the top of the tree.
    package var parent: Int
    /// The device that stat(2) reports for files on it.
    package var deviceMajor: UInt32
    package var deviceMinor: UInt32
    /// The directory of the file system that is seen as the root of this mount: "/" unless it is a bind mount.
    package var root: String
    /// Where it is mounted, relative to the root directory of the process.
    package var mountPoint: String
    /// Options of the mount: "rw", "nosuid", ...
    package var options: [String]
    /// Propagation and whatever later kernels add: "shared:1", "master:2", "unbindable".
    package var optionalFields: [String]
    /// "ext4", "cgroup2", "fuse.sshfs".
    package var fileSystem: String
    /// What was mounted: a device, or "none" and the like.
    package var source: String
    /// Options of the file system itself, shared by all of its mounts.
    package var superOptions: [String]

    /// Every mount of `bytes`, in the kernel's order.
    ///
    /// - Throws: `SystemError` (EINVAL) with the line that isn't one.
    package static func parse(_ bytes: [UInt8]) throws(SystemError) -> [Mountinfo] {
        var mounts: [Mountinfo] = []
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            guard let mount = Mountinfo(line: line) else {
                throw SystemError("read mount", String(decoding: line, as: UTF8.self), code: .invalid)
            }
            mounts.append(mount)
        }
        return mounts
    }

    /// The mounts that the calling process sees.
    package static func ofThisProcess() throws(SystemError) -> [Mountinfo] {
        try parse(try Files.read("/proc/self/mountinfo", limit: 256 << 20))
    }

    /// The mount in which an absolute path without links and dots ends: mounts that later ones cover are not seen.
    ///
    /// A mount table lists covered mounts too, so that a mount point found there may name another mount's directory.
    package static func seen(at path: String, in mounts: [Mountinfo]) -> Mountinfo? {
        // A mount stands on its parent, so that those on the way to `path` have their parents among them.
        let along = mounts.indices.filter { mounts[$0].mountPoint.isAncestorPath(orEqualTo: path) }
        var current: Int?
        while true {
            // Walking down from `current`, the mount met first is the one on the shortest prefix of the path.
            let next = along.filter { at in
                if let current { return mounts[at].parent == mounts[current].id && mounts[at].id != mounts[current].id }
                let parent = mounts[at].parent
                return parent == mounts[at].id || !along.contains { mounts[$0].id == parent }
            }.min { mounts[$0].mountPoint.utf8.count < mounts[$1].mountPoint.utf8.count }
            guard let next else { return current.map { mounts[$0] } }
            current = next
        }
    }

    private init?(line: ArraySlice<UInt8>) {
        let fields = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard fields.count >= 10, let hyphen = fields[6...].firstIndex(where: { $0.elementsEqual("-".utf8) }),
            fields.count >= hyphen + 4
        else { return nil }
        let device = fields[2].split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard let id = Int(Self.text(fields[0])), let parent = Int(Self.text(fields[1])), device.count == 2,
            let major = UInt32(Self.text(device[0])), let minor = UInt32(Self.text(device[1]))
        else { return nil }
        self.id = id
        self.parent = parent
        deviceMajor = major
        deviceMinor = minor
        root = Self.text(Self.unescaped(fields[3]))
        mountPoint = Self.text(Self.unescaped(fields[4]))
        options = Self.list(fields[5])
        optionalFields = fields[6..<hyphen].map { Self.text($0) }
        fileSystem = Self.text(Self.unescaped(fields[hyphen + 1]))
        source = Self.text(Self.unescaped(fields[hyphen + 2]))
        superOptions = Self.list(fields[hyphen + 3])
        guard mountPoint.hasPrefix("/") else { return nil }
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

    private static func list(_ bytes: ArraySlice<UInt8>) -> [String] {
        bytes.split(separator: UInt8(ascii: ",")).map { text(unescaped($0)) }
    }

    /// Decodes `\040` and its like; a backslash without three octal digits stands for itself.
    private static func unescaped(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard bytes.contains(UInt8(ascii: "\\")) else { return bytes }
        var decoded: ArraySlice<UInt8> = []
        decoded.reserveCapacity(bytes.count)
        var rest = bytes
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            guard byte == UInt8(ascii: "\\"), digits.count == 3, digits.allSatisfy({ (0x30...0x37).contains($0) }),
                let value = UInt8(text(digits), radix: 8)
            else {
                decoded.append(byte)
                continue
            }
            decoded.append(value)
            rest = rest.dropFirst(3)
        }
        return decoded
    }
}

extension String {
    /// Whether `path` is this directory or lies below it.
    fileprivate func isAncestorPath(orEqualTo path: String) -> Bool {
        if self == "/" || path == self { return true }
        return path.utf8.starts(with: utf8) && path.utf8.dropFirst(utf8.count).first == UInt8(ascii: "/")
    }
}
