internal import Glibc
internal import Images
internal import JSON
internal import Linux
internal import OCI

/// The bytes of a zip that become a function's code or a layer's content.
package struct CodePackage: Hashable, Sendable {
    package var zip: [UInt8]
    /// `CodeSha256`: SHA-256 as base64.
    package var digest: String

    init(zip: [UInt8]) {
        self.zip = zip
        // The digits of a digest are always pairs.
        digest = Base64.text(Hexadecimal.bytes(OCI.Digest(of: zip).hex)!)
    }
}

/// Reads code into zips. What Lambda bounds is bounded here first: what could only be refused is not sent.
///
/// Invariants
/// 1. A directory gives the same zip on any machine at any time, as long as names, modes and contents are the same.
///    (test: `a directory gives the same zip in any order and at any time`)
/// 2. No link is followed; what is neither file, directory nor link is an error. (test: `links stay links`)
package enum CodePacking {
    /// Of all files unpacked, as Lambda has it.
    static let unpackedLimit = 250 << 20
    /// Of a zip that is sent with a request.
    static let zipLimit = 50 << 20
    static let depthLimit = 64

    /// Reads a directory (packed), a zip (as it is) or a file (packed alone), which takes a while: on a thread that
    /// may block.
    package static func read(_ path: String) throws(CodeFailure) -> CodePackage {
        let kind = try at(path) { () throws(SystemError) in try Files.status(path).kind }
        switch kind {
        case .directory: return try package(path) { writer throws(CodeFailure) in
            var run = PackingRun(writer: writer, left: unpackedLimit)
            let directory = try at(path) { () throws(SystemError) in try Files.open(path, O_RDONLY | O_DIRECTORY) }
            try run.contents(of: directory.raw, below: "", path, depth: 0)
            return run.writer
        }
        case .regular:
            let status = try at(path) { () throws(SystemError) in try Files.status(path) }
            let bytes = try at(path) { () throws(SystemError) in try Files.read(path, limit: unpackedLimit) }
            if isZip(bytes) { return try checked(CodePackage(zip: bytes), path) }
            let name = path.split(separator: "/").last.map(String.init) ?? path
            return try package(path) { writer throws(CodeFailure) in
                var writer = writer
                try put(&writer, name, mode: status.zipMode, bytes, path)
                return writer
            }
        default: throw CodeFailure(path, "it is neither a directory, nor a zip, nor a file")
        }
    }

    /// One file with a text.
    package static func inline(name: String, text: String) throws(CodeFailure) -> CodePackage {
        try package(name) { writer throws(CodeFailure) in
            var writer = writer
            try put(&writer, name, mode: 0o100_644, Array(text.utf8), name)
            return writer
        }
    }

    private static func package(
        _ path: String, _ fill: (ZipWriter) throws(CodeFailure) -> ZipWriter
    ) throws(CodeFailure) -> CodePackage {
        try checked(CodePackage(zip: try fill(ZipWriter()).finish()), path)
    }

    private static func checked(_ package: CodePackage, _ path: String) throws(CodeFailure) -> CodePackage {
        guard package.zip.count <= zipLimit else {
            throw CodeFailure(
                path, "as a zip it has \(package.zip.count) bytes, and a request takes at most \(zipLimit): move what rarely changes into layers")
        }
        return package
    }

    private static func isZip(_ bytes: [UInt8]) -> Bool {
        bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) || bytes.starts(with: [0x50, 0x4B, 0x05, 0x06])
    }

    fileprivate static func put(
        _ writer: inout ZipWriter, _ name: String, mode: UInt32, _ bytes: [UInt8], _ path: String
    ) throws(CodeFailure) {
        do { try writer.add(name, mode: mode, contents: bytes) } catch { throw CodeFailure(path, error.sentence) }
    }

    fileprivate static func at<Value: ~Copyable>(
        _ path: String, _ body: () throws(SystemError) -> Value
    ) throws(CodeFailure) -> Value {
        do throws(SystemError) { return try body() } catch { throw CodeFailure(path, "\(error)") }
    }
}

/// A directory on its way into a zip.
private struct PackingRun {
    var writer: ZipWriter
    /// Bytes that may still come.
    var left: Int

    /// Everything in an open directory, in the order of the names' bytes.
    mutating func contents(of directory: CInt, below prefix: String, _ path: String, depth: Int) throws(CodeFailure) {
        guard depth < CodePacking.depthLimit else { throw CodeFailure(path, "directories are more than \(CodePacking.depthLimit) deep") }
        let names = try CodePacking.at(path) { () throws(SystemError) in try Files.list(directory, name: path) }
        for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            guard !name.unicodeScalars.contains("\u{FFFD}") else { throw CodeFailure("\(path)/\(name)", "its name is not UTF-8: rename it") }
            try entry(name, in: directory, prefix + name, "\(path)/\(name)", depth: depth)
        }
    }

    private mutating func entry(
        _ name: String, in directory: CInt, _ stored: String, _ path: String, depth: Int
    ) throws(CodeFailure) {
        let status = try CodePacking.at(path) { () throws(SystemError) in
            try Files.status(name, at: directory, followLinks: false)
        }
        switch status.kind {
        case .directory:
            try CodePacking.put(&writer, stored + "/", mode: status.zipMode, [], path)
            let child = try CodePacking.at(path) { () throws(SystemError) in
                try Files.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, at: directory)
            }
            try contents(of: child.raw, below: stored + "/", path, depth: depth + 1)
        case .regular:
            let bytes = try CodePacking.at(path) { () throws(SystemError) in
                let file = try Files.open(name, O_RDONLY | O_NOFOLLOW, at: directory)
                return try Files.readAll(from: file.raw, limit: CodePacking.unpackedLimit, name: path)
            }
            left -= bytes.count
            guard left >= 0 else {
                throw CodeFailure(path, "with it there are more than \(CodePacking.unpackedLimit) bytes, the most a function may have")
            }
            try CodePacking.put(&writer, stored, mode: status.zipMode, bytes, path)
        case .link:
            let target = try CodePacking.at(path) { () throws(SystemError) in try Files.link(name, at: directory) }
            try CodePacking.put(&writer, stored, mode: status.zipMode, Array(target.utf8), path)
        default: throw CodeFailure(path, "it is neither a file, nor a directory, nor a link: code has nothing else")
        }
    }
}

/// Code that could not be read or packed: which, and why.
package struct CodeFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package var path: String
    package var problem: String

    package init(_ path: String, _ problem: String) {
        self.path = path
        self.problem = problem
    }

    package var description: String { "the code at \(path): \(problem)" }
}

extension FileStatus {
    /// Type and permissions as a zip made on Unix has them: S_IFREG, S_IFDIR, S_IFLNK of inode(7).
    fileprivate var zipMode: UInt32 {
        switch kind {
        case .directory: 0o040_000 | permissions
        case .link: 0o120_000 | permissions
        default: 0o100_000 | permissions
        }
    }
}
