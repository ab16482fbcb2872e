import Engine
import Glibc
import Linux

/// What the command line sends for a build: the context by descriptor, and the Dockerfile.
///
/// The node resolves every path of the Dockerfile below the directory that is opened here; the command line reads
/// nothing but the Dockerfile.
struct BuildContext: Sendable {
    var kind: BuildRecipe.Context
    /// For messages, and of an archive the Dockerfile's path.
    var file: String
    var ignoreFile: String?
    var descriptors: [SharedFD]

    /// Bytes of a Dockerfile.
    private static let fileLimit = 1 << 20

    /// - Parameters:
    ///   - path: A directory, or "-" for standard input: a tar archive, or a Dockerfile alone.
    ///   - file: `--file`; "-" is standard input.
    static func open(_ path: String, file: String?) throws -> BuildContext {
        if path == "-" {
            guard file != "-" else {
                throw CommandFailure("--file -: standard input is the context already; it cannot be the Dockerfile, too")
            }
            return try standardInput(file)
        }
        guard !path.contains("://") else {
            throw CommandFailure("\(path): a context is a directory of this machine or \"-\"; fetch it first")
        }
        let directory: SharedFD
        do { directory = SharedFD(try Files.open(path, O_RDONLY | O_DIRECTORY)) } catch {
            throw CommandFailure("the context: \(error)")
        }
        let name = file ?? joined(path, "Dockerfile")
        let bytes: [UInt8]
        do {
            bytes = try file == "-" ? Files.readAll(0, limit: fileLimit, name: "standard input") : read(name)
        } catch {
            throw CommandFailure("the Dockerfile: \(error)\(file == nil ? "; name another one with --file" : "")")
        }
        let dockerfile = SharedFD(try Files.sealedMemory(named: "Dockerfile", bytes))
        return BuildContext(
            kind: .directory, file: file == "-" ? "Dockerfile" : name,
            ignoreFile: file.flatMap { ignoreFile(of: $0, in: path) }, descriptors: [directory, dockerfile])
    }

    private static func read(_ path: String) throws(SystemError) -> [UInt8] {
        // O_NONBLOCK: a pipe of this name must not keep us waiting for a writer. What is no regular file is refused.
        let fd = try Files.open(path, O_RDONLY | O_NONBLOCK)
        guard try Files.status(of: fd.raw, name: path).kind == .regular else {
            throw SystemError("read", path, code: .invalid, advice: "It is no regular file.")
        }
        return try Files.readAll(from: fd.raw, limit: fileLimit, name: path)
    }

    private static func joined(_ directory: String, _ name: String) -> String {
        directory == "." ? name : directory.hasSuffix("/") ? directory + name : directory + "/" + name
    }

    /// `NAME.dockerignore` beside a Dockerfile of the context, relative to it.
    private static func ignoreFile(of file: String, in directory: String) -> String? {
        guard file != "-", let here = OwnProcess.workingDirectory() else { return nil }
        func parts(_ path: String) -> [Substring] {
            var parts: [Substring] = []
            for part in (path.hasPrefix("/") ? path : here + "/" + path).split(separator: "/") where part != "." {
                if part == ".." { _ = parts.popLast() } else { parts.append(part) }
            }
            return parts
        }
        let (root, dockerfile) = (parts(directory), parts(file))
        guard dockerfile.starts(with: root), dockerfile.count > root.count else { return nil }
        return dockerfile.dropFirst(root.count).joined(separator: "/") + ".dockerignore"
    }

    // Standard input.

    /// The node reads from a file: a pipe that stalls would keep it waiting.
    private static func standardInput(_ file: String?) throws -> BuildContext {
        let copy = SharedFD(try temporaryFile())
        var head: [UInt8] = []
        var size = 0
        while true {
            let bytes = try Files.readSome(0, count: 128 << 10, name: "standard input")
            if bytes.isEmpty { break }
            if head.count < 512 { head += bytes.prefix(512 - head.count) }
            size += bytes.count
            try Files.writeAll(bytes, to: copy.raw, name: "a temporary file")
        }
        guard size > 0 else { throw CommandFailure("standard input is empty: it is to be a tar archive or a Dockerfile") }
        guard isArchive(head) else {
            guard file == nil else {
                throw CommandFailure("--file \(file!): standard input is no tar archive that could have such a file in it")
            }
            return BuildContext(kind: .none, file: "Dockerfile", descriptors: [copy])
        }
        return BuildContext(
            kind: .archive, file: file ?? "Dockerfile", ignoreFile: file.map { $0 + ".dockerignore" }, descriptors: [copy])
    }

    /// By its content: compressed, or with the mark of tar at its place (tar(5)).
    static func isArchive(_ head: [UInt8]) -> Bool {
        let marks: [[UInt8]] = [
            [0x1F, 0x8B], [0x28, 0xB5, 0x2F, 0xFD], [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], [0x42, 0x5A, 0x68],
        ]
        return marks.contains { head.starts(with: $0) } || head.dropFirst(257).starts(with: Array("ustar".utf8))
    }

    /// A file without a name (O_TMPFILE, open(2)); in memory where the file system has none.
    private static func temporaryFile() throws -> OwnedFD {
        let directory = OwnProcess.variable("TMPDIR").flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        if let fd = try? Files.open(directory, O_RDWR | 0o20200000) { return fd }
        return try Files.memory(named: "context")
    }
}
