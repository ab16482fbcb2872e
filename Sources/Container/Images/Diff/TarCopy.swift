package import Linux
internal import Glibc

/// Copies between archives and a container's root, which somebody hostile may change meanwhile.
///
/// Invariants
/// 1. A path is resolved by the kernel with the root as its "/", once, and used by descriptor.
///    (test: `CVE-2018-15664, CVE-2019-18466, CVE-2019-10152: a copy while somebody swaps a directory for a link reaches nothing outside`)
/// 2. No program of the container runs, and nothing is loaded from it (CVE-2019-14271, CVE-2026-41567): compression
///    and tar are this process's own.
package enum TarCopy {
    /// Writes what is at `path` below `root` as a tar archive that begins with the last part of the path:
    /// a directory with everything in it, a link as a link. The root itself is written without a name of its own.
    ///
    /// The parent's path is followed through links, inside of the root; the last part is not.
    package static func read(
        _ path: String, below root: SharedFD, to sink: any ByteSink
    ) async throws(ArchiveFailure) -> WrittenLayer {
        try await OwnThreadWork.run("forkless-copy") { cancellation throws(ArchiveFailure) in
            try readBlocking(path, below: root, to: sink, cancellation: cancellation)
        }
    }

    /// The same on this thread, which must be one that may block.
    package static func readBlocking(
        _ path: String, below root: SharedFD, to sink: any ByteSink, cancellation: Cancellation = Cancellation()
    ) throws(ArchiveFailure) -> WrittenLayer {
        let parts = path.split(separator: "/").filter { $0 != "." }
        guard !parts.contains("..") else { throw ArchiveFailure(.refused, entry: path, "leave out \"..\".") }
        var options = LayerWriter.Options(form: .plain, compression: .none)
        guard let last = parts.last else {
            options.staysOnFileSystem = true
            return try LayerWriter.writeBlocking(root, to: sink, options: options, cancellation: cancellation)
        }
        let parentPath = parts.dropLast().joined(separator: "/")
        let parent = try forEntry(path) { () throws(SystemError) in
            try PathResolution.open(
                parentPath.isEmpty ? "." : parentPath, inRoot: root.raw, flags: O_RDONLY | O_DIRECTORY)
        }
        // What is mounted there is part of what the user sees at that path.
        options.staysOnFileSystem = false
        var run = try PackRun(sink, options, cancellation)
        try run.entry(String(last), in: parent.raw, path: String(last), depth: 0)
        return try run.finish()
    }

    /// Unpacks an archive into the directory `path` below `root`, which must exist.
    package static func write(
        _ source: any ByteSource, into path: String, below root: SharedFD, policy: UnpackPolicy = .copy,
        limits: ArchiveLimits = .standard
    ) async throws(ArchiveFailure) -> UnpackedLayer {
        try await OwnThreadWork.run("forkless-copy") { cancellation throws(ArchiveFailure) in
            try writeBlocking(source, into: path, below: root, policy: policy, limits: limits, cancellation: cancellation)
        }
    }

    /// The same on this thread, which must be one that may block.
    package static func writeBlocking(
        _ source: any ByteSource, into path: String, below root: SharedFD, policy: UnpackPolicy = .copy,
        limits: ArchiveLimits = .standard, cancellation: Cancellation = Cancellation()
    ) throws(ArchiveFailure) -> UnpackedLayer {
        let parts = path.split(separator: "/").filter { $0 != "." }
        guard !parts.contains("..") else { throw ArchiveFailure(.refused, entry: path, "leave out \"..\".") }
        let base = parts.joined(separator: "/")
        // Asked first, so that nothing is read for a directory that is not there.
        _ = try forEntry(path) { () throws(SystemError) in
            try PathResolution.open(base.isEmpty ? "." : base, inRoot: root.raw, flags: O_RDONLY | O_DIRECTORY)
        }
        return try LayerUnpacker.unpackBlocking(
            source, into: root, base: base, policy: policy, limits: limits, cancellation: cancellation)
    }
}
