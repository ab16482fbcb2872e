package import Engine
internal import Glibc
internal import Images
package import Linux

/// What came with a request to build: the Dockerfile, and the context as a tree.
///
/// Invariants
/// 1. The context is reached by its descriptor only, and nothing outside of it is. (test: `a context's links lead nowhere outside`)
/// 2. A descriptor that could keep the node waiting (a pipe, a terminal) is refused. (test: `a pipe is no context`)
package struct BuildInput: Sendable {
    package var dockerfile: [UInt8]
    /// nil: the Dockerfile came alone.
    package var context: SourceTree?
    /// What was unpacked for it, to be removed after the build.
    package var temporary: String?

    /// Bytes of a .dockerignore.
    private static let ignoreBytes = 1 << 20
    private static let title = "the context"

    /// Reads what came.
    ///
    /// - Throws: `BuildFailure`; nothing is left of an archive then.
    package static func read(
        _ recipe: BuildRecipe, _ descriptors: [SharedFD], in place: BuildPlace
    ) async throws(BuildFailure) -> BuildInput {
        switch recipe.context {
        case .none:
            return try await BuildThread.run { _ throws(BuildFailure) in
                BuildInput(dockerfile: try bytes(of: descriptors[0], recipe.file))
            }
        case .directory:
            return try await BuildThread.run { _ throws(BuildFailure) in
                let dockerfile = try bytes(of: descriptors[1], recipe.file)
                return BuildInput(dockerfile: dockerfile, context: try tree(descriptors[0], recipe))
            }
        case .archive:
            let path = place.makePath()
            do throws(BuildFailure) {
                return try await BuildThread.run { cancellation throws(BuildFailure) in
                    try unpack(descriptors[0], recipe, to: path, cancellation)
                }
            } catch {
                await WorkDirectory.remove(path)
                throw error
            }
        }
    }

    /// Only the Dockerfile: of an archive its entry.
    package static func readDockerfile(
        _ recipe: BuildRecipe, _ descriptors: [SharedFD]
    ) async throws(BuildFailure) -> [UInt8] {
        try await BuildThread.run { _ throws(BuildFailure) in
            guard recipe.context == .archive else { return try bytes(of: descriptors.last!, recipe.file) }
            return try entry(recipe.file, of: descriptors[0])
        }
    }

    /// Removes what was unpacked.
    package func end() async { if let temporary { await WorkDirectory.remove(temporary) } }

    // A directory.

    private static func tree(_ root: SharedFD, _ recipe: BuildRecipe) throws(BuildFailure) -> SourceTree {
        let status = try building { () throws(SystemError) in try Files.status(of: root.raw, name: title) }
        guard status.kind == .directory else { throw BuildFailure(.badRequest, "\(title) is no directory") }
        return SourceTree(root, rules: try rules(root, recipe), title: title, keepsOwners: false)
    }

    private static func rules(_ root: SharedFD, _ recipe: BuildRecipe) throws(BuildFailure) -> IgnoreRules {
        for name in [recipe.ignoreFile, ".dockerignore"].compactMap({ $0 }) {
            guard let bytes = try file(name, in: root, limit: ignoreBytes) else { continue }
            do throws(IgnoreRules.Failure) { return try IgnoreRules(parsing: bytes) } catch { throw BuildFailure(error) }
        }
        return IgnoreRules()
    }

    /// A file of the context; nil: there is none.
    private static func file(_ path: String, in root: SharedFD, limit: Int) throws(BuildFailure) -> [UInt8]? {
        do throws(SystemError) {
            // O_NONBLOCK: what has this name may be a pipe.
            let fd = try PathResolution.open(path, inRoot: root.raw, flags: O_RDONLY | O_NONBLOCK)
            guard try Files.status(of: fd.raw, name: path).kind == .regular else {
                throw SystemError("read", path, code: .invalid, advice: "It is no regular file.")
            }
            return try Files.readAll(from: fd.raw, limit: limit, name: path)
        } catch {
            guard error.code == .noEntry else { throw BuildFailure(error) }
            return nil
        }
    }

    private static func bytes(of file: SharedFD, _ name: String) throws(BuildFailure) -> [UInt8] {
        try building { () throws(SystemError) in
            guard try Files.status(of: file.raw, name: name).kind == .regular else {
                throw SystemError("read", name, code: .invalid, advice: "It is no regular file.")
            }
            return try Files.readAll(from: file.raw, limit: Dockerfile.sizeLimit, name: name)
        }
    }

    // An archive.

    private static func source(_ file: SharedFD) throws(BuildFailure) -> DescriptorSource {
        try building { () throws(SystemError) in
            guard try Files.status(of: file.raw, name: title).kind == .regular else {
                throw SystemError("read", title, code: .invalid, advice: "An archive comes in a regular file.")
            }
            try Files.rewind(file.raw)
        }
        return DescriptorSource(file, name: title)
    }

    private static func unpack(
        _ file: SharedFD, _ recipe: BuildRecipe, to path: String, _ cancellation: Cancellation
    ) throws(BuildFailure) -> BuildInput {
        let source = try source(file)
        let root = try building { () throws(SystemError) in
            try Files.makeDirectory(path, mode: 0o700)
            return SharedFD(try Files.open(path, O_RDONLY | O_DIRECTORY))
        }
        do throws(ArchiveFailure) {
            _ = try LayerUnpacker.unpackBlocking(
                source, into: root, policy: .copy, limits: LocalArchive.limits, cancellation: cancellation)
        } catch {
            var failure = BuildFailure(error)
            failure.sentence = "\(title): \(failure.sentence)"
            throw failure
        }
        guard let dockerfile = try self.file(recipe.file, in: root, limit: Dockerfile.sizeLimit) else {
            throw missing(recipe.file)
        }
        return BuildInput(dockerfile: dockerfile, context: try tree(root, recipe), temporary: path)
    }

    private static func entry(_ name: String, of file: SharedFD) throws(BuildFailure) -> [UInt8] {
        let source = try source(file)
        var found: [UInt8]?
        do throws(ArchiveFailure) {
            let wanted = try EntryName(name)
            let reader = try TarReader(source, limits: LocalArchive.limits)
            while let entry = try reader.next() {
                guard entry.name == wanted, entry.kind == .file else { continue }
                guard entry.size <= Dockerfile.sizeLimit else {
                    throw ArchiveFailure(.tooLarge, entry: name, "a Dockerfile has at most \(Dockerfile.sizeLimit) bytes.")
                }
                var bytes = [UInt8](repeating: 0, count: entry.size)
                try reader.data { piece, offset throws(ArchiveFailure) in
                    bytes.replaceSubrange(offset..<(offset + piece.count), with: piece)
                }
                // Of two entries with one name the later one counts, as when they are unpacked.
                found = bytes
            }
        } catch { throw BuildFailure(error) }
        guard let found else { throw missing(name) }
        return found
    }

    private static func missing(_ name: String) -> BuildFailure {
        BuildFailure(.notFound, "\(title) has no file \(name): name the Dockerfile with --file")
    }
}
