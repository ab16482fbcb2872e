import Glibc
import Linux

/// Where a verb writes an archive: a file of its own, or standard output unless that is a terminal.
enum ArchiveOutput {
    /// Calls `body` with the descriptor. A file gets its name once everything is in it: a failure leaves the one that
    /// was there before.
    static func write(to path: String?, what: String, _ body: (CInt) async throws -> Void) async throws {
        guard let path else {
            guard !Terminal.isTerminal(StandardStreams.output) else {
                throw FlagError("--output", nil, "\(what) is nothing for a terminal", advice: "Name a file with -o, or redirect the output.")
            }
            return try await body(StandardStreams.output)
        }
        // A device or a pipe stays what it is; nothing is put in its place.
        if let kind = try? Files.status(path).kind, kind != .regular {
            guard kind != .directory else { throw FlagError("--output", path, "it is a directory") }
            let file = SharedFD(try Files.open(path, O_WRONLY))
            try await body(file.raw)
            return withExtendedLifetime(file) {}
        }
        let temporary = "\(path).forkless-\(OwnProcess.pid)"
        let file = SharedFD(try Files.open(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600))
        do {
            try await body(file.raw)
            try Files.synchronize(file.raw, name: path)
            try Files.rename(temporary, to: path)
        } catch {
            try? Files.remove(temporary)
            throw error
        }
    }
}

/// Where a verb reads an archive from.
enum ArchiveInput {
    /// Calls `body` with the descriptor of a file, or of standard input for nil and "-".
    static func read<Value>(
        from path: String?, flag: String, _ body: (CInt) async throws -> Value
    ) async throws -> Value {
        guard let path, path != "-" else {
            guard !Terminal.isTerminal(StandardStreams.input) else {
                throw FlagError(flag, nil, "an archive is nothing to be typed", advice: "Name a file, or redirect the input.")
            }
            return try await body(StandardStreams.input)
        }
        let file = SharedFD(try Files.open(path, O_RDONLY))
        defer { withExtendedLifetime(file) {} }
        return try await body(file.raw)
    }
}
