package import Linux

/// Unpacks tar archives below a directory that is given by descriptor.
///
/// Invariants
/// 1. Nothing outside of the directory is read, made, changed or removed, whatever the archive holds and whoever
///    changes the tree meanwhile. (tests: the CVE rows in HostileArchiveTests)
/// 2. Memory does not grow with the archive. (test: `CVE-2026-47262: gigabytes of zeros from kilobytes end early and in little memory`)
/// 3. A failure leaves what was made until then; whoever called removes the directory.
package enum LayerUnpacker {
    /// Unpacks on a thread of its own.
    ///
    /// - Parameters:
    ///   - root: The "/" of every name and symbolic link.
    ///   - base: Where below `root` the archive's names begin. It must exist.
    /// - Throws: `ArchiveFailure`, `.cancelled` when the task was.
    package static func unpack(
        _ source: any ByteSource, into root: SharedFD, base: String = "", policy: UnpackPolicy = .layer,
        limits: ArchiveLimits = .standard
    ) async throws(ArchiveFailure) -> UnpackedLayer {
        try await OwnThreadWork.run("forkless-unpack") { cancellation throws(ArchiveFailure) in
            try unpackBlocking(
                source, into: root, base: base, policy: policy, limits: limits, cancellation: cancellation)
        }
    }

    /// Unpacks on this thread, which must be one that may block.
    package static func unpackBlocking(
        _ source: any ByteSource, into root: SharedFD, base: String = "", policy: UnpackPolicy = .layer,
        limits: ArchiveLimits = .standard, cancellation: Cancellation = Cancellation()
    ) throws(ArchiveFailure) -> UnpackedLayer {
        let reader = try TarReader(source, limits: limits, readAhead: true)
        var run = try UnpackRun(root: root, base: base, policy: policy)
        while let entry = try reader.next() {
            guard !cancellation.isRequested else { throw ArchiveFailure(.cancelled, "unpacking it was cancelled.") }
            try run.make(entry, reader)
        }
        try run.finish()
        run.result.totals = try reader.finish()
        run.result.entries = reader.entries
        return run.result
    }
}
