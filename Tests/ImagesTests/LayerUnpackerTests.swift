import Glibc
import Images
import Linux
import TestKit
import Testing

@Suite(.enabled(if: isRoot)) struct LayerUnpackerTests {
    @Test func `a layer comes out as it went in`() throws {
        let place = try UnpackingPlace()
        var script = TarRecord(name: "usr/bin/script")
        script.mode = 0o4751
        script.owner = 1000
        script.group = 70_000_000
        script.modified = FileTime(seconds: 1_000_000_000, nanoseconds: 123_456_789)
        script.attributes = [
            .init(name: "user.note", value: [0, 255, 10]), .init(name: "trusted.other", value: [1]),
        ]
        var old = TarRecord(name: "usr", kind: .directory)
        old.mode = 0o2775
        old.group = 50
        old.modified = FileTime(seconds: -86_400)
        let layer = try place.unpack(
            TestArchive {
                $0.directory("./")
                $0.add(old)
                $0.add(script, Array("#!/bin/sh\n".utf8))
                $0.file("usr/plain")
                $0.hardLink("usr/again", to: "usr/plain")
                $0.link("link", to: "../../etc/passwd")
                $0.add(TarRecord(name: "pipe", kind: .pipe))
            })
        #expect(layer.entries == 7)
        #expect(layer.attributesLeftOut == 1)
        let status = try place.status("usr/bin/script")
        #expect(status.file.permissions == 0o4751)
        #expect([status.file.owner, status.file.group] == [1000, 70_000_000])
        #expect(status.modified == script.modified)
        #expect(try place.attribute("user.note", of: "usr/bin/script") == [0, 255, 10])
        #expect(try place.status("usr").modified == old.modified)
        #expect(try place.status("usr").file.permissions == 0o2775)
        #expect(try place.status("usr/plain").file.group == 0)
        #expect(try place.status("usr/plain").file.inode == place.status("usr/again").file.inode)
        #expect(try Files.link(place.path("link")) == "../../etc/passwd")
        #expect(try place.status("pipe").file.kind == .pipe)
    }

    @Test func `whiteouts take overlayfs' form, wherever they stand`() throws {
        let place = try UnpackingPlace()
        try place.unpack(
            TestArchive {
                $0.file("etc/.wh.gone", "")
                $0.directory("opaque")
                $0.file("opaque/.wh..wh..opq", "")
                $0.file("opaque/new")
                $0.file(".wh.kept", "")
                $0.file("kept", "kept")
                $0.file("stays", "stays")
                $0.file(".wh.stays", "")
                $0.file(".wh.fresh", "")
                $0.directory("fresh")
                $0.directory("later")
                $0.file(".wh.later", "")
                $0.file(".wh..wh.plnk", "")
            })
        #expect(try place.status("etc/gone").file.kind == .characterDevice)
        #expect(try place.status("etc/gone").file.deviceNumber == 0)
        #expect(try place.attribute("trusted.overlay.opaque", of: "opaque") == [UInt8(ascii: "y")])
        #expect(try place.text("kept") == "kept")
        #expect(try place.text("stays") == "stays")
        for name in ["fresh", "later"] {
            #expect(try place.attribute("trusted.overlay.opaque", of: name) == [UInt8(ascii: "y")], "\(name)")
        }
        #expect(try !Files.list(place.root.raw).contains { $0.hasPrefix(".wh.") })
    }

    @Test func `a later entry takes the place of an earlier one`() throws {
        let place = try UnpackingPlace()
        try place.unpack(
            TestArchive {
                $0.directory("a"); $0.file("a/in"); $0.file("a", "file now")
                $0.file("b"); $0.directory("b"); $0.file("b/in", "in")
                $0.file("c", "long text"); $0.file("c", "short")
            })
        #expect(try place.text("a") == "file now")
        #expect(try place.text("b/in") == "in")
        #expect(try place.text("c") == "short")
        let copy = try UnpackingPlace()
        try copy.directory.write("kept", to: "root/d/kept")
        #expect(throws: ArchiveFailure.self) { try copy.unpack(TestArchive { $0.file("d") }, policy: .copy) }
        #expect(try copy.text("d/kept") == "kept")
    }

    @Test func `the policy decides on owners and privileges`() throws {
        let place = try UnpackingPlace()
        var policy = UnpackPolicy.copy
        policy.owners = .fixed(7, 8)
        policy.keepsPrivileges = false
        try Files.makeDirectory(place.path("below"))
        try place.unpack(
            TestArchive { $0.file("su", mode: 0o6755); $0.directory("tmp", mode: 0o1777); $0.file(".wh.x", "plain") },
            policy: policy, base: "below")
        #expect(try place.status("below/su").file.permissions == 0o755)
        #expect(try place.status("below/tmp").file.permissions == 0o1777)
        #expect(try place.status("below/su").file.owner == 7)
        #expect(try place.status("below/tmp").file.group == 8)
        #expect(try place.text("below/.wh.x") == "plain")
    }

    @Test func `names keep their bytes, composed or not`() throws {
        let place = try UnpackingPlace()
        let names = ["composed-\u{e9}", "decomposed-e\u{301}", String(repeating: "long-e\u{301}-", count: 20), "日本"]
        try place.unpack(TestArchive { archive in for name in names { archive.file(name) } })
        let found = try Files.list(place.root.raw).map { Array($0.utf8) }
        #expect(Set(found) == Set(names.map { Array($0.utf8) }))
    }

    @Test func `directories whose names differ only in how they are composed are two`() throws {
        let place = try UnpackingPlace()
        try place.unpack(
            TestArchive { archive in
                archive.file("\u{e9}/a", "composed")
                archive.file("e\u{301}/a", "decomposed")
                archive.hardLink("\u{e9}/b", to: "e\u{301}/a")
            })
        #expect(try place.text("\u{e9}/a") == "composed")
        #expect(try place.text("\u{e9}/b") == "decomposed")
        #expect(try Files.list(place.root.raw).count == 2)
    }

    @Test(arguments: ["0.0", "0.1", "1.0", "gnu"])
    func `sparse files keep their holes`(version: String) async throws {
        let place = try UnpackingPlace()
        let file = try Files.open(place.directory.path("sparse"), O_RDWR | O_CREAT, mode: 0o644)
        for offset in [0, 40 << 20, 80 << 20] {
            try [UInt8](repeating: 7, count: 5000).withUnsafeBytes {
                try FileEntries.write($0, to: file.raw, at: offset, name: "sparse")
            }
        }
        try Files.shorten(file.raw, to: 100 << 20)
        let format = version == "gnu" ? ["--format=gnu"] : ["--format=pax", "--sparse-version=\(version)"]
        let packed = try await CommandRunner.run(
            ["tar", "-S", "-c"] + format + ["-C", place.directory.path, "sparse"])
        #expect(packed.status.isSuccess)
        #expect(packed.output.count < 1 << 20)
        _ = try LayerUnpacker.unpackBlocking(MemorySource(packed.output), into: place.root)
        let compared = try await CommandRunner.run(["cmp", place.directory.path("sparse"), place.path("sparse")])
        #expect(compared.status.isSuccess)
        let used = try await CommandRunner.run(["du", "-k", place.path("sparse")])
        #expect(try #require(Int(used.text.split(separator: "\t")[0])) < 1024)
        #expect(unlink(place.directory.path("sparse")) == 0)
    }

    @Test func `the times of many directories are set, too`() throws {
        let place = try UnpackingPlace()
        var record = TarRecord(name: "", kind: .directory)
        record.modified = FileTime(seconds: 1_234_567_890)
        let long = String(repeating: "x", count: 240)
        let archive = TestArchive { archive in
            for number in 0..<5000 {
                record.name = "\(number)\(long)"
                archive.add(record)
                if number % 100 == 0 { archive.file("\(number)\(long)/in") }
            }
        }
        try place.unpack(archive)
        for number in [0, 100, 4200, 4999] {
            #expect(try place.status("\(number)\(long)").modified == record.modified, "\(number)")
        }
        #expect(try Files.list(place.root.raw).count == 5000)
    }

    @Test func `unpacking can be cancelled and leaves no descriptor`() async throws {
        let before = await Census.take(Census.Scope(only: [.descriptor]))
        do {
            let place = try UnpackingPlace()
            var pipe = try Files.pipe()
            let source = DescriptorSource(SharedFD(pipe.takeReader()))
            let writer = pipe.takeWriter()
            let root = place.root
            let unpacking = Task { try await LayerUnpacker.unpack(source, into: root) }
            unpacking.cancel()
            try Files.writeAll(TestArchive { $0.file("a"); $0.file("b") }.ended, to: writer.raw)
            writer.close()
            let result = await unpacking.result
            let error = #expect(throws: ArchiveFailure.self) { try result.get() }
            #expect(error?.reason == .cancelled)
        }
        #expect(await Census.settled(since: before) == [])
    }
}
