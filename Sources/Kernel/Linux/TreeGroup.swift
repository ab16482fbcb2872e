import CKernel

extension Files {
    /// How many directories may lie in one another: each is open while what is in it is given away.
    private static let treeDepthLimit = 250

    /// Gives a directory and all that is in it to a group, which may read and write it from then on; what is made in it
    /// later is the group's, too.
    ///
    /// Below `path` nothing is followed and nothing that is mounted is gone into; device files are left alone. What is in
    /// a directory comes before it: one that has its group has it all the way down.
    ///
    /// - Parameter unlessDone: changes nothing when `path` itself is the group's already.
    package static func giveTree(_ path: String, toGroup group: UInt32, unlessDone: Bool = false) throws(SystemError) {
        let fd = try open(path, O_RDONLY | O_DIRECTORY)
        let found = try status(of: fd.raw, name: path)
        if unlessDone, found.group == group, found.permissions == givenMode(found) { return }
        try giveContents(of: fd.raw, toGroup: group, name: path, depth: 0)
        try give(fd.raw, found, toGroup: group, name: path)
    }

    private static func giveContents(
        of directory: CInt, toGroup group: UInt32, name: String, depth: Int
    ) throws(SystemError) {
        guard depth < treeDepthLimit else {
            throw SystemError(
                "set the group of what is in", name, code: .nameTooLong,
                advice: "More than \(treeDepthLimit) directories lie in one another there.")
        }
        for entry in try list(directory, name: name) {
            do {
                try giveEntry(entry, of: directory, toGroup: group, name: "\(name)/\(entry)", depth: depth)
            } catch where error.code == .noEntry || error.code == .crossDevice || error.code == .tooManyLinks {
                // It has gone or has become a link meanwhile, or something is mounted there.
                continue
            }
        }
    }

    private static func giveEntry(
        _ entry: String, of directory: CInt, toGroup group: UInt32, name: String, depth: Int
    ) throws(SystemError) {
        let kind = try status(entry, at: directory, followLinks: false).kind
        switch kind {
        case .directory, .regular:
            let fd = try PathResolution.open(
                entry, inRoot: directory, flags: O_RDONLY | O_NONBLOCK | O_NOFOLLOW,
                resolve: UInt64(RESOLVE_BENEATH) | UInt64(RESOLVE_NO_XDEV) | UInt64(RESOLVE_NO_SYMLINKS))
            let found = try status(of: fd.raw, name: name)
            // Programs may change what is where; what is open is changed, and by what it is itself.
            guard found.kind == kind else { return }
            if kind == .directory { try giveContents(of: fd.raw, toGroup: group, name: name, depth: depth + 1) }
            try give(fd.raw, found, toGroup: group, name: name)
        case .link, .pipe, .socket: try FileEntries.setOwner(.max, group, of: entry, at: directory)
        case .characterDevice, .blockDevice: return
        }
    }

    private static func give(
        _ fd: CInt, _ found: FileStatus, toGroup group: UInt32, name: String
    ) throws(SystemError) {
        let mode = givenMode(found)
        guard found.group != group || found.permissions != mode else { return }
        try FileEntries.setOwner(.max, group, of: fd, name: name)
        // Afterwards: a new owner takes the set-user-ID bit away, chown(2).
        try FileEntries.setMode(mode, of: fd, name: name)
    }

    private static func givenMode(_ found: FileStatus) -> UInt32 {
        found.permissions | (found.kind == .directory ? 0o2070 : 0o060)
    }
}
