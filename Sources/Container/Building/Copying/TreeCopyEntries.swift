internal import Engine
internal import Glibc
internal import Images
internal import Linux
internal import OCI

// Entries that are no directories.
extension TreeCopy {
    func file(
        _ name: String, in source: SharedFD, _ parts: [String], to directory: CopyPlace?, as newName: String
    ) throws(BuildFailure) {
        // O_NONBLOCK: a pipe that took the file's place must not keep the build waiting.
        let fd = try building { () throws(SystemError) in
            SharedFD(try Files.open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, at: source.raw))
        }
        let status = try building { () throws(SystemError) in try FileEntries.status(of: fd.raw, name: name) }
        guard status.file.kind == .regular else { throw Self.changed(parts) }
        note("file", name, status)
        if try isSameAsEarlier(status, to: directory, as: newName) { return }
        let attributes = try attributes(of: fd, name)
        guard let target, let directory else { return try copy(fd, to: nil, parts) }
        try target.makeRoom(newName, at: directory.raw)
        let made = try building { () throws(SystemError) in
            SharedFD(
                try Files.open(newName, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600, at: directory.raw))
        }
        try copy(fd, to: made, parts)
        try describe(made, newName, status, attributes)
    }

    /// A file with several names is copied once, and named again for the others.
    private func isSameAsEarlier(
        _ status: EntryStatus, to directory: CopyPlace?, as name: String
    ) throws(BuildFailure) -> Bool {
        guard status.links > 1 else { return false }
        let key = FileKey(device: status.file.device, inode: status.file.inode)
        guard let first = copies[key] else {
            lastNumber += 1
            // By path: a descriptor for each of many directories would be too many.
            copies[key] = (directory?.path ?? "", name, lastNumber)
            hasher.add("first of several \(lastNumber)")
            return false
        }
        hasher.add("again \(first.number)")
        guard let target, let directory else { return true }
        try target.makeRoom(name, at: directory.raw)
        try building { () throws(SystemError) in
            let earlier = try PathResolution.open(
                BuildPath.relative(first.directory), inRoot: target.root.raw, flags: O_RDONLY | O_DIRECTORY,
                resolve: PathResolution.beneath)
            try FileEntries.link(first.name, at: earlier.raw, to: name, at: directory.raw)
        }
        return true
    }

    func copy(_ source: SharedFD, to target: SharedFD?, _ parts: [String]) throws(BuildFailure) {
        var contents = DigestBuilder()
        var size = 0
        while true {
            guard !cancellation.isRequested else { throw .cancelled }
            let count = read(source.raw, room.baseAddress, room.count)
            let code = errno
            if count < 0, code == EINTR { continue }
            guard count >= 0 else {
                throw BuildFailure(SystemError("read", parts.joined(separator: "/"), code: Errno(code)))
            }
            if count == 0 { break }
            let bytes = UnsafeRawBufferPointer(rebasing: room[..<count])
            contents.update(bytes)
            if let target {
                try building { () throws(SystemError) in
                    try FileEntries.write(bytes, to: target.raw, at: size, name: parts.last ?? "")
                }
            }
            size += count
        }
        withExtendedLifetime((source, target)) {}
        hasher.add(size)
        hasher.add(contents.finalize().description)
    }

    func link(
        _ name: String, in source: SharedFD, _ status: EntryStatus, to directory: CopyPlace?, as newName: String
    ) throws(BuildFailure) {
        let text = try building { () throws(SystemError) in try Files.link(name, at: source.raw) }
        hasher.add("link")
        hasher.add(name)
        hasher.add(text)
        if tree.keepsOwners { hasher.add("\(status.file.owner):\(status.file.group)") }
        guard let target, let directory else { return }
        try target.makeRoom(newName, at: directory.raw)
        let owner = owner(of: status)
        try building { () throws(SystemError) in
            try FileEntries.makeLink(to: text, named: newName, at: directory.raw)
            try FileEntries.setOwner(owner.user, owner.group, of: newName, at: directory.raw)
            try FileEntries.setTime(target.time(status.modified), of: newName, at: directory.raw)
        }
    }

    func pipe(
        _ name: String, _ status: EntryStatus, to directory: CopyPlace?, as newName: String
    ) throws(BuildFailure) {
        note("pipe", name, status)
        guard let target, let directory else { return }
        try target.makeRoom(newName, at: directory.raw)
        let (owner, mode) = (owner(of: status), rules.mode ?? status.file.permissions)
        try building { () throws(SystemError) in
            try FileEntries.makePipe(newName, at: directory.raw)
            try FileEntries.setOwner(owner.user, owner.group, of: newName, at: directory.raw)
            try FileEntries.setMode(mode, of: newName, at: directory.raw)
            try FileEntries.setTime(target.time(status.modified), of: newName, at: directory.raw)
        }
    }
}
