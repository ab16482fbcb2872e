import ExecDoor
import Linux
import TestKit
import Testing

struct ShimRecordTests {
    private func executable() throws -> [UInt8] { try Files.read(try DoorStage.shimExecutable(), limit: 1 << 20) }

    @Test func `a record is read as it was written`() throws {
        var record = ShimRecord(
            shift: String(repeating: "s", count: 27), socket: "/" + String(repeating: "p", count: 106),
            original: "/" + String(repeating: "o", count: 4094))
        record.decisionMilliseconds = 12345
        record.resumeSeconds = 7
        let patched = try record.patched(into: try executable())
        #expect(ShimRecord(in: patched) == record)
        // A shorter one leaves nothing of the longer.
        let short = ShimRecord(shift: "s", socket: "/p", original: "/o\nline")
        #expect(ShimRecord(in: try short.patched(into: patched)) == short)
    }

    @Test func `times that the installed shim has are those of every shim`() throws {
        let usual = ShimRecord(shift: "s", socket: "/p", original: "/o")
        let built = try ShimFile(path: try DoorStage.shimExecutable())
        #expect(built.record(shift: "s", socket: "/p", original: "/o") == usual)
        var installed = ShimRecord(shift: "any", socket: "/any", original: "/any")
        installed.decisionMilliseconds = 20_000
        let directory = try TemporaryDirectory("shim")
        let path = directory.path("forkless-shim")
        try Files.replace(path, with: try installed.patched(into: try executable()), mode: 0o755)
        let record = try ShimFile(path: path).record(shift: "s", socket: "/p", original: "/o")
        #expect(record.decisionMilliseconds == 20_000)
        #expect(record.resumeSeconds == usual.resumeSeconds && record.shift == "s" && record.socket == "/p")
    }

    @Test func `what does not fit is refused by its name`() throws {
        let bytes = try executable()
        for (record, word) in [
            (ShimRecord(shift: String(repeating: "s", count: 28), socket: "/p", original: "/o"), "id"),
            (ShimRecord(shift: "s", socket: String(repeating: "p", count: 108), original: "/o"), "socket"),
            (ShimRecord(shift: "s", socket: "/p", original: String(repeating: "o", count: 4096)), "original"),
            (ShimRecord(shift: "s", socket: "/p", original: ""), "original"),
            (ShimRecord(shift: "a\0b", socket: "/p", original: "/o"), "id"),
        ] {
            let error = #expect(throws: ShimFileError.self) { try record.patched(into: bytes) }
            #expect(error?.description.contains(word) == true)
        }
    }

    @Test func `only a shim takes a record`() throws {
        let record = ShimRecord(shift: "s", socket: "/p", original: "/o")
        #expect(throws: ShimFileError.self) { _ = try record.patched(into: Array("#!/bin/sh\n".utf8)) }
        let shell = try Files.read("/bin/sh")
        #expect(throws: ShimFileError.self) { _ = try record.patched(into: shell) }
        #expect(ShimRecord(in: []) == nil)
        #expect(ShimFile.record(at: "/bin/true") == nil)
        #expect(ShimFile.record(at: "/proc") == nil)
    }

    @Test func `the shim is small, static and asks for no executable stack`() throws {
        let bytes = try executable()
        #expect(bytes.count < 16 << 10)
        let headers = try CommandRunner.runBlocking(["readelf", "-lW", try DoorStage.shimExecutable()]).text
        #expect(!headers.contains("INTERP"))
        #expect(!headers.contains("DYNAMIC"))
        #expect(headers.contains("GNU_STACK      0x000000 0x0000000000000000 0x0000000000000000 0x000000 0x000000 RW "))
    }
}
