import Glibc
import Linux
import TestKit
import Testing

@Suite struct FilesTests {
    @Test func `a replaced file is the old one or the new one and never a part`() throws {
        let directory = try TemporaryDirectory("files")
        let path = try directory.write("old", to: "file")
        let reader = try Files.open(path, O_RDONLY)
        try Files.replace(path, with: Array("new and longer".utf8), mode: 0o640)
        // The reader that came before keeps the whole old file: the name was moved, the bytes were not.
        #expect(try Files.readAll(reader.raw) == Array("old".utf8))
        #expect(try Files.readText(path) == "new and longer")
        #expect(try Files.status(path).permissions == 0o640)
        #expect(try Files.list(directory.path) == ["file"])
    }

    @Test func `a replacement that fails leaves nothing behind`() throws {
        let directory = try TemporaryDirectory("files")
        try Files.makeDirectories(directory.path("taken/full"))
        let error = #expect(throws: SystemError.self) { try Files.replace(directory.path("taken"), with: [1]) }
        #expect(try #require(error).code == .isDirectory)
        #expect(try Files.list(directory.path) == ["taken"])
    }

    @Test func `removing a tree removes links and leaves what they lead to`() throws {
        let directory = try TemporaryDirectory("files")
        try directory.write("precious", to: "kept/file")
        try directory.write("x", to: "tree/below/file")
        #expect(symlink(directory.path("kept"), directory.path("tree/below/to-directory")) == 0)
        #expect(symlink(directory.path("kept/file"), directory.path("tree/to-file")) == 0)
        #expect(symlink("nowhere", directory.path("tree/to-nothing")) == 0)
        try Files.removeTree(directory.path("tree"))
        #expect(try Files.list(directory.path) == ["kept"])
        #expect(try Files.readText(directory.path("kept/file")) == "precious")
        #expect(symlink("kept", directory.path("link")) == 0)
        try Files.removeTree(directory.path("link"))
        #expect(try Files.list(directory.path("kept")) == ["file"])
    }

    @Test func `removing what is not there is no error`() throws {
        try Files.removeTree("/tmp/forkless-\(UInt64.random(in: .min ... .max))")
    }

    @Test(.enabled(if: isRoot)) func `removing a tree stops at a mount, even one of the same file system`() throws {
        let directory = try TemporaryDirectory("files")
        try directory.write("precious", to: "kept/file")
        try Files.makeDirectories(directory.path("tree/mounted"))
        #expect(mount(directory.path("kept"), directory.path("tree/mounted"), nil, UInt(MS_BIND), nil) == 0)
        let error = #expect(throws: SystemError.self) { try Files.removeTree(directory.path("tree")) }
        #expect(
            "\(try #require(error))"
                == "remove \(directory.path("tree"))/mounted: Invalid cross-device link (EXDEV). "
                + "Something is mounted there: unmount it first.")
        #expect(try Files.readText(directory.path("kept/file")) == "precious")
        #expect(umount2(directory.path("tree/mounted"), CInt(MNT_DETACH)) == 0)
    }

    @Test func `a file at the limit is read and one byte more is refused`() throws {
        let directory = try TemporaryDirectory("files")
        let path = try directory.write("12345678", to: "file")
        #expect(try Files.read(path, limit: 8).count == 8)
        let error = #expect(throws: SystemError.self) { try Files.read(path, limit: 7) }
        #expect(try #require(error).code == .messageTooLong)
    }

    @Test func `a directory of many names is listed whole`() throws {
        let directory = try TemporaryDirectory("files")
        let names = Set((0..<2000).map { "a-name-long-enough-to-need-several-reads-\($0)" })
        for name in names { try Files.replace(directory.path(name), with: []) }
        #expect(Set(try Files.list(directory.path)) == names)
    }

    @Test func `a sealed memory file cannot be changed`() throws {
        let fd = try Files.sealedMemory(named: "test", Array("plan".utf8))
        #expect(write(fd.raw, "x", 1) == -1)
        #expect(errno == EPERM)
        #expect(ftruncate(fd.raw, 0) == -1)
        #expect(fcntl(fd.raw, F_GETFD) == FD_CLOEXEC)
    }

    @Test func `what a pipe takes in comes out`() throws {
        var pipe = try Files.pipe()
        let writer = pipe.takeWriter()
        let reader = pipe.takeReader()
        try Files.writeAll([1, 2, 3], to: writer.raw)
        writer.close()
        #expect(try Files.readAll(reader.raw) == [1, 2, 3])
    }
}
