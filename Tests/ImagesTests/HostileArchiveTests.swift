import Glibc
import Images
import Linux
import TestKit
import Testing

/// The rows of vulnerabilities that other image stores had, one test each.
@Suite(.enabled(if: isRoot)) struct HostileArchiveTests {
    @Test(arguments: [
        "../x", "/abs", "a/../../x", "a/..", "..", String(repeating: "n", count: 5000), String(repeating: "n", count: 300),
        String(repeating: "d/", count: 600) + "x",
    ])
    func `CVE-2026-20613: names that lead out are refused`(name: String) throws {
        let place = try UnpackingPlace()
        let error = #expect(throws: ArchiveFailure.self) { try place.unpack(TestArchive { $0.file(name) }) }
        #expect(error?.reason == .refused)
        #expect(try Files.list(place.root.raw) == [])
        #expect(place.outsideIsUntouched)
    }

    @Test func `CVE-2026-20613: a name ends at a NUL and stays below the root`() throws {
        let place = try UnpackingPlace()
        _ = try? place.unpack(TestArchive { $0.file("a\0/../../x\u{e9}") })
        #expect(try Set(Files.list(place.root.raw)).isSubset(of: ["a"]))
        #expect(place.outsideIsUntouched)
    }

    @Test func `CVE-2025-47290: somebody who swaps directories for links while it is unpacked reaches nothing outside`()
        async throws
    {
        let place = try UnpackingPlace()
        let swapper = Swapper(place.path("d"), link: place.directory.path("outside"))
        let thread = try OwnThreadSwap(swapper)
        let archive = TestArchive { archive in
            for number in 0..<2000 {
                archive.directory("d")
                archive.file("d/secret", "replaced \(number)", mode: 0o666)
            }
        }
        // It may fail, as somebody destroys what it makes.
        for _ in 0..<5 { _ = try? place.unpack(archive) }
        thread.stop()
        #expect(place.outsideIsUntouched)
    }

    @Test(arguments: ["absolute", "up"])
    func `CVE-2021-32760: an entry never changes what a link leads to`(kind: String) throws {
        let place = try UnpackingPlace()
        let target = kind == "up" ? "../outside/secret" : place.directory.path("outside/secret")
        for policy in [UnpackPolicy.layer, .copy] {
            for final in ["file", "hard link", "directory", "pipe", "attributes"] {
                let archive = TestArchive { archive in
                    archive.link("a", to: target)
                    archive.file("b", "b", mode: 0o4777)
                    switch final {
                    case "file": archive.file("a", "replaced", mode: 0o777)
                    case "hard link": archive.hardLink("a", to: "b")
                    case "directory": archive.directory("a", mode: 0o777)
                    case "pipe": archive.add(TarRecord(name: "a", kind: .pipe))
                    default:
                        var record = TarRecord(name: "a")
                        record.owner = 12345
                        record.attributes = [.init(name: "user.x", value: [1])]
                        archive.add(record)
                    }
                }
                try place.unpack(archive, policy: policy)
                #expect(place.outsideIsUntouched, "\(final)")
                try Files.removeTree("a", at: place.root.raw)
            }
        }
    }

    @Test func `CVE-2020-10696: a file below a planted link is made inside the root or not at all`() throws {
        for target in ["../outside", "/outside", "../../../../../../../etc"] {
            let place = try UnpackingPlace()
            let error = #expect(throws: ArchiveFailure.self) {
                try place.unpack(TestArchive { $0.link("d", to: target); $0.file("d/secret", "replaced") })
            }
            #expect(error?.entry == "d/secret")
            #expect(place.outsideIsUntouched)
        }
    }

    @Test func `CVE-2026-42574: below a link to a directory of the archive itself a file is made there`() throws {
        let place = try UnpackingPlace()
        try place.unpack(
            TestArchive {
                $0.directory("usr/bin")
                $0.link("bin", to: "/usr/bin")
                $0.file("bin/sh", "shell")
            })
        #expect(try place.text("usr/bin/sh") == "shell")
        #expect(place.outsideIsUntouched)
    }

    @Test func `CVE-2020-10696: a whiteout below a planted link removes nothing`() throws {
        for name in ["d/.wh.secret", "d/.wh..wh..opq"] {
            let place = try UnpackingPlace()
            _ = try? place.unpack(TestArchive { $0.link("d", to: place.directory.path("outside")); $0.file(name, "") })
            #expect(place.outsideIsUntouched, "\(name)")
        }
    }

    @Test func `CVE-2020-10696: a hard link through a planted link reaches nothing`() throws {
        for target in ["d/secret", "../outside/secret", "/etc/passwd"] {
            let place = try UnpackingPlace()
            let error = #expect(throws: ArchiveFailure.self) {
                try place.unpack(
                    TestArchive { $0.link("d", to: place.directory.path("outside")); $0.hardLink("h", to: target) })
            }
            #expect(error?.reason == .refused)
            #expect(throws: SystemError.self) { try place.status("h") }
            #expect(place.outsideIsUntouched)
        }
    }

    @Test func `CVE-2020-10696: an opaque whiteout at the root hides the layers below and touches nothing else`() throws {
        let place = try UnpackingPlace()
        let layer = try place.unpack(TestArchive { $0.file(".wh..wh..opq", ""); $0.file("new") })
        #expect(layer.hidesLayersBelow)
        #expect(try Files.list(place.root.raw) == ["new"])
        #expect(place.outsideIsUntouched)
    }

    @Test(arguments: ["gzip", "zstd"])
    func `CVE-2026-47262: gigabytes of zeros from kilobytes end early and in little memory`(tool: String) async throws {
        let place = try UnpackingPlace()
        // The tool reads zeros from a hole, so that only the processor has work.
        var record = TarRecord(name: "zeros")
        record.size = 600 << 20
        let plain = try Files.open(place.directory.path("bomb"), O_RDWR | O_CREAT)
        try Files.writeAll(record.header, to: plain.raw)
        try Files.shorten(plain.raw, to: 700 << 20)
        let packed = try await CommandRunner.run([tool, "-1", "-c", place.directory.path("bomb")])
        #expect(packed.status.isSuccess)
        #expect(unlink(place.directory.path("bomb")) == 0)
        var limits = ArchiveLimits.standard
        limits.ratio = 100
        limits.ratioFrom = 64 << 20
        // Makes the peak begin here, proc_pid_clear_refs(5).
        let peak = try Files.open("/proc/self/clear_refs", O_WRONLY)
        try Files.writeAll(Array("5".utf8), to: peak.raw)
        let before = try Self.peakMemory()
        let error = #expect(throws: ArchiveFailure.self) {
            try LayerUnpacker.unpackBlocking(MemorySource(packed.output), into: place.root, limits: limits)
        }
        #expect(error?.reason == .tooLarge)
        #expect(try Self.peakMemory() - before < 64 << 20)
        #expect(try place.status("zeros").file.size <= 80 << 20)
        #expect(place.outsideIsUntouched)
    }

    @Test func `CVE-2026-47262: too many entries, too many bytes and holes without end are refused`() throws {
        let place = try UnpackingPlace()
        var limits = ArchiveLimits()
        limits.entries = 100
        limits.bytes = 1 << 20
        let many = TestArchive { archive in for number in 0...100 { archive.directory("d\(number)") } }
        let large = TestArchive { archive in
            for number in 0..<40 { archive.file("f\(number)", String(repeating: "x", count: 32 << 10)) }
        }
        for archive in [many, large] {
            let error = #expect(throws: ArchiveFailure.self) { try place.unpack(archive, limits: limits) }
            #expect(error?.reason == .tooLarge)
        }
        // A sparse file of 1 TiB, of pax version 0.1: no bytes at all, as a claim.
        var record = TarRecord(name: "hole")
        record.size = 1 << 40
        var claim = TestArchive()
        claim.bytes = record.header
        let error = #expect(throws: ArchiveFailure.self) { try place.unpack(claim, limits: limits) }
        #expect(error?.reason == .tooLarge)
    }

    @Test func `CVE-2026-47262: a header without end is refused`() throws {
        let place = try UnpackingPlace()
        // A sparse header of GNU tar with ever more extension blocks: each says that another follows.
        var block = TarRecord(name: "sparse", size: 0).header
        block[156] = UInt8(ascii: "S")
        block.replaceSubrange(257..<265, with: Array("ustar  \0".utf8))
        block.replaceSubrange(386..<410, with: Array(("00000000000" + "\0" + "00000000001" + "\0").utf8))
        block[482] = 1
        for index in 148..<156 { block[index] = UInt8(ascii: " ") }
        let sum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
        let digits = Array((String(repeating: "0", count: 6 - sum.utf8.count) + sum + "\0 ").utf8)
        block.replaceSubrange(148..<156, with: digits)
        var extension_ = [UInt8](repeating: UInt8(ascii: "1"), count: 512)
        extension_[504] = 1
        var archive = TestArchive()
        archive.bytes = block
        for _ in 0..<16_384 { archive.bytes += extension_ }
        let error = #expect(throws: ArchiveFailure.self) { try place.unpack(archive) }
        #expect(error?.reason == .tooLarge, "\(error?.description ?? "")")
    }

    @Test func `devices, and overlayfs' own forms, do not come out of an archive`() throws {
        let disk = TarRecord(name: "dev/disk", kind: .device(block: true, major: 8, minor: 0))
        let whiteout = TarRecord(name: "gone", kind: .device(block: false, major: 0, minor: 0))
        let place = try UnpackingPlace()
        let layer = try place.unpack(TestArchive { $0.add(disk); $0.file("after") })
        #expect(layer.devicesLeftOut == 1)
        #expect(try Files.list(place.root.raw) == ["after"])
        #expect(throws: ArchiveFailure.self) { try place.unpack(TestArchive { $0.add(whiteout) }) }
        #expect(throws: ArchiveFailure.self) { try place.unpack(TestArchive { $0.add(disk) }, policy: .copy) }
        for name in ["trusted.overlay.redirect", "trusted.overlay.metacopy", "user.overlay.opaque"] {
            var record = TarRecord(name: "f")
            record.attributes = [.init(name: name, value: Array("/etc".utf8))]
            let error = #expect(throws: ArchiveFailure.self) { try place.unpack(TestArchive { $0.add(record) }) }
            #expect(error?.reason == .refused)
        }
        #expect(place.outsideIsUntouched)
    }

    @Test func `names that are not UTF-8 and names of whiteouts of nothing are refused`() throws {
        for name in [".wh.", ".wh..", ".wh...", "a/.wh.", ".wh.d/file"] {
            let place = try UnpackingPlace()
            let error = #expect(throws: ArchiveFailure.self) { try place.unpack(TestArchive { $0.file(name, "") }) }
            #expect(error?.reason == .refused, "\(name)")
        }
        let place = try UnpackingPlace()
        var archive = TestArchive { $0.file("latin-1") }
        archive.bytes[5] = 0xE9
        archive.bytes.replaceSubrange(148..<156, with: Array("        ".utf8))
        let sum = String(archive.bytes[..<512].reduce(0) { $0 + Int($1) }, radix: 8)
        archive.bytes.replaceSubrange(
            148..<156, with: Array((String(repeating: "0", count: 6 - sum.utf8.count) + sum + "\0 ").utf8))
        let error = #expect(throws: ArchiveFailure.self) { try place.unpack(archive) }
        #expect(error?.reason == .refused)
        #expect(error?.description.contains("UTF-8") == true)
    }

    private static func peakMemory() throws -> Int {
        let line = try #require(
            try Files.readText("/proc/self/status").split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(Int(line.split(separator: " ", omittingEmptySubsequences: true).dropLast().last ?? "")) << 10
    }
}
