import Glibc
import Images
import Linux
import TestKit

/// A tar archive made by hand, so that it can hold what no tool would write.
struct TestArchive {
    var bytes: [UInt8] = []

    mutating func add(_ record: TarRecord, _ content: [UInt8] = []) {
        var record = record
        if record.kind == .file { record.size = content.count }
        bytes += record.header + content + record.padding
    }

    mutating func file(_ name: String, _ text: String = "text", mode: UInt32 = 0o644) {
        var record = TarRecord(name: name)
        record.mode = mode
        add(record, Array(text.utf8))
    }

    mutating func directory(_ name: String, mode: UInt32 = 0o755) {
        var record = TarRecord(name: name, kind: .directory)
        record.mode = mode
        add(record)
    }

    mutating func link(_ name: String, to target: String) {
        add(TarRecord(name: name, kind: .symbolicLink(target: target)))
    }

    mutating func hardLink(_ name: String, to target: String) {
        add(TarRecord(name: name, kind: .hardLink(target: target)))
    }

    var ended: [UInt8] { bytes + TarRecord.end }
    var source: MemorySource { MemorySource(ended) }

    init(_ fill: (inout TestArchive) -> Void = { _ in }) { fill(&self) }
}

/// A directory to unpack into, beside things that nothing may touch.
struct UnpackingPlace {
    let directory: TemporaryDirectory
    let root: SharedFD
    private let outside: String

    init() throws {
        directory = try TemporaryDirectory("unpack")
        try directory.write("secret", to: "outside/secret", mode: 0o600)
        try Files.makeDirectory(directory.path("root"))
        root = SharedFD(try Files.open(directory.path("root"), O_RDONLY | O_DIRECTORY))
        outside = try Self.picture(directory.path("outside"))
    }

    func path(_ name: String) -> String { directory.path("root/" + name) }

    @discardableResult
    func unpack(
        _ archive: TestArchive, policy: UnpackPolicy = .layer, limits: ArchiveLimits = .standard, base: String = ""
    ) throws(ArchiveFailure) -> UnpackedLayer {
        try LayerUnpacker.unpackBlocking(archive.source, into: root, base: base, policy: policy, limits: limits)
    }

    func text(_ name: String) throws -> String {
        String(decoding: try Files.read(path(name)), as: UTF8.self)
    }

    func status(_ name: String) throws -> EntryStatus {
        try FileEntries.status(name, at: root.raw)
    }

    func attribute(_ attribute: String, of name: String) throws -> [UInt8]? {
        let fd = try Files.open(path(name), O_RDONLY)
        return try ExtendedAttributes.value(attribute, of: fd.raw, file: name)
    }

    /// Whether what lies beside the root is as it was.
    var outsideIsUntouched: Bool {
        (try? Files.list(directory.path).sorted()) == ["outside", "root"]
            && (try? Self.picture(directory.path("outside"))) == outside
    }

    private static func picture(_ path: String) throws(SystemError) -> String {
        let secret = try Files.open(path + "/secret", O_RDONLY)
        let status = try FileEntries.status(of: secret.raw)
        let bytes = try Files.readAll(secret.raw)
        let names = try Files.list(path).sorted()
        return "\(names) \(bytes) \(status.file.permissions) \(status.file.owner) \(status.links) \(status.modified)"
    }
}
