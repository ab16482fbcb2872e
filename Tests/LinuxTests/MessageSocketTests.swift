import Glibc
import Linux
import TestKit
import Testing

@Suite struct MessageSocketTests {
    /// Both ends of a connection.
    private struct Ends: ~Copyable {
        let first: MessageSocket
        let second: MessageSocket

        init() throws {
            var pair = try MessageSocket.pair()
            first = MessageSocket(adopting: pair.takeFirst())
            second = MessageSocket(adopting: pair.takeSecond())
        }
    }

    @Test func `messages keep their boundaries and their order`() throws {
        let ends = try Ends()
        try ends.first.send([1, 2, 3])
        try ends.first.send([4])
        #expect(try ends.second.receive()?.bytes == [1, 2, 3])
        #expect(try ends.second.receive()?.bytes == [4])
    }

    @Test func `descriptors arrive with their message, close-on-exec`() throws {
        let ends = try Ends()
        var pipe = try Files.pipe()
        let reader = pipe.takeReader()
        let writer = pipe.takeWriter()
        try ends.first.send([7], descriptors: [reader.raw, writer.raw])
        let message = try #require(try ends.second.receive())
        #expect(message.descriptors.count == 2)
        try Files.writeAll([42], to: message.descriptors[1].raw)
        var byte: UInt8 = 0
        #expect(read(reader.raw, &byte, 1) == 1)
        #expect(byte == 42)
        for descriptor in message.descriptors { #expect(fcntl(descriptor.raw, F_GETFD) == FD_CLOEXEC) }
    }

    @Test func `as many descriptors as fit arrive and one more is refused`() throws {
        let ends = try Ends()
        let null = try Files.open("/dev/null", O_RDONLY)
        try ends.first.send([1], descriptors: Array(repeating: null.raw, count: 64))
        #expect(try ends.second.receive()?.descriptors.count == 64)
        let error = #expect(throws: SystemError.self) {
            try ends.first.send([1], descriptors: Array(repeating: null.raw, count: 65))
        }
        #expect(error?.code == .messageTooLong)
    }

    @Test func `a message that does not fit is refused, its descriptors are closed`() throws {
        let ends = try Ends()
        var pipe = try Files.pipe()
        let writer = pipe.takeWriter()
        let reader = pipe.takeReader()
        try ends.first.send([1, 2, 3, 4], descriptors: [writer.raw])
        writer.close()
        do {
            var room = [UInt8](repeating: 0, count: 3)
            var descriptors: [SharedFD] = []
            let error = #expect(throws: SystemError.self) {
                _ = try ends.second.receive(into: &room, descriptors: &descriptors)
            }
            #expect(error?.code == .messageTooLong)
        }
        // The end of the pipe: nobody holds the writer any more.
        #expect(try Files.readAll(reader.raw) == [])
        try ends.first.send([5])
        #expect(try ends.second.receive()?.bytes == [5])
    }

    @Test func `the longest message passes`() throws {
        let ends = try Ends()
        let bytes = (0..<MessageSocket.messageBytesLimit).map { UInt8(truncatingIfNeeded: $0) }
        try ends.first.send(bytes)
        #expect(try ends.second.receive()?.bytes == bytes)
    }

    @Test func `the end of the peer is the end of the messages, and sending to it an error`() throws {
        var pair = try MessageSocket.pair()
        let first = MessageSocket(adopting: pair.takeFirst())
        pair.takeSecond().close()
        #expect(try first.receive() == nil)
        let error = #expect(throws: SystemError.self) { try first.send([1]) }
        #expect(error?.code == .brokenPipe)
    }

    @Test func `a listening socket is its owner's alone and tells who connected`() throws {
        let directory = try TemporaryDirectory("socket")
        let path = directory.path("sock")
        let listener = try MessageSocket.listen(at: path)
        #expect(try Files.status(path).permissions == 0o600)
        let client = try MessageSocket.connect(to: path)
        let accepted = accept(listener.raw, nil, nil)
        try #require(accepted >= 0)
        let server = MessageSocket(adopting: OwnedFD(adopting: accepted))
        let peer = try MessageSocket.peer(of: server.fd.raw)
        #expect(peer.pid == getpid() && peer.uid == getuid() && peer.gid == getgid())
        try client.send([1])
        #expect(try server.receive()?.bytes == [1])
    }

    @Test func `a path that is taken, absent or too long is named`() throws {
        let directory = try TemporaryDirectory("socket")
        let path = try directory.write("", to: "taken")
        let taken = #expect(throws: SystemError.self) { _ = try MessageSocket.listen(at: path) }
        #expect(taken?.description == "bind a socket to \(path): Address already in use (EADDRINUSE)")
        let absent = #expect(throws: SystemError.self) { _ = try MessageSocket.connect(to: directory.path("absent")) }
        #expect(absent?.code == .noEntry)
        let long = directory.path(String(repeating: "x", count: 108))
        let tooLong = #expect(throws: SystemError.self) { _ = try MessageSocket.listen(at: long) }
        #expect(tooLong?.code == .nameTooLong)
    }

    @Test func `no socket stays open when its owner is gone`() async throws {
        var scope = Census.Scope(only: [.descriptor])
        scope.ignores = { !$0.sentence.contains("socket:") }
        let before = await Census.take(scope)
        do {
            let ends = try Ends()
            try ends.first.send([1], descriptors: [ends.first.fd.raw, ends.second.fd.raw])
            // Left unread on purpose: the kernel closes what travels when both ends are closed.
            let report = await Census.take(scope).difference(from: before)
            #expect(report.count >= 2)
        }
        let left = await Census.settled(since: before)
        #expect(left == [])
    }
}
