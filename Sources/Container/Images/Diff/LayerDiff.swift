package import Linux
internal import Glibc

/// What an overlay's upper directory changes in the layers below it: `docker diff`.
package enum LayerDiff {
    package struct Change: Hashable, Sendable {
        package enum Kind: String, Sendable {
            case added = "A", changed = "C", deleted = "D"
        }
        package var kind: Kind
        /// Below the root, beginning with "/".
        package var path: String

        package init(_ kind: Kind, _ path: String) {
            self.kind = kind
            self.path = path
        }
    }

    /// The changes, directories before what is in them, in the order of the names' bytes.
    ///
    /// - Parameter lower: The layers, topmost first.
    /// - Throws: `ArchiveFailure`, `.tooLarge` beyond `limit` changes.
    package static func changesBlocking(
        upper: SharedFD, lower: [SharedFD], limit: Int = 1_000_000
    ) throws(ArchiveFailure) -> [Change] {
        var run = DiffRun(lower: lower, limit: limit)
        let fd = try forEntry(".") { () throws(SystemError) in
            try Files.open(".", O_RDONLY | O_DIRECTORY, at: upper.raw)
        }
        try run.contents(of: fd.raw, path: "", visible: Array(lower.indices), depth: 0)
        return run.changes
    }

    /// The same on a thread of its own.
    package static func changes(
        upper: SharedFD, lower: [SharedFD]
    ) async throws(ArchiveFailure) -> [Change] {
        try await OwnThreadWork.run("forkless-diff") { _ throws(ArchiveFailure) in
            try changesBlocking(upper: upper, lower: lower)
        }
    }
}

private struct DiffRun {
    let lower: [SharedFD]
    let limit: Int
    var changes: [LayerDiff.Change] = []

    /// `visible`: the layers whose directory of this path shows through.
    mutating func contents(of directory: CInt, path: String, visible: [Int], depth: Int) throws(ArchiveFailure) {
        guard depth <= ArchiveLimits.standard.depth else {
            throw ArchiveFailure(.tooLarge, entry: path, "directories are more than \(depth - 1) deep.")
        }
        let names = try forEntry(path) { () throws(SystemError) in try Files.list(directory, name: path) }
        for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            let child = path + "/" + name
            let status = try forEntry(child) { () throws(SystemError) in try FileEntries.status(name, at: directory) }
            let below = try below(child, visible)
            if status.isWhiteout {
                if below.exists { try add(.deleted, child) }
                continue
            }
            try add(below.exists ? .changed : .added, child)
            guard status.file.kind == .directory else { continue }
            let fd = try forEntry(child) { () throws(SystemError) in
                try Files.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, at: directory)
            }
            let isOpaque = try isOpaque(fd.raw, child)
            if isOpaque { try deleteHidden(fd.raw, child, below.directories) }
            try contents(of: fd.raw, path: child, visible: isOpaque ? [] : below.directories, depth: depth + 1)
        }
    }

    /// What an opaque directory hides and does not have itself.
    private mutating func deleteHidden(_ fd: CInt, _ path: String, _ layers: [Int]) throws(ArchiveFailure) {
        let own = Set(try forEntry(path) { () throws(SystemError) in try Files.list(fd, name: path) })
        var hidden = Set<String>()
        for layer in layers {
            guard let directory = try open(path, layer) else { continue }
            hidden.formUnion(try forEntry(path) { () throws(SystemError) in try Files.list(directory.raw, name: path) })
        }
        for name in hidden.subtracting(own).sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            if try below(path + "/" + name, layers).exists { try add(.deleted, path + "/" + name) }
        }
        // Listing moved the directory's position to its end.
        try forEntry(path) { () throws(SystemError) in _ = lseek(fd, 0, SEEK_SET) }
    }

    /// Whether a path exists below, and in which of the layers it is a directory that shows through.
    private func below(_ path: String, _ layers: [Int]) throws(ArchiveFailure) -> (exists: Bool, directories: [Int]) {
        var directories: [Int] = []
        for layer in layers {
            guard let status = try status(path, layer) else { continue }
            if status.isWhiteout { break }
            guard status.file.kind == .directory else { return (true, directories) }
            directories.append(layer)
            guard let directory = try open(path, layer) else { break }
            if try isOpaque(directory.raw, path) { break }
        }
        return (!directories.isEmpty, directories)
    }

    /// nil for what is not there.
    private func status(_ path: String, _ layer: Int) throws(ArchiveFailure) -> EntryStatus? {
        let parts = path.split(separator: "/")
        guard let name = parts.last, let parent = try open("/" + parts.dropLast().joined(separator: "/"), layer) else {
            return nil
        }
        do throws(SystemError) { return try FileEntries.status(String(name), at: parent.raw) } catch {
            guard error.code == .noEntry else { throw ArchiveFailure(error, entry: path) }
            return nil
        }
    }

    /// A directory of a layer; nil for what is none.
    private func open(_ path: String, _ layer: Int) throws(ArchiveFailure) -> OwnedFD? {
        let relative = path == "/" ? "." : String(path.dropFirst())
        do throws(SystemError) {
            return try PathResolution.open(
                relative, inRoot: lower[layer].raw, flags: O_RDONLY | O_DIRECTORY, resolve: PathResolution.beneath)
        } catch {
            guard [.noEntry, .notDirectory, .tooManyLinks].contains(error.code) else {
                throw ArchiveFailure(error, entry: path)
            }
            return nil
        }
    }

    private func isOpaque(_ fd: CInt, _ path: String) throws(ArchiveFailure) -> Bool {
        let value = try forEntry(path) { () throws(SystemError) in
            try ExtendedAttributes.value(OverlayForm.opaque, of: fd, file: path)
        }
        return value == [UInt8(ascii: "y")]
    }

    private mutating func add(_ kind: LayerDiff.Change.Kind, _ path: String) throws(ArchiveFailure) {
        guard changes.count < limit else { throw ArchiveFailure(.tooLarge, "there are more than \(limit) changes.") }
        changes.append(LayerDiff.Change(kind, path))
    }
}
