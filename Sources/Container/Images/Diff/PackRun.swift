internal import Glibc
internal import Linux

/// One directory being written.
struct PackRun: ~Copyable {
    private let output: ArchiveOutput
    private let options: LayerWriter.Options
    private let cancellation: Cancellation
    private var result = WrittenLayer()
    /// The first name of each file that has several.
    private var names: [FileKey: String] = [:]
    var device: UInt64 = 0

    private struct FileKey: Hashable {
        var device: UInt64
        var inode: UInt64
    }

    init(_ sink: any ByteSink, _ options: LayerWriter.Options, _ cancellation: Cancellation) throws(ArchiveFailure) {
        output = try ArchiveOutput(sink, compression: options.compression, level: options.level)
        self.options = options
        self.cancellation = cancellation
    }

    mutating func finish() throws(ArchiveFailure) -> WrittenLayer {
        try output.write(TarRecord.end)
        result.totals = try output.finish()
        return result
    }

    /// Everything in an open directory, in the order of the names' bytes.
    mutating func contents(of directory: CInt, path: String, depth: Int) throws(ArchiveFailure) {
        guard depth <= ArchiveLimits.standard.depth else {
            throw ArchiveFailure(.tooLarge, entry: path, "directories are more than \(depth - 1) deep.")
        }
        let names = try forEntry(path) { () throws(SystemError) in try Files.list(directory, name: path) }
        for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            guard !cancellation.isRequested else { throw ArchiveFailure(.cancelled, "writing it was cancelled.") }
            let child = path.isEmpty ? name : path + "/" + name
            guard !name.unicodeScalars.contains("\u{FFFD}") else {
                throw ArchiveFailure(.refused, entry: child, "its name is not UTF-8; rename it.")
            }
            try entry(name, in: directory, path: child, depth: depth)
        }
    }

    /// One entry of an open directory, with everything below it.
    mutating func entry(_ name: String, in directory: CInt, path: String, depth: Int) throws(ArchiveFailure) {
        let seen = try forEntry(path) { () throws(SystemError) in try FileEntries.status(name, at: directory) }
        if options.form == .overlayUpper {
            if seen.isWhiteout { return try whiteout(of: path) }
            guard !name.hasPrefix(Whiteout.prefix) else {
                throw ArchiveFailure(.refused, entry: path, "in a layer its name means that another is gone; rename it.")
            }
        }
        switch seen.file.kind {
        case .socket: result.socketsLeftOut += 1
        case .regular: try file(name, in: directory, path: path)
        case .directory: try self.directory(name, in: directory, path: path, depth: depth)
        case .link:
            let target = try forEntry(path) { () throws(SystemError) in try Files.link(name, at: directory) }
            try add(record(path, .symbolicLink(target: target), seen))
        case .pipe: try add(record(path, .pipe, seen))
        case .characterDevice, .blockDevice:
            let isBlock = seen.file.kind == .blockDevice
            try add(
                record(path, .device(block: isBlock, major: seen.deviceMajor, minor: seen.deviceMinor), seen))
        }
    }

    // MARK: - Kinds

    private mutating func directory(
        _ name: String, in parent: CInt, path: String, depth: Int
    ) throws(ArchiveFailure) {
        let fd = try forEntry(path) { () throws(SystemError) in
            try Files.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, at: parent)
        }
        let status = try forEntry(path) { () throws(SystemError) in try FileEntries.status(of: fd.raw, name: path) }
        var entry = record(path, .directory, status)
        entry.attributes = try attributes(of: fd.raw, path)
        try add(entry)
        if options.form == .overlayUpper {
            guard try value(OverlayForm.redirect, of: fd.raw, path) == nil else {
                throw ArchiveFailure(
                    .refused, entry: path, "it was renamed below an overlay with redirect_dir, which no layer can say.")
            }
            if try value(OverlayForm.opaque, of: fd.raw, path) == [UInt8(ascii: "y")] {
                try add(emptyRecord(path + "/" + Whiteout.opaqueName))
            }
        }
        if options.staysOnFileSystem, status.file.device != device { return }
        try contents(of: fd.raw, path: path, depth: depth + 1)
    }

    private mutating func file(_ name: String, in parent: CInt, path: String) throws(ArchiveFailure) {
        // O_NONBLOCK: a pipe that took the file's place must not keep this waiting.
        let fd = try forEntry(path) { () throws(SystemError) in
            try Files.open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, at: parent)
        }
        let status = try forEntry(path) { () throws(SystemError) in try FileEntries.status(of: fd.raw, name: path) }
        guard status.file.kind == .regular else {
            throw ArchiveFailure(.refused, entry: path, "it became something else while it was read; try again.")
        }
        if options.form == .overlayUpper, try value(OverlayForm.metacopy, of: fd.raw, path) != nil {
            throw ArchiveFailure(
                .refused, entry: path, "the overlay has only its description here (metacopy), which no layer can say.")
        }
        if status.links > 1 {
            let key = FileKey(device: status.file.device, inode: status.file.inode)
            if let first = names[key] { return try add(record(path, .hardLink(target: options.prefix + first), status)) }
            names[key] = path
        }
        var entry = record(path, .file, status)
        entry.size = status.file.size
        entry.attributes = try attributes(of: fd.raw, path)
        try add(entry)
        try copy(fd.raw, entry.size, path)
        try output.write(entry.padding)
    }

    private func copy(_ fd: CInt, _ size: Int, _ path: String) throws(ArchiveFailure) {
        var left = size
        while left > 0 {
            let room = output.room
            let count = read(fd, room.baseAddress, min(room.count, left))
            let code = errno
            if count < 0, code == EINTR { continue }
            guard count >= 0 else { throw ArchiveFailure(SystemError("read", path, code: Errno(code)), entry: path) }
            guard count > 0 else {
                throw ArchiveFailure(.refused, entry: path, "it became shorter while it was read; try again.")
            }
            left -= count
            try output.advance(count)
        }
    }

    private mutating func whiteout(of path: String) throws(ArchiveFailure) {
        let slash = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        try add(emptyRecord(path[..<slash] + Whiteout.prefix + path[slash...]))
    }

    // MARK: - Records

    private mutating func add(_ record: TarRecord) throws(ArchiveFailure) {
        guard record.name.utf8.count <= ArchiveLimits.nameBytes else {
            throw ArchiveFailure(.tooLarge, entry: record.name, "its name is too long for an archive.")
        }
        result.entries += 1
        try output.write(record.header)
    }

    private func emptyRecord(_ path: String) -> TarRecord {
        // overlayfs shares one whiteout among many names: its own time says nothing.
        var record = TarRecord(name: options.prefix + path)
        record.mode = 0o600
        return record
    }

    private func record(_ path: String, _ kind: TarRecord.Kind, _ status: EntryStatus) -> TarRecord {
        var record = TarRecord(name: options.prefix + path, kind: kind)
        record.mode = status.file.permissions
        record.owner = status.file.owner
        record.group = status.file.group
        record.modified = FileTime(seconds: min(status.modified, options.latest ?? status.modified).seconds)
        return record
    }

    private func attributes(of fd: CInt, _ path: String) throws(ArchiveFailure) -> [TarEntry.Attribute] {
        let names = try forEntry(path) { () throws(SystemError) in try ExtendedAttributes.names(of: fd, file: path) }
        var found: [TarEntry.Attribute] = []
        for name in names where AttributeRules.verdict(name, keepsPrivileges: true) == .set {
            if let value = try value(name, of: fd, path) { found.append(TarEntry.Attribute(name: name, value: value)) }
        }
        return found
    }

    private func value(_ name: String, of fd: CInt, _ path: String) throws(ArchiveFailure) -> [UInt8]? {
        try forEntry(path) { () throws(SystemError) in try ExtendedAttributes.value(name, of: fd, file: path) }
    }
}
