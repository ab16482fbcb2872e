import Glibc
import Images
import Linux

/// One end of a copy: a path below a root that somebody hostile may change meanwhile, the machine's or a container's.
///
/// Invariant: a path is resolved by the kernel with the root as its "/" and without links of /proc, and what was found
/// is used by descriptor and one name.
/// (test: `CVE-2018-15664: while a directory is swapped for a link out, copies reach nothing of the machine`)
struct CopyPlace: Sendable {
    let root: SharedFD
    /// O_PATH of open(2), which the C library hides from Swift.
    static let pathOnly: CInt = 0o10_000_000
    /// Absolute, without "." and "..".
    let path: String
    /// "/x/." means what is in the directory, "/x/" that it is one.
    let isContents: Bool
    let hasSlash: Bool

    init(_ root: SharedFD, _ path: String) throws(NodeFailure) {
        guard path.hasPrefix("/"), !path.utf8.contains(0) else {
            throw NodeFailure(.badRequest, "copy \(path): a path begins with a slash here")
        }
        self.root = root
        isContents = path.hasSuffix("/.") || path == "/"
        hasSlash = path.hasSuffix("/") || path.hasSuffix("/.")
        self.path = ImageDefaultsMerge.clean(path)
    }

    private init(_ other: CopyPlace, path: String) {
        root = other.root
        self.path = path
        (isContents, hasSlash) = (other.isContents, other.hasSlash)
    }

    /// The last part; empty for the root.
    var name: String { path.split(separator: "/").last.map(String.init) ?? "" }

    private var parentPath: String { "/" + path.split(separator: "/").dropLast().joined(separator: "/") }

    /// The directory that has the last part.
    func parent() throws(SystemError) -> SharedFD {
        SharedFD(try PathResolution.open(parentPath, inRoot: root.raw, flags: O_RDONLY | O_DIRECTORY))
    }

    /// What is there, itself when it is a link; nil: nothing.
    func status() throws(SystemError) -> EntryStatus? {
        if name.isEmpty { return try FileEntries.status(of: root.raw, name: path) }
        do throws(SystemError) {
            let parent = try parent()
            defer { withExtendedLifetime(parent) {} }
            return try FileEntries.status(name, at: parent.raw)
        } catch {
            guard error.code == .noEntry else { throw error }
            return nil
        }
    }

    /// The directory at the path, links followed.
    func directory() throws(SystemError) -> SharedFD {
        SharedFD(try PathResolution.open(path, inRoot: root.raw, flags: O_RDONLY | O_DIRECTORY))
    }

    /// What is at the path, links followed; nil: nothing.
    func kind() throws(SystemError) -> FileStatus.Kind? {
        do throws(SystemError) {
            let found = SharedFD(try PathResolution.open(path, inRoot: root.raw, flags: Self.pathOnly))
            defer { withExtendedLifetime(found) {} }
            return try Files.status(of: found.raw).kind
        } catch {
            guard error.code == .noEntry else { throw error }
            return nil
        }
    }

    /// Where a link at the path leads, inside of the root.
    func following() throws(SystemError) -> CopyPlace {
        var place = self
        // As many as the kernel follows, path_resolution(7).
        for _ in 0..<40 {
            guard try place.status()?.file.kind == .link else { return place }
            let parent = try place.parent()
            let target = try Files.link(place.name, at: parent.raw)
            withExtendedLifetime(parent) {}
            let joined = target.hasPrefix("/") ? target : place.parentPath + "/" + target
            place = CopyPlace(place, path: ImageDefaultsMerge.clean(joined))
        }
        throw SystemError("follow", path, code: .tooManyLinks)
    }
}
