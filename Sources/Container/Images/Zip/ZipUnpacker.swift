internal import CArchive
internal import Glibc
package import Linux

/// Unpacks zip archives with code below a directory that is given by descriptor.
///
/// Everything belongs to this user and can be read by all: files have 0644, or 0755 when somebody may execute them,
/// directories 0755.
///
/// Invariants
/// 1. Nothing outside of the directory is read, made or changed. (test: `damaged zip archives unpack or are refused, and nothing else happens`)
/// 2. What is unpacked is what the archive says: sizes and check sums are those of its directory.
///    (test: `a zip archive whose data are not what it says is refused`)
/// 3. A failure leaves what was made until then; whoever called removes the directory.
package enum ZipUnpacker {
    /// Unpacks on this thread, which must be one that may block.
    ///
    /// - Parameter root: an empty directory.
    package static func unpackBlocking(
        _ bytes: [UInt8], into root: SharedFD, limits: ZipLimits = ZipLimits()
    ) throws(ArchiveFailure) -> UnpackedZip {
        let directory = try ZipDirectory(bytes, limits: limits)
        var run = ZipRun(root)
        try run.makeDirectories(directory.entries)
        for entry in directory.entries where entry.kind != .directory { try run.make(entry, bytes) }
        try withExtendedLifetime(root) { () throws(ArchiveFailure) in try run.finish(directory.entries) }
        return UnpackedZip(entries: directory.entries.count, fileBytes: run.fileBytes)
    }
}

private struct ZipRun: ~Copyable {
    private let root: SharedFD
    private var place: UnpackedPlace
    private let block = Block()
    var fileBytes = 0

    init(_ root: SharedFD) {
        self.root = root
        place = UnpackedPlace(root: root.raw, base: "")
    }

    /// Makes those that the archive has and those that its names imply, whatever the mask of this process.
    mutating func makeDirectories(_ entries: [ZipEntry]) throws(ArchiveFailure) {
        var paths: Set<[UInt8]> = []
        for entry in entries {
            var parts = entry.kind == .directory ? entry.name.components[...] : entry.name.components.dropLast()
            while !parts.isEmpty, paths.insert(Array(parts.joined(separator: "/").utf8)).inserted { parts = parts.dropLast() }
        }
        // What is above comes first.
        for path in paths.sorted(by: { $0.lexicographicallyPrecedes($1) }).map({ String(decoding: $0, as: UTF8.self) }) {
            let slash = path.lastIndex(of: "/")
            let parent = slash.map { String(path[..<$0]) } ?? ""
            let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
            let directory = try forEntry(path) { () throws(SystemError) in try place.directory(parent, makes: false) }
            try forEntry(path) { () throws(SystemError) in
                try Files.makeDirectory(name, at: directory.fd.raw)
                try FileEntries.setMode(0o755, of: name, at: directory.fd.raw)
            }
        }
    }

    mutating func make(_ entry: ZipEntry, _ bytes: [UInt8]) throws(ArchiveFailure) {
        let path = entry.name.path
        guard let name = entry.name.last else { throw ArchiveFailure(.refused, entry: path, "it has no name.") }
        let parentPath = entry.name.parent
        let parent = try forEntry(path) { () throws(SystemError) in try place.directory(parentPath, makes: false) }
        if entry.kind == .symbolicLink { return try makeLink(entry, bytes, name, parent) }
        let fd = try forEntry(path) { () throws(SystemError) in
            try Files.open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600, at: parent.fd.raw)
        }
        let raw = fd.raw
        var end = 0
        try ZipData.read(entry, bytes, block.bytes) { part throws(ArchiveFailure) in
            try forEntry(path) { () throws(SystemError) in try FileEntries.write(part, to: raw, at: end, name: path) }
            end += part.count
        }
        fileBytes += end
        try forEntry(path) { () throws(SystemError) in
            try FileEntries.setMode(entry.isExecutable ? 0o755 : 0o644, of: raw, name: path)
            try FileEntries.setTime(entry.modified, of: raw, name: path)
        }
    }

    private mutating func makeLink(
        _ entry: ZipEntry, _ bytes: [UInt8], _ name: String, _ parent: UnpackedPlace.Directory
    ) throws(ArchiveFailure) {
        let path = entry.name.path
        guard 1...ArchiveLimits.nameBytes ~= entry.size else {
            throw ArchiveFailure(.refused, entry: path, "the target of the link is empty or too long.")
        }
        var target: [UInt8] = []
        try ZipData.read(entry, bytes, block.bytes) { part throws(ArchiveFailure) in target += part }
        guard let text = String(validating: target, as: UTF8.self), !target.contains(0) else {
            throw ArchiveFailure(.refused, entry: path, "the target of the link is not UTF-8.")
        }
        try Self.checkTarget(text, entry)
        try forEntry(path) { () throws(SystemError) in
            try FileEntries.makeLink(to: text, named: name, at: parent.fd.raw)
            try FileEntries.setTime(entry.modified, of: name, at: parent.fd.raw)
        }
    }

    /// A link may go up at its beginning, no further than to the root: what follows a name may go up from somewhere
    /// else, when that name is a link itself.
    private static func checkTarget(_ target: String, _ entry: ZipEntry) throws(ArchiveFailure) {
        let parts = target.split(separator: "/").filter { $0 != "." }
        let up = parts.prefix { $0 == ".." }.count
        guard !target.hasPrefix("/"), up < entry.name.components.count, !parts.dropFirst(up).contains("..") else {
            throw ArchiveFailure(
                .refused, entry: entry.name.path, "it is a link to \(String(reflecting: String(target.prefix(160)))), which leads out of the archive.")
        }
    }

    /// Sets the times of directories once everything in them is there.
    mutating func finish(_ entries: [ZipEntry]) throws(ArchiveFailure) {
        for entry in entries where entry.kind == .directory {
            let path = entry.name.path
            let directory = try forEntry(path) { () throws(SystemError) in try place.directory(path, makes: false) }
            try forEntry(path) { () throws(SystemError) in
                try FileEntries.setTime(entry.modified, of: directory.fd.raw, name: path)
            }
        }
    }
}
