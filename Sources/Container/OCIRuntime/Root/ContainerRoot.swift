import Linux
import OCI

/// A container's root file system, by its descriptor: every path in it is resolved by the kernel with this directory as
/// "/" and used by descriptor from then on, since its files may be hostile.
///
/// Invariants
/// 1. Nothing is made, opened or mounted outside the root, whatever links lie in it or are put there meanwhile.
///    (tests: `CVE-2024-45310 ...`, `CVE-2021-30465 ...`, `CVE-2026-55686 ...`)
/// 2. The kernel's own directories (/proc, /sys, /dev and what is mounted as such) must not be reached through a link.
///    (tests: `CVE-2019-19921 ...`, `CVE-2026-41579 ...`)
struct ContainerRoot {
    /// The mounted root.
    let descriptor: SharedFD
    private static let pathOnly: CInt = 0o10_000_000
    private static let directoryOnly: CInt = 0o200_000
    private static let noFollow: CInt = 0o400_000
    private static let strict = PathResolution.beneath & ~0x08 | 0x10  // RESOLVE_IN_ROOT | NO_MAGICLINKS | NO_SYMLINKS

    /// "/a/b" of "a//./b/../b": without dots, by the letters alone. Nothing above the root is left.
    static func clean(_ path: String) -> String {
        if isClean(path) { return path }
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// Whether a path is as `clean` would have it, as nearly all are: from "/" on, no part empty or beginning with a dot.
    private static func isClean(_ path: String) -> Bool {
        var before = UInt8(ascii: "a")
        for (index, byte) in path.utf8.enumerated() {
            if index == 0, byte != UInt8(ascii: "/") { return false }
            if before == UInt8(ascii: "/"), byte == UInt8(ascii: "/") || byte == UInt8(ascii: ".") { return false }
            before = byte
        }
        return path == "/" || before != UInt8(ascii: "/") && !path.isEmpty
    }

    /// Opens what is at a path as a place; nil when there is nothing.
    func place(_ path: String) throws(SystemError) -> OwnedFD? {
        do {
            return try PathResolution.open(path, inRoot: descriptor.raw, flags: Self.pathOnly)
        } catch  where error.code == .noEntry || error.code == .notDirectory { return nil }
    }

    /// A directory to mount on, made with those above it.
    ///
    /// - Parameter isKernels: no link may be on the way.
    func directory(_ path: String, isKernels: Bool = false) throws(SystemError) -> OwnedFD {
        let path = Self.clean(path)
        if isKernels { return try kernelDirectory(path) }
        do {
            return try PathResolution.open(path, inRoot: descriptor.raw, flags: Self.pathOnly | Self.directoryOnly)
        } catch  where error.code == .noEntry {
            return try PathResolution.makeDirectories(path, inRoot: descriptor.raw)
        }
    }

    private func kernelDirectory(_ path: String) throws(SystemError) -> OwnedFD {
        let flags = Self.pathOnly | Self.directoryOnly | Self.noFollow
        do {
            return try PathResolution.open(path, inRoot: descriptor.raw, flags: flags, resolve: Self.strict)
        } catch {
            switch error.code {
            case .noEntry: break
            case .tooManyLinks, .notDirectory:
                throw SystemError(
                    "mount on", path, code: error.code,
                    advice: "It must be an ordinary directory, reached through no link.")
            default: throw error
            }
        }
        let parent = String(path[..<path.lastIndex(of: "/")!])
        let above = try kernelDirectory(parent.isEmpty ? "/" : parent)
        do {
            try Files.makeDirectory(String(path.dropFirst(parent.utf8.count + 1)), at: above.raw)
        } catch  where error.code == .exists {}
        return try PathResolution.open(path, inRoot: descriptor.raw, flags: flags, resolve: Self.strict)
    }

    /// A file to mount on, made empty with the directories above it unless something is there.
    func file(_ path: String) throws(SystemError) -> OwnedFD {
        let path = Self.clean(path)
        if let place = try place(path) { return place }
        return try PathResolution.makeFile(path, inRoot: descriptor.raw)
    }

    /// The directory in which something named by a path is to be made, and its name.
    func parent(of path: String) throws(SystemError) -> (directory: SharedFD, name: String) {
        let path = Self.clean(path)
        let slash = path.lastIndex(of: "/")!
        let name = String(path[path.index(after: slash)...])
        guard !name.isEmpty else { throw SystemError("make", path, code: .exists) }
        return (SharedFD(try directory(String(path[..<slash]))), name)
    }

    /// Opens a regular file or directory for reading.
    func open(_ path: String, flags: CInt) throws(SystemError) -> OwnedFD {
        try PathResolution.open(path, inRoot: descriptor.raw, flags: flags)
    }
}
