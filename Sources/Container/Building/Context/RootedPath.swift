internal import Glibc
internal import Linux

/// Where a path leads to below a root, its symbolic links followed inside of the root: the real path, to be opened
/// without following any.
///
/// A look only: whoever opens the real path does so with `PathResolution.beneath`, so that somebody who changes the
/// tree meanwhile gets an error out of it and nothing else.
struct RootedPath: Hashable, Sendable {
    /// Most symbolic links on one path, as the kernel has it (path_resolution(7)).
    private static let linkLimit = 40

    /// Without links; what is missing stands as it was written.
    private(set) var parts: [String] = []
    /// Of what is there; nil: nothing is.
    private(set) var status: EntryStatus?

    /// The path for `PathResolution.open`.
    var path: String { parts.isEmpty ? "." : parts.joined(separator: "/") }

    /// - Throws: `SystemError`; ELOOP for links that lead in a circle, ENOTDIR for a path through a file.
    init(_ text: String, in root: CInt) throws(SystemError) {
        var waiting = Array(text.split(separator: "/").map(String.init).reversed())
        var links = 0
        var isMissing = false
        status = try Self.status([], root)
        while let part = waiting.popLast() {
            if part == "." { continue }
            if part == ".." {
                // As text, which is how Docker cleans paths: what is missing has no parent either.
                _ = parts.popLast()
                status = try Self.status(parts, root)
                isMissing = status == nil
                continue
            }
            if !isMissing, let status, status.file.kind != .directory {
                throw SystemError("resolve", text, code: .notDirectory)
            }
            let found = isMissing ? nil : try Self.status(parts + [part], root)
            guard let found, found.file.kind == .link else {
                parts.append(part)
                status = found
                isMissing = found == nil
                continue
            }
            links += 1
            guard links <= Self.linkLimit else { throw SystemError("resolve", text, code: .tooManyLinks) }
            let target = try Self.target(parts + [part], root)
            if target.hasPrefix("/") { parts = [] }
            status = try Self.status(parts, root)
            waiting += target.split(separator: "/").map(String.init).reversed()
        }
    }

    // O_PATH, which glibc declares only under _GNU_SOURCE.
    private static let pathOnly: CInt = 0o10_000_000

    /// nil for what is not there.
    private static func status(_ parts: [String], _ root: CInt) throws(SystemError) -> EntryStatus? {
        guard let fd = try open(parts, root) else { return nil }
        return try FileEntries.status(of: fd.raw, name: parts.joined(separator: "/"))
    }

    private static func target(_ parts: [String], _ root: CInt) throws(SystemError) -> String {
        guard let fd = try open(parts, root) else {
            throw SystemError("read link", parts.joined(separator: "/"), code: .noEntry)
        }
        // readlinkat(2) with an empty path reads the link that an O_PATH descriptor refers to.
        return try Files.link("", at: fd.raw)
    }

    private static func open(_ parts: [String], _ root: CInt) throws(SystemError) -> OwnedFD? {
        let path = parts.isEmpty ? "." : parts.joined(separator: "/")
        do throws(SystemError) {
            // RESOLVE_NO_SYMLINKS refuses links on the way; the last part, with O_NOFOLLOW, may be one (openat2(2)).
            return try PathResolution.open(
                path, inRoot: root, flags: pathOnly | O_NOFOLLOW, resolve: PathResolution.beneath)
        } catch {
            guard error.code == .noEntry else { throw error }
            return nil
        }
    }
}
