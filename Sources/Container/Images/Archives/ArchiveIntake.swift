internal import Linux
internal import OCI

/// The files of an image archive (an OCI layout or a docker-archive as a tar), taken in as they come: large ones into
/// the store, small ones into memory until somebody asks for them. An archive may come through a pipe, with its table
/// of contents last.
///
/// Invariants (each with a test in ImageArchiveTests):
/// 1. Memory is bounded, whatever the archive holds.
///    (`CVE-2023-25153: an archive of endless documents is refused in little memory`)
/// 2. A file whose path is its digest has that digest.
/// 3. Nothing is written by a name of the archive: its paths are keys here.
///    (`CVE-2026-20613: an image archive whose names lead out is refused`)
struct ArchiveIntake {
    enum Part {
        case bytes([UInt8])
        case blob(Digest, size: Int, head: [UInt8])
    }

    /// Files of up to this size wait in memory: documents, and the bookkeeping of old formats that nobody asks for.
    static let smallBytes = 256 << 10
    /// Bytes that wait in memory altogether; what comes after that goes to the disk.
    static let memoryBytes = 32 << 20
    /// Files in an archive: each layer is one, and in old formats three.
    static let fileLimit = 20_000

    private let store: ImageStore
    private let lease: ImageLease
    private var parts: [String: Part] = [:]
    private var links: [String: String] = [:]
    private var inMemory = 0

    init(_ store: ImageStore, _ lease: ImageLease) {
        self.store = store
        self.lease = lease
    }

    /// Takes in everything up to the end of the archive, which may be compressed. Blocks.
    mutating func read(_ source: any ByteSource, _ cancellation: Cancellation) throws(ImageFailure) {
        var limits = ArchiveLimits.standard
        limits.entries = Self.fileLimit
        // Sixteen times a layer's: an archive may hold many images.
        limits.bytes = 1 << 40
        do throws(ArchiveFailure) {
            let reader = try TarReader(source, limits: limits, readAhead: true)
            while let entry = try reader.next() {
                guard !cancellation.isRequested else { throw ArchiveFailure(.cancelled, "loading it was cancelled.") }
                try take(entry, reader)
            }
            _ = try reader.finish()
        } catch { throw ImageFailure(error) }
    }

    private mutating func take(_ entry: TarEntry, _ reader: TarReader) throws(ArchiveFailure) {
        let path = entry.name.path
        switch entry.kind {
        case .file:
            // Of two files of one name the last counts, as when it is unpacked.
            links[path] = nil
            parts[path] =
                entry.size <= Self.smallBytes && inMemory + entry.size <= Self.memoryBytes
                ? .bytes(try bytes(entry, reader)) : try blob(entry, reader)
        case .hardLink(let target): (parts[path], links[path]) = (nil, target.path)
        case .symbolicLink(let target):
            guard let target = Self.resolve(target, from: entry.name.parent) else {
                throw ArchiveFailure(.refused, entry: path, "it is a link that leads out of the archive.")
            }
            (parts[path], links[path]) = (nil, target)
        case .directory: break
        case .pipe, .device: throw ArchiveFailure(.refused, entry: path, "an image archive holds files and links only.")
        }
    }

    private mutating func bytes(_ entry: TarEntry, _ reader: TarReader) throws(ArchiveFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        try reader.data { piece, offset throws(ArchiveFailure) in
            try Self.checkContinuous(entry, bytes.count, offset)
            bytes += piece
        }
        try Self.checkContinuous(entry, bytes.count, entry.size)
        inMemory += bytes.count
        return bytes
    }

    private func blob(_ entry: TarEntry, _ reader: TarReader) throws(ArchiveFailure) -> Part {
        var head: [UInt8] = []
        let (store, lease) = (store, lease)
        let digest = try inArchive(entry) { () throws(ImageFailure) in
            let writer = try store.blobWriter(
                expected: Self.digest(of: entry.name.path), size: entry.size, lease: lease)
            var failure: ImageFailure?
            do throws(ArchiveFailure) {
                try reader.data { piece, offset throws(ArchiveFailure) in
                    try Self.checkContinuous(entry, writer.written, offset)
                    if head.count < 8 { head += piece.prefix(8) }
                    do throws(ImageFailure) { try writer.write(piece) } catch {
                        failure = error
                        throw ArchiveFailure(.refused, entry: entry.name.path, error.description)
                    }
                }
            } catch { throw failure ?? ImageFailure(error) }
            return try writer.finish().digest
        }
        return .blob(digest, size: entry.size, head: Array(head.prefix(8)))
    }

    private static func checkContinuous(_ entry: TarEntry, _ done: Int, _ offset: Int) throws(ArchiveFailure) {
        guard done == offset else {
            throw ArchiveFailure(.refused, entry: entry.name.path, "it is stored with holes, which no blob has.")
        }
    }

    /// The digest that a path of an OCI layout names.
    private static func digest(of path: String) -> Digest? {
        let parts = path.split(separator: "/")
        guard parts.count == 3, parts[0] == "blobs" else { return nil }
        return Digest("\(parts[1]):\(parts[2])")
    }

    /// A link's target as a path of the archive; nil when it leads out.
    static func resolve(_ target: String, from directory: String) -> String? {
        guard target.utf8.first != UInt8(ascii: "/") else { return nil }
        var parts = directory.split(separator: "/")
        for part in target.split(separator: "/") where part != "." {
            if part != ".." {
                parts.append(part)
            } else if parts.popLast() == nil {
                return nil
            }
        }
        return parts.joined(separator: "/")
    }

    // MARK: - What was taken in

    /// The file at a path, through links; nil when there is none.
    func part(_ path: String) -> Part? {
        var path = ArchiveIntake.resolve(path, from: "") ?? path
        for _ in 0..<8 {
            if let part = parts[path] { return part }
            guard let next = links[path] else { return nil }
            path = next
        }
        return nil
    }

    /// The bytes of a document; nil when there is none of this path. Blocks.
    func document(_ path: String, limit: Int) throws(ImageFailure) -> [UInt8]? {
        switch part(path) {
        case nil: return nil
        case .bytes(let bytes):
            guard bytes.count <= limit else { throw .wrongSize(nil, expected: limit, found: bytes.count) }
            return bytes
        case .blob(let digest, let size, _):
            guard size <= limit else {
                throw .unusable("\"\(path)\" of the archive has \(size) bytes; at most \(limit) are accepted")
            }
            return try store.read(blob: digest, limit: limit)
        }
    }

    /// Puts the file at a path into the store; with `expected` it must have that digest. nil when there is none.
    func blob(_ path: String, expected: Digest? = nil) throws(ImageFailure) -> (digest: Digest, size: Int, head: [UInt8])? {
        switch part(path) {
        case nil: return nil
        case .bytes(let bytes):
            let writer = try store.blobWriter(expected: expected, size: bytes.count, lease: lease)
            try writer.write(bytes)
            return (try writer.finish().digest, bytes.count, Array(bytes.prefix(8)))
        case .blob(let digest, let size, let head):
            if let expected, expected != digest { throw .wrongDigest(expected: expected, found: digest) }
            return (digest, size, head)
        }
    }
}

/// Runs work of the store within the reading of an archive.
func inArchive<Value>(_ entry: TarEntry, _ body: () throws(ImageFailure) -> Value) throws(ArchiveFailure) -> Value {
    do throws(ImageFailure) { return try body() } catch {
        if case .system(let error) = error { throw ArchiveFailure(error, entry: entry.name.path) }
        throw ArchiveFailure(.refused, entry: entry.name.path, error.description)
    }
}

extension BlobWriter {
    /// Appends bytes.
    func write(_ bytes: UnsafeRawBufferPointer) throws(ImageFailure) { try write([UInt8](bytes)[...]) }
}
