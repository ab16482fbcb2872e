import Glibc
import Linux

/// Directories stacked as overlayfs shows them, looked at without mounting anything.
///
/// Only a look: what it finds decides which path is executed and who the user is; the kernel decides again, inside.
///
/// Invariants (tests in LayeredFilesTests)
/// 1. Every step is one name below a directory that is held open, and a symbolic link is read and followed here, from
///    the stack's own top: nothing outside is ever looked at. (`no link leads out of the stack`)
/// 2. What upper layers hide is not found: whiteouts, opaque directories, files over directories.
///    (`what upper layers hide is not found`)
/// 3. Only regular files are opened, and not before their kind is known: a look neither waits for a pipe nor wakes a
///    device (CVE-2024-9676). (`a pipe, a device or a huge file is refused without being opened`)
struct LayeredFiles {
    /// What is at a path.
    struct Entry {
        var status: FileStatus
        /// The path with every link followed.
        var realPath: String
        /// The directory that has it, and its name there; nil for a directory, which several layers may have.
        fileprivate var place: (directory: SharedFD, name: String)?
    }

    /// Where a path leads.
    enum Way {
        case found(Entry)
        /// Nothing is there: the part that exists, with links followed, and the names that are missing.
        case missing(below: String, names: [String])
        /// A file stands where a directory would have to be, or links go round in circles.
        case blocked(String)
    }

    /// A directory of the stack: those of the layers that are merged in it, the topmost first.
    private typealias Merged = [SharedFD]

    private let top: Merged

    /// Most symbolic links on one path, as the kernel has it (path_resolution(7)).
    private static let linkLimit = 40
    // O_PATH, which glibc declares only under _GNU_SOURCE.
    private static let pathOnly: CInt = 0o10_000_000

    /// - Parameter layers: open directories, the topmost first.
    init(_ layers: [SharedFD]) { top = layers }

    /// Follows a path from the top.
    func walk(_ path: String) -> Way {
        var at: [(name: String, directory: Merged)] = []
        var waiting = path.split(separator: "/").reversed().map(String.init)
        var links = 0
        while let name = waiting.popLast() {
            if name == "." { continue }
            if name == ".." {
                _ = at.popLast()
                continue
            }
            let here = at.last?.directory ?? top
            switch Self.look(for: name, in: here) {
            case .nothing: return .missing(below: Self.path(at), names: Self.descending([name] + waiting.reversed()))
            case .directory(let merged): at.append((name, merged))
            case .other(let status, let layer) where status.kind == .link:
                links += 1
                guard links <= Self.linkLimit, let target = try? Files.link(name, at: layer.raw) else {
                    return .blocked("links go round in circles")
                }
                if target.hasPrefix("/") { at = [] }
                waiting += target.split(separator: "/").reversed().map(String.init)
            case .other(let status, let layer):
                let real = Self.path(at, name)
                guard waiting.allSatisfy({ $0 == "." }) else { return .blocked("\(real) is no directory") }
                return .found(Entry(status: status, realPath: real, place: (layer, name)))
            }
        }
        let directory = at.last?.directory ?? top
        guard let first = directory.first, let status = try? Files.status(of: first.raw) else {
            return .missing(below: "/", names: [])
        }
        return .found(Entry(status: status, realPath: Self.path(at), place: nil))
    }

    /// What is at a path; nil when nothing is.
    func find(_ path: String) -> Entry? {
        if case .found(let entry) = walk(path) { entry } else { nil }
    }

    /// The path with every link followed, as far as it exists, for something that is to be made there.
    ///
    /// - Throws: `Blocked` when nothing can be there.
    func place(for path: String) throws(Blocked) -> String {
        switch walk(path) {
        case .found(let entry): return entry.realPath
        case .missing(let below, let names): return (below == "/" ? "" : below) + "/" + names.joined(separator: "/")
        case .blocked(let reason): throw Blocked(reason: reason)
        }
    }

    /// Why a path leads nowhere.
    struct Blocked: Error, Hashable { var reason: String }

    /// What can be read at a path.
    enum Text: Hashable {
        case text(String)
        case missing
        case refused(String)
    }

    /// The content of a regular file of at most so many bytes.
    func read(_ path: String, limit: Int) -> Text {
        let entry: Entry
        switch walk(path) {
        case .found(let found): entry = found
        case .missing: return .missing
        case .blocked(let reason): return .refused(reason)
        }
        guard let place = entry.place, entry.status.kind == .regular else { return .refused("is no regular file") }
        guard entry.status.size <= limit else { return .refused("has more than \(limit) bytes") }
        do {
            // Opened as a path first: what it is now may not be what it was a moment ago.
            let found = try PathResolution.open(
                place.name, inRoot: place.directory.raw, flags: Self.pathOnly | O_NOFOLLOW, resolve: PathResolution.beneath)
            guard try Files.status(of: found.raw).kind == .regular else { return .refused("is no regular file") }
            let file = try Files.open("/proc/self/fd/\(found.raw)", O_RDONLY | O_NONBLOCK)
            return .text(String(decoding: try Files.readAll(file.raw, limit: limit, name: path), as: UTF8.self))
        } catch { return .refused("\(error)") }
    }

    // One name.

    private enum Look {
        case nothing
        case directory(Merged)
        case other(FileStatus, in: SharedFD)
    }

    /// A name is what the topmost layer that has it says; directories are merged until one is opaque.
    private static func look(for name: String, in directory: Merged) -> Look {
        var merged: Merged = []
        for (index, layer) in directory.enumerated() {
            guard let status = try? FileEntries.status(name, at: layer.raw).file else { continue }
            if status.kind == .characterDevice, status.deviceNumber == 0 { break }
            guard status.kind == .directory else {
                // A directory above hides the file, as the file would have hidden what is below.
                if merged.isEmpty { return .other(status, in: layer) }
                break
            }
            guard
                let opened = try? PathResolution.open(
                    name, inRoot: layer.raw, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW, resolve: PathResolution.beneath)
            else { break }
            let isOpaque = index < directory.count - 1 && Self.isOpaque(opened.raw)
            merged.append(SharedFD(opened))
            if isOpaque { break }
        }
        return merged.isEmpty ? .nothing : .directory(merged)
    }

    /// Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories".
    private static func isOpaque(_ directory: CInt) -> Bool {
        let value = try? ExtendedAttributes.value("trusted.overlay.opaque", of: directory, file: "a layer")
        return value == [UInt8(ascii: "y")]
    }

    // Paths.

    private static func path(_ at: [(name: String, directory: Merged)], _ name: String? = nil) -> String {
        "/" + (at.map(\.name) + (name.map { [$0] } ?? [])).joined(separator: "/")
    }

    /// Missing names without "." and "..": there is nothing to climb back from.
    private static func descending(_ names: [String]) -> [String] {
        names.reduce(into: []) { result, name in
            if name == ".." { _ = result.popLast() } else if name != "." { result.append(name) }
        }
    }
}
