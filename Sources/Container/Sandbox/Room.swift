package import Linux

/// The room of a sandbox: a directory with what is written over the layers of its root, and its own files of /etc.
///
/// Invariants
/// 1. What a sandbox needs for its own mounts (/proc, /etc/hosts and their like) lies in a layer below all others, so
///    that `upper` has only what programs wrote. (test: `a room has what was written and nothing else`)
/// 2. Files of the room are written in place: what is bound over /etc stays the same file.
///    (test: `contents of /etc files come with each start`)
package struct Room: Sendable {
    /// The layer that is written; its mode is that of the root.
    package static let upper = "upper"
    /// What overlayfs needs beside it.
    static let work = "work"
    /// Files of the room and where they are bound.
    package static let boundFiles = [
        (name: "hosts", target: "/etc/hosts"), (name: "hostname", target: "/etc/hostname"),
        (name: "resolv.conf", target: "/etc/resolv.conf"),
    ]

    /// The name in the directory of rooms.
    package let name: String
    /// The directory of rooms.
    package let directory: String
    /// The room itself, O_PATH.
    package let descriptor: SharedFD

    /// The layer of mount points below all others, shared by all rooms in a directory.
    static func base(in directory: String) -> String { directory + "/.base" }

    /// Makes what all rooms in a directory share, unless it is there.
    package static func makeBase(in directory: String) throws(SystemError) {
        let base = base(in: directory)
        // Made under another name and then renamed: a half-made one is never used.
        guard !Files.exists(base + "/etc") else { return }
        for name in ["proc", "dev", "sys"] { try Files.makeDirectories("\(base)/\(name)") }
        try Files.makeDirectories(directory + "/.etc")
        for (_, target) in boundFiles {
            _ = try Files.open(directory + "/." + target.dropFirst(), Self.writeOnly | Self.create, mode: 0o644)
        }
        try Files.rename(directory + "/.etc", to: base + "/etc")
    }

    /// Makes a fresh room.
    ///
    /// - Throws: `SystemError`; nothing is left of the room then.
    package static func make(_ name: String, in directory: String) throws(SystemError) -> Room {
        let path = directory + "/" + name
        try Files.makeDirectory(path, mode: 0o700)
        do {
            let room = try Room(existing: name, in: directory)
            try Files.makeDirectory(upper, at: room.descriptor.raw)
            try Files.makeDirectory(work, at: room.descriptor.raw, mode: 0o700)
            for (name, _) in boundFiles {
                _ = try Files.open(name, writeOnly | Self.create, mode: 0o644, at: room.descriptor.raw)
            }
            return room
        } catch {
            try? Files.removeTree(path)
            throw error
        }
    }

    /// Opens a room that is there.
    package init(existing name: String, in directory: String) throws(SystemError) {
        self.name = name
        self.directory = directory
        descriptor = SharedFD(try Files.place(directory + "/" + name))
    }

    /// Writes what the files of /etc are to hold.
    package func write(_ contents: RoomFiles) throws(SystemError) {
        for (name, text) in zip(Self.boundFiles.map(\.name), [contents.hosts, contents.hostname, contents.resolver]) {
            guard let text else { continue }
            let file = try Files.open(name, Self.writeOnly | Self.truncate | Self.noFollow, at: descriptor.raw)
            try Files.writeAll(Array(text.utf8), to: file.raw, name: name)
        }
    }

    /// Removes the room and everything in it.
    package func remove() throws(SystemError) { try Files.removeTree(directory + "/" + name) }

    private static let writeOnly: CInt = 1
    private static let create: CInt = 0o100
    private static let truncate: CInt = 0o1000
    private static let noFollow: CInt = 0o400_000
}

/// Contents of a sandbox's own files of /etc; what is nil stays as it is, at first empty.
package struct RoomFiles: Hashable, Sendable {
    /// /etc/hosts
    package var hosts: String?
    /// /etc/hostname
    package var hostname: String?
    /// /etc/resolv.conf
    package var resolver: String?

    package init(hosts: String? = nil, hostname: String? = nil, resolver: String? = nil) {
        self.hosts = hosts
        self.hostname = hostname
        self.resolver = resolver
    }

    package var isEmpty: Bool { self == RoomFiles() }
}
