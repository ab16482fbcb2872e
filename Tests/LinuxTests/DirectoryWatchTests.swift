import Glibc
import Linux
import TestKit
import Testing

@Suite struct DirectoryWatchTests {
    @Test func `files that are closed, renamed and removed are told by name`() throws {
        let directory = try TemporaryDirectory("watch")
        let watch = try DirectoryWatch(directory.path)
        #expect(try watch.drain() == [])
        let file = try Files.open(directory.path("a"), O_WRONLY | O_CREAT)
        #expect(try watch.drain() == [], "it is open still")
        file.close()
        try Files.rename(directory.path("a"), to: directory.path("b"))
        try Files.makeDirectories(directory.path("sub"))
        try Files.remove(directory.path("b"))
        #expect(try watch.drain() == [.arrived("a"), .left("a"), .arrived("b"), .left("b")])
        try Files.removeTree(directory.path)
        #expect(try watch.drain().contains(.gone))
    }

    @Test func `a file that somebody writes to has writers`() throws {
        let directory = try TemporaryDirectory("watch")
        let writer = SharedFD(try Files.open(directory.path("a"), O_WRONLY | O_CREAT))
        let reader = try Files.open(directory.path("a"), O_RDONLY)
        // nil where the file system has no leases.
        #expect(Files.hasWriters(reader.raw) != false)
        withExtendedLifetime(writer) {}
    }

    @Test func `a file that nobody writes to has none`() throws {
        let directory = try TemporaryDirectory("watch")
        try directory.write("x", to: "a")
        let reader = try Files.open(directory.path("a"), O_RDONLY)
        #expect(Files.hasWriters(reader.raw) != true)
    }
}
