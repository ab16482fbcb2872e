import Glibc
import Images
import Linux
import TestKit
import Testing

@Suite(.enabled(if: isRoot)) struct TarCopyTests {
    @Test func `a directory is copied out and in`() throws {
        let place = try UnpackingPlace()
        try place.unpack(TestArchive { $0.file("d/e/file", "text"); $0.link("d/link", to: "e/file"); $0.directory("to") })
        let sink = MemorySink()
        let written = try TarCopy.readBlocking("/d/e", below: place.root, to: sink)
        #expect(written.entries == 2)
        _ = try TarCopy.writeBlocking(MemorySource(sink.bytes), into: "/to", below: place.root)
        #expect(try place.text("to/e/file") == "text")
        for path in ["/nowhere", "/d/e/file"] {
            #expect(throws: ArchiveFailure.self) {
                try TarCopy.writeBlocking(MemorySource(sink.bytes), into: path, below: place.root)
            }
        }
        #expect(throws: ArchiveFailure.self) { try TarCopy.readBlocking("../outside", below: place.root, to: sink) }
    }

    @Test func `CVE-2026-41567, CVE-2019-14271: a copy runs and loads nothing of the container`() async throws {
        let place = try UnpackingPlace()
        let marker = place.directory.path("outside/marker")
        for name in ["gzip", "unpigz", "xz", "zstd", "tar", "sh"] {
            for directory in ["bin", "usr/bin"] {
                try place.directory.write("#!/bin/sh\ntouch \(marker)\n", to: "root/\(directory)/\(name)", mode: 0o755)
            }
        }
        try place.directory.write("no library", to: "root/lib/x86_64-linux-gnu/libnss_files.so.2", mode: 0o755)
        try place.directory.write("passwd: evil", to: "root/etc/nsswitch.conf")
        let packed = try await CommandRunner.run(["gzip", "-c"], input: TestArchive { $0.file("new", "text") }.ended).output
        _ = try TarCopy.writeBlocking(MemorySource(packed), into: "/", below: place.root)
        #expect(try place.text("new") == "text")
        _ = try TarCopy.readBlocking("/bin", below: place.root, to: MemorySink())
        #expect(place.outsideIsUntouched)
    }

    @Test func `CVE-2018-15664, CVE-2019-18466, CVE-2019-10152: a copy while somebody swaps a directory for a link reaches nothing outside`() throws {
        let place = try UnpackingPlace()
        try place.directory.write("inside", to: "root/d/secret")
        let thread = try OwnThreadSwap(Swapper(place.path("d"), link: place.directory.path("outside")))
        let archive = TestArchive { $0.file("secret", "replaced", mode: 0o666) }
        for _ in 0..<2000 {
            let sink = MemorySink()
            _ = try? TarCopy.readBlocking("d/secret", below: place.root, to: sink)
            #expect(!Self.holdsOutside(sink.bytes))
            _ = try? TarCopy.writeBlocking(archive.source, into: "d", below: place.root)
        }
        thread.stop()
        #expect(place.outsideIsUntouched)
    }

    @Test func `CVE-2021-41089: a copy into a link changes no modes of the machine`() throws {
        let place = try UnpackingPlace()
        #expect(symlink(place.directory.path("outside"), place.path("d")) == 0)
        let archive = TestArchive { $0.directory("./", mode: 0o777); $0.directory("d", mode: 0o777) }
        #expect(throws: ArchiveFailure.self) {
            try TarCopy.writeBlocking(archive.source, into: "d", below: place.root)
        }
        #expect(place.outsideIsUntouched)
        let modes = try Files.status(place.directory.path("outside")).permissions
        _ = try? TarCopy.writeBlocking(archive.source, into: "/", below: place.root)
        #expect(try Files.status(place.directory.path("outside")).permissions == modes)
        #expect(place.outsideIsUntouched)
    }

    @Test func `2023-0778: what is exported is opened by descriptor, links are written as links`() throws {
        let place = try UnpackingPlace()
        #expect(symlink(place.directory.path("outside"), place.path("d")) == 0)
        let sink = MemorySink()
        _ = try TarCopy.readBlocking("/", below: place.root, to: sink)
        let reader = try TarReader(MemorySource(sink.bytes))
        let entry = try #require(try reader.next())
        #expect(entry.kind == .symbolicLink(target: place.directory.path("outside")))
        #expect(try reader.next() == nil)
        #expect(throws: ArchiveFailure.self) { try TarCopy.readBlocking("d/secret", below: place.root, to: sink) }
    }

    /// The file outside holds "secret", the one inside "inside" or "replaced".
    private static func holdsOutside(_ archive: [UInt8]) -> Bool {
        guard archive.count > 518 else { return false }
        return Array(archive[512..<518]) == Array("secret".utf8)
    }
}
