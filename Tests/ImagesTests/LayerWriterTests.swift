import Glibc
import Images
import Linux
import Synchronization
import TestKit
import Testing

/// Keeps what is written to it.
final class MemorySink: ByteSink {
    private let kept = Mutex<[UInt8]>([])
    var bytes: [UInt8] { kept.withLock { $0 } }

    func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveFailure) {
        let copy = Array(bytes)
        kept.withLock { $0 += copy }
    }
}

@Suite(.enabled(if: isRoot)) struct LayerWriterTests {
    private static func open(_ path: String) throws(SystemError) -> SharedFD {
        SharedFD(try Files.open(path, O_RDONLY | O_DIRECTORY))
    }

    private static func fill(_ directory: TemporaryDirectory, names: [String]) throws {
        for name in names { try directory.write("content of \(name)", to: name) }
        #expect(symlink("/etc/passwd", directory.path("link")) == 0)
        let root = try open(directory.path)
        try FileEntries.link("b", at: root.raw, to: "z-hard", at: root.raw)
        let fd = try Files.open(directory.path("b"), O_RDONLY)
        try ExtendedAttributes.set("user.note", Array("x".utf8), of: fd.raw, file: "b")
        for name in ["b", "a", "d/one", "d", "link", String(repeating: "é", count: 80), "z-hard"] {
            try FileEntries.setTime(FileTime(seconds: 1_500_000_000, nanoseconds: 5), of: name, at: root.raw)
        }
    }

    @Test(arguments: [Compression.none, .gzip])
    func `a directory gives the same bytes in any order and at any time`(compression: Compression) throws {
        let names = ["a", "b", "d/one", String(repeating: "é", count: 80)]
        let options = LayerWriter.Options(form: .overlayUpper, compression: compression)
        var written: [(layer: WrittenLayer, bytes: [UInt8])] = []
        for order in [names, names.reversed()] {
            let directory = try TemporaryDirectory("writer")
            try Self.fill(directory, names: order)
            let sink = MemorySink()
            let layer = try LayerWriter.writeBlocking(Self.open(directory.path), to: sink, options: options)
            written.append((layer, sink.bytes))
        }
        #expect(written[0].bytes == written[1].bytes)
        #expect(written[0].layer == written[1].layer)
        #expect(written[0].layer.entries == 7)
        let reader = try TarReader(MemorySource(written[0].bytes))
        while try reader.next() != nil {}
        #expect(try reader.finish() == written[0].layer.totals)
    }

    @Test func `GNU tar lists what was written as it was`() async throws {
        let directory = try TemporaryDirectory("writer")
        try Self.fill(directory, names: ["a", "b", "d/one", String(repeating: "é", count: 80)])
        let root = try Self.open(directory.path)
        try FileEntries.setOwner(3_000_000_000, 5_000_000, of: "a", at: root.raw)
        let sink = MemorySink()
        _ = try LayerWriter.writeBlocking(root, to: sink, options: .init(form: .plain, compression: .none))
        let out = try TemporaryDirectory("writer")
        let run = try await CommandRunner.run(
            ["tar", "-x", "--numeric-owner", "--xattrs", "-C", out.path], input: sink.bytes)
        #expect(run.status.isSuccess, "\(String(decoding: run.errors, as: UTF8.self))")
        let again = MemorySink()
        _ = try LayerWriter.writeBlocking(Self.open(out.path), to: again, options: .init(form: .plain, compression: .none))
        #expect(again.bytes == sink.bytes)
    }

    @Test func `times after SOURCE_DATE_EPOCH are written as that`() throws {
        let directory = try TemporaryDirectory("writer")
        try directory.write("x", to: "new")
        try directory.write("x", to: "old")
        let root = try Self.open(directory.path)
        try FileEntries.setTime(FileTime(seconds: 100), of: "old", at: root.raw)
        var options = LayerWriter.Options(form: .plain, compression: .none)
        options.latest = FileTime(seconds: 1_000)
        let sink = MemorySink()
        _ = try LayerWriter.writeBlocking(root, to: sink, options: options)
        let reader = try TarReader(MemorySource(sink.bytes))
        var times: [Int] = []
        while let entry = try reader.next() { times.append(entry.modified.seconds) }
        #expect(times == [1_000, 100])
    }

    @Test func `an upper directory goes through a layer and back`() throws {
        let place = try UnpackingPlace()
        let first = TestArchive {
            $0.file("etc/.wh.gone", "")
            $0.directory("opaque")
            $0.file("opaque/.wh..wh..opq", "")
            $0.file("opaque/new")
        }
        try place.unpack(first)
        let sink = MemorySink()
        let layer = try LayerWriter.writeBlocking(place.root, to: sink)
        #expect(layer.totals.compression == .gzip)
        let again = try UnpackingPlace()
        _ = try LayerUnpacker.unpackBlocking(MemorySource(sink.bytes), into: again.root)
        #expect(try again.status("etc/gone").file.kind == .characterDevice)
        #expect(try again.attribute("trusted.overlay.opaque", of: "opaque") == [UInt8(ascii: "y")])
        let second = MemorySink()
        #expect(try LayerWriter.writeBlocking(again.root, to: second).totals == layer.totals)
    }

    @Test func `directories that were renamed below an overlay are an error`() throws {
        let directory = try TemporaryDirectory("writer")
        try Files.makeDirectory(directory.path("d"))
        let fd = try Files.open(directory.path("d"), O_RDONLY)
        try ExtendedAttributes.set("trusted.overlay.redirect", Array("/old".utf8), of: fd.raw, file: "d")
        let error = #expect(throws: ArchiveFailure.self) {
            try LayerWriter.writeBlocking(Self.open(directory.path), to: MemorySink())
        }
        #expect(error?.entry == "d")
    }

    @Test func `changes of an upper directory are those of docker diff`() throws {
        let lowest = try UnpackingPlace()
        try lowest.unpack(
            TestArchive {
                $0.file("etc/kept"); $0.file("etc/gone"); $0.file("opaque/old"); $0.file("opaque/both"); $0.file("hidden")
            })
        let middle = try UnpackingPlace()
        try middle.unpack(TestArchive { $0.file(".wh.hidden", ""); $0.file("etc/middle") })
        let upper = try UnpackingPlace()
        try upper.unpack(
            TestArchive {
                $0.file("etc/kept", "changed"); $0.file("etc/new"); $0.file("etc/.wh.gone", "")
                $0.file("etc/.wh.never", ""); $0.directory("opaque"); $0.file("opaque/.wh..wh..opq", "")
                $0.file("opaque/both"); $0.file("hidden")
            })
        let changes = try LayerDiff.changesBlocking(upper: upper.root, lower: [middle.root, lowest.root])
        #expect(
            changes.map { "\($0.kind.rawValue) \($0.path)" } == [
                "C /etc", "D /etc/gone", "C /etc/kept", "A /etc/new", "A /hidden", "C /opaque", "D /opaque/old",
                "A /opaque/both",
            ])
    }
}
