internal import Glibc
package import Linux

/// Writes a directory as a tar archive: the upper directory of an overlay as a layer, or any tree as it is.
///
/// Invariants
/// 1. The archive depends on what is in the directory only: names are in the order of their bytes, times are whole
///    seconds, nothing of this machine is in it. (test: `a directory gives the same bytes in any order and at any time`)
/// 2. No link is followed: everything is opened by one name in an opened directory.
///    (test: `2023-0778: what is exported is opened by descriptor, links are written as links`)
/// 3. What overlayfs keeps in its own form and a layer cannot say is an error, not left out.
///    (test: `directories that were renamed below an overlay are an error`)
package enum LayerWriter {
    package struct Options: Sendable {
        package enum Form: Sendable {
            /// The directory is an overlay's upper one: its whiteouts become those of layers.
            case overlayUpper
            /// Everything is written as it is.
            case plain
        }

        package var form = Form.overlayUpper
        package var compression = Compression.gzip
        /// zlib's level.
        package var level: CInt = 6
        /// Times after this one are written as this one (SOURCE_DATE_EPOCH).
        package var latest: FileTime?
        /// Put before every name; "" for none, otherwise ending with "/".
        package var prefix = ""
        /// Whether what is mounted below the directory is left out (its place stays, empty).
        package var staysOnFileSystem = true

        package init() {}
        package init(form: Form, compression: Compression) {
            self.form = form
            self.compression = compression
        }
    }

    /// Writes everything below `directory`, which itself is no entry, on a thread of its own.
    package static func write(
        _ directory: SharedFD, to sink: any ByteSink, options: Options = Options()
    ) async throws(ArchiveFailure) -> WrittenLayer {
        try await OwnThreadWork.run("forkless-pack") { cancellation throws(ArchiveFailure) in
            try writeBlocking(directory, to: sink, options: options, cancellation: cancellation)
        }
    }

    /// The same on this thread, which must be one that may block.
    package static func writeBlocking(
        _ directory: SharedFD, to sink: any ByteSink, options: Options = Options(),
        cancellation: Cancellation = Cancellation()
    ) throws(ArchiveFailure) -> WrittenLayer {
        var run = try PackRun(sink, options, cancellation)
        let fd = try forEntry(".") { () throws(SystemError) in
            try Files.open(".", O_RDONLY | O_DIRECTORY, at: directory.raw)
        }
        run.device = try forEntry(".") { () throws(SystemError) in try Files.status(of: fd.raw) }.device
        try run.contents(of: fd.raw, path: "", depth: 0)
        return try run.finish()
    }
}

/// What was written.
package struct WrittenLayer: Hashable, Sendable {
    /// Digests and sizes: `diff` is the layer's diff id, `blob` that of the compressed bytes.
    package var totals = ArchiveTotals()
    package var entries = 0
    /// Sockets, which no archive can hold.
    package var socketsLeftOut = 0
}
