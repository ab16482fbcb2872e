import Glibc
import Images
import Linux
import TestKit
import Testing

/// Zip archives with code: what is sound is unpacked as it is, what is not is refused before it does anything.
struct ZipUnpackerTests {
    private static func unpack(_ bytes: [UInt8], _ place: UnpackingPlace, limits: ZipLimits = ZipLimits()) throws -> UnpackedZip {
        try ZipUnpacker.unpackBlocking(bytes, into: place.root, limits: limits)
    }

    /// The sentence with which it is refused.
    private static func refusal(_ zip: TestZip, limits: ZipLimits = ZipLimits()) throws -> String {
        try refusal(zip.bytes, limits: limits)
    }

    private static func refusal(_ bytes: [UInt8], limits: ZipLimits = ZipLimits()) throws -> String {
        let place = try UnpackingPlace()
        do throws(ArchiveFailure) {
            _ = try ZipUnpacker.unpackBlocking(bytes, into: place.root, limits: limits)
            Issue.record("it was unpacked")
            return ""
        } catch {
            #expect(place.outsideIsUntouched)
            return error.description
        }
    }

    @Test func `files, directories, links and who may execute them are kept`() throws {
        let place = try UnpackingPlace()
        let zip = TestZip([
            .init("bootstrap", "#!/bin/sh\n", mode: 0o100700), .init("lib/deep/a.py", "x = 1\n", mode: 0o100600), .init("lib/"),
            .link("lib/deep/up", to: "../../bootstrap"), .init("dos.exe", "MZ", mode: nil), .init("empty"),
        ])
        let unpacked = try Self.unpack(zip.bytes, place)
        #expect(unpacked.entries == 6 && unpacked.fileBytes == 18)
        #expect(try place.status("bootstrap").file.permissions == 0o755)
        #expect(try place.status("lib/deep/a.py").file.permissions == 0o644)
        #expect(try place.status("dos.exe").file.permissions == 0o755, "no permissions were recorded")
        #expect(try place.status("lib").file.permissions == 0o755)
        #expect(try place.status("lib/deep").file.permissions == 0o755)
        #expect(try Files.link(place.path("lib/deep/up")) == "../../bootstrap")
        #expect(try place.text("lib/deep/a.py") == "x = 1\n")
    }

    @Test func `what Python's and Info-ZIP's tools write is read`() async throws {
        let directory = try TemporaryDirectory("zip")
        try directory.write("import sys\n" + String(repeating: "print(1)\n", count: 5000), to: "in/app.py")
        try directory.write("#!/bin/sh\n", to: "in/bin/run", mode: 0o755)
        let script = """
            import os, zipfile
            os.symlink("app.py", "in/link.py")
            with zipfile.ZipFile("python.zip", "w", zipfile.ZIP_DEFLATED) as z:
                for root, _, files in os.walk("in"):
                    for f in files:
                        if f != "link.py": z.write(os.path.join(root, f))
            with zipfile.ZipFile("wide.zip", "w") as z:
                with z.open("in/app.py", "w", force_zip64=True) as f: f.write(open("in/app.py", "rb").read())
                z.write("in/bin/run")
            """
        let python = try await CommandRunner.run(["python3", "-c", "import os; os.chdir('\(directory.path)')\n" + script])
        #expect(python.status == .exited(0), "\(python)")
        let info = try await CommandRunner.run(["sh", "-c", "cd \(directory.path) && zip -qry info.zip in"])
        #expect(info.status == .exited(0), "\(info)")
        for name in ["python.zip", "wide.zip", "info.zip"] {
            let place = try UnpackingPlace()
            _ = try Self.unpack(try Files.read(directory.path(name)), place)
            #expect(try Files.read(place.path("in/app.py")) == Files.read(directory.path("in/app.py")), "\(name)")
            #expect(try place.status("in/bin/run").file.permissions == 0o755, "\(name)")
            if name == "info.zip" { #expect(try Files.link(place.path("in/link.py")) == "app.py") }
        }
    }

    @Test func `names of a zip archive keep their bytes`() throws {
        let place = try UnpackingPlace()
        _ = try Self.unpack(TestZip(files: ["caf\u{E9}/a": "composed", "cafe\u{301}/a": "not", "日本/語": "x"]).bytes, place)
        #expect(try place.text("caf\u{E9}/a") == "composed")
        #expect(try place.text("cafe\u{301}/a") == "not")
        #expect(try place.text("日本/語") == "x")
    }

    @Test(arguments: [
        ("an absolute name", TestZip([.init("/etc/x")]), "absolute"),
        ("a name that goes up", TestZip([.init("a/../../x")]), "upwards"),
        ("a name of Windows", TestZip([.init("a\\b")]), "separated"),
        ("a name with a NUL", TestZip([.init("a\0b")]), "UTF-8"),
        ("a name that is too long", TestZip([.init(String(repeating: "n", count: 300))]), "255"),
        ("a deep name", TestZip([.init(String(repeating: "d/", count: 200) + "x")]), "deep"),
        ("two of one name", TestZip([.init("x"), .init("x", "y")]), "twice"),
        ("two of one name, written differently", TestZip([.init("a/x"), .init("a/./x", "y")]), "twice"),
        ("a file below a file", TestZip([.init("a"), .init("a/b")]), "no directory"),
        ("a file below a link", TestZip([.link("a", to: "b"), .init("b/"), .init("a/x")]), "no directory"),
        ("a link to an absolute path", TestZip([.link("l", to: "/etc/passwd")]), "leads out"),
        ("a link that goes up", TestZip([.link("a/l", to: "../../x")]), "leads out"),
        ("a link that goes up behind a name", TestZip([.link("l", to: "d/../../x")]), "leads out"),
        ("a link to nothing", TestZip([.link("l", to: "")]), "empty"),
        ("a device", TestZip([.init("d", mode: 0o020644)]), "device"),
        ("a pipe", TestZip([.init("p", mode: 0o010644)]), "device"),
    ])
    func `a zip archive that leads out, or contradicts itself, is refused`(_ what: String, _ zip: TestZip, _ why: String) throws {
        let refusal = try Self.refusal(zip)
        #expect(refusal.contains(why), "\(what): \(refusal)")
    }

    @Test func `a zip archive whose headers contradict each other is refused`() throws {
        func changed(_ change: (inout TestZip.Entry) -> Void) throws -> String {
            var zip = TestZip(files: ["a": "text", "b": "text"])
            change(&zip.entries[1])
            return try Self.refusal(zip)
        }
        #expect(try changed { $0.ownName = "c" }.contains("contradict"))
        #expect(try changed { $0.flags |= 1 }.contains("encrypted"))
        #expect(try changed { $0.flags |= 0x40 }.contains("encrypted"))
        #expect(try changed { $0.method = 12 }.contains("method 12"))
        #expect(try changed { $0.size = 3 }.contains("cannot be"))
        #expect(try changed { $0.size = 0xFFFF_FFFF }.contains("zip64"))
        #expect(try changed { $0.place = 5 }.contains("leads to no entry"))
        #expect(try changed { $0.place = 0xFFFF_FFF0 }.contains("leads to no entry"))
        #expect(try changed { $0.place = 0 }.contains("contradict"))
        #expect(try changed { $0.extra = TestZip.short(1) + TestZip.short(900) }.contains("no end"))
    }

    @Test func `a zip archive whose data are not what it says is refused`() throws {
        var zip = TestZip(files: ["a": "text"])
        zip.entries[0].checkSum = 1
        #expect(try Self.refusal(zip).contains("check sum"))
        zip.entries[0].method = 8
        #expect(try Self.refusal(zip).contains("deflated"))
    }

    @Test func `a damaged end of a zip archive is refused`() throws {
        let zip = TestZip(files: ["a": "text"])
        for length in 0..<zip.bytes.count { _ = try Self.refusal(Array(zip.bytes[..<length])) }
        var more = zip
        more.extraEntries = 1
        #expect(try Self.refusal(more).contains("do not agree") || Self.refusal(more).contains("damaged"))
        more = zip
        more.extraDirectoryBytes = 7
        #expect(try Self.refusal(more).contains("do not agree"))
        #expect(try Self.refusal(zip.bytes + [0]).contains("no zip archive"))
        #expect(try Self.refusal([0, 0] + zip.bytes).contains("do not agree"))
        #expect(try Self.refusal(Array("no zip".utf8)).contains("no zip archive"))
        more = zip
        more.comment = "a comment is no damage"
        #expect(try Self.unpack(more.bytes, try UnpackingPlace()).entries == 1)
    }

    @Test func `limits are kept before anything is made`() throws {
        var limits = ZipLimits()
        limits.bytes = 10
        limits.entries = 2
        let place = try UnpackingPlace()
        #expect(try Self.unpack(TestZip(files: ["a": "12345", "b": "12345"]).bytes, place, limits: limits).fileBytes == 10)
        #expect(try Self.refusal(TestZip(files: ["a": "12345", "b": "123456"]), limits: limits).contains("more than 10 bytes"))
        #expect(try Self.refusal(TestZip(files: ["a": "", "b": "", "c": ""]), limits: limits).contains("3 entries"))
    }

    @Test func `a zip bomb of files that share their bytes is refused`() throws {
        var zip = TestZip(files: ["a": String(repeating: "a", count: 100), "b": ""])
        zip.entries[1].place = 0
        zip.entries[1].ownName = "b"
        #expect(try Self.refusal(zip).contains("contradict"))
        // The second header lies within the data of the first (David Fifield, "A better zip bomb", 2019).
        let inner = TestZip(files: ["b": "text"]).bytes.prefix(35)
        var outer = TestZip([.init("a", mode: 0o100644), .init("b", "text")])
        outer.entries[0].content = Array(inner)
        outer.entries[1].place = 31
        #expect(try Self.refusal(outer).contains("shares bytes"))
    }

    @Test func `deflated zeros beyond what is declared end at once`() async throws {
        let directory = try TemporaryDirectory("zip")
        let script = """
            import zipfile, struct
            with zipfile.ZipFile("\(directory.path)/bomb.zip", "w", zipfile.ZIP_DEFLATED) as z: z.writestr("zeros", bytes(64 << 20))
            data = bytearray(open("\(directory.path)/bomb.zip", "rb").read())
            at = data.rindex(b"PK\\x01\\x02")
            data[at + 24:at + 28] = struct.pack("<I", 1000)
            open("\(directory.path)/bomb.zip", "wb").write(data)
            """
        let python = try await CommandRunner.run(["python3", "-c", script])
        #expect(python.status == .exited(0), "\(python)")
        #expect(try Self.refusal(try Files.read(directory.path("bomb.zip"))).contains("more than the 1000 bytes"))
    }
}
