internal import Engine
internal import Glibc
internal import Images
package import Linux

/// What COPY and ADD read from: the context without what .dockerignore leaves out, a stage, or an image.
///
/// Invariants
/// 1. Nothing outside of the root is opened, whatever links are in it and whoever changes it meanwhile: links are
///    followed by `RootedPath`, and what is found is opened without following any.
///    (tests: `a context's links lead nowhere outside`, `CVE-2018-15664: a context that changes while it is copied gives nothing from outside`)
/// 2. What .dockerignore leaves out is not reached under another name either: rules are asked about the real path.
///    (test: `what is ignored is not reached through a link`)
package final class SourceTree: Sendable {
    /// A source of a COPY that was found.
    struct Found: Sendable {
        /// The real path; empty for the root itself.
        var parts: [String]
        /// What it is called where it is copied to.
        var name: String
        var status: EntryStatus
    }

    let root: SharedFD
    let rules: IgnoreRules
    /// "the context", "stage one", "image a:1".
    let title: String
    /// Whether owners and extended attributes are part of what is copied: those of a context are its machine's.
    let keepsOwners: Bool

    package init(_ root: SharedFD, rules: IgnoreRules = IgnoreRules(), title: String, keepsOwners: Bool) {
        self.root = root
        self.rules = rules
        self.title = title
        self.keepsOwners = keepsOwners
    }

    /// Most directories that a tree may be deep, and names that a pattern may look at.
    static let depthLimit = 512

    /// Everything that a path or pattern stands for, in the order of the names' bytes; at least one.
    func find(_ text: String) throws(BuildFailure) -> [Found] {
        let clean = BuildPath.joined("/", text)
        let components = clean.split(separator: "/").map(String.init)
        guard components.contains(where: Self.isPattern) else {
            guard let found = try look(clean) else { throw missing(text) }
            return [found]
        }
        var paths = ["/"]
        for component in components {
            var next: [String] = []
            for path in paths {
                if !Self.isPattern(component) {
                    next.append(path + component + "/")
                } else {
                    next += try names(in: path, matching: component).map { path + $0 + "/" }
                }
            }
            paths = next
        }
        var found: [Found] = []
        for path in paths { if let one = try look(path) { found.append(one) } }
        guard !found.isEmpty else { throw missing(text) }
        return found
    }

    private static func isPattern(_ component: String) -> Bool {
        component.utf8.contains { [UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "["), UInt8(ascii: "\\")].contains($0) }
    }

    private func missing(_ text: String) -> BuildFailure {
        let reason = rules.isEmpty ? "" : ", or .dockerignore leaves it out"
        return BuildFailure(.notFound, "\"\(text)\" is not in \(title)\(reason)")
    }

    /// What is at a path, its links followed; nil for what is not there or is ignored.
    private func look(_ path: String) throws(BuildFailure) -> Found? {
        let place = try resolve(path)
        guard let status = place.status, isSeen(place.parts, status) else { return nil }
        return Found(parts: place.parts, name: BuildPath.name(path), status: status)
    }

    private func resolve(_ path: String) throws(BuildFailure) -> RootedPath {
        do throws(SystemError) { return try RootedPath(path, in: root.raw) } catch {
            switch error.code {
            // A path through a file is not there, and neither is one through links without an end.
            case .notDirectory, .tooManyLinks, .nameTooLong:
                throw BuildFailure(.badRequest, "\"\(path.dropFirst())\" in \(title): \(error)")
            default: throw BuildFailure(error)
            }
        }
    }

    private func names(in path: String, matching component: String) throws(BuildFailure) -> [String] {
        let pattern: IgnorePattern
        do throws(WordError) { pattern = try IgnorePattern(component) } catch {
            throw BuildFailure(.badRequest, "\"\(component)\": \(error.reason)")
        }
        let place = try resolve(path)
        guard let status = place.status, status.file.kind == .directory else { return [] }
        let fd = try building { () throws(SystemError) in try open(place.parts, directory: true) }
        return try building { () throws(SystemError) in try Files.list(fd.raw, name: place.path) }
            .filter { pattern.matches($0.unicodeScalars) }.sorted(by: Self.precedes)
    }

    static func precedes(_ one: String, _ other: String) -> Bool { one.utf8.lexicographicallyPrecedes(other.utf8) }

    /// Whether a path is part of the tree: a directory also when only something below it is.
    func isSeen(_ parts: [String], _ status: EntryStatus) -> Bool {
        guard !parts.isEmpty, rules.ignores(parts.joined(separator: "/")) else { return true }
        return status.file.kind == .directory && rules.hasExceptions
    }

    /// Whether a directory is there for itself, not only for what is below it.
    func isSeenItself(_ parts: [String]) -> Bool { parts.isEmpty || !rules.ignores(parts.joined(separator: "/")) }

    /// Opens a real path; nothing on the way is a link, or it is an error.
    func open(_ parts: [String], directory: Bool) throws(SystemError) -> OwnedFD {
        // O_NONBLOCK: a pipe that took a file's place must not keep the build waiting.
        try PathResolution.open(
            parts.isEmpty ? "." : parts.joined(separator: "/"), inRoot: root.raw,
            flags: O_RDONLY | O_NOFOLLOW | (directory ? O_DIRECTORY : O_NONBLOCK), resolve: PathResolution.beneath)
    }
}
