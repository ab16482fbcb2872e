import Linux
import TestKit
import Testing

@testable import OCIRuntime

/// Bytes between a caller's streams and a program's terminal, with files for the streams.
@Suite struct TerminalRelayTests {
    private let master: SharedFD
    private let program: SharedFD
    private let output: SharedFD

    init() throws {
        var pair = try Terminal.open()
        master = SharedFD(pair.takeMaster())
        program = SharedFD(pair.takeProgram())
        output = SharedFD(try Files.memory(named: "output"))
        _ = try Terminal.makeRaw(program.raw)
        try Files.setNonBlocking(program.raw)
    }

    private func file(_ bytes: [UInt8]) throws -> SharedFD {
        let file = SharedFD(try Files.memory(named: "input"))
        try Files.writeAll(bytes, to: file.raw)
        try Files.rewind(file.raw)
        return file
    }

    @Test func `input that the program's terminal has no room for waits until there is some`() async throws {
        // Above all that a terminal holds.
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 % 251) }
        let input = try file(bytes)
        let relay = try TerminalRelay(master, input: input.raw, output: output.raw)
        for _ in 0..<1000 where relay.writers.isEmpty { relay.move() }
        #expect(relay.writers == [master.raw] && relay.readers == [master.raw])
        var read: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 4096)
        // One more: the key that says the end.
        try await eventually("everything has come") {
            relay.move()
            while let count = try Files.readAvailable(program.raw, into: &room), count > 0 {
                read += room[..<count]
                relay.move()
            }
            return read.count > bytes.count
        }
        #expect(read == bytes + [4])
        #expect(relay.writers.isEmpty && relay.readers == [master.raw])
        withExtendedLifetime(input) {}
    }

    @Test func `a terminal that nobody has open is not waited for, and is heard again when somebody opens it`()
        async throws
    {
        var pair = try Terminal.open()
        let master = SharedFD(pair.takeMaster())
        var program: SharedFD? = SharedFD(pair.takeProgram())
        let name = try Files.link("/proc/self/fd/\(try #require(program).raw)")
        let input = try file([])
        let relay = try TerminalRelay(master, input: input.raw, output: output.raw)
        relay.move()
        #expect(relay.readers == [master.raw] && relay.patience == -1)
        program = nil
        // A program that another test starts may hold it for a moment.
        try await eventually("it has hung up") {
            relay.move()
            return relay.readers.isEmpty
        }
        #expect(relay.patience > 0)
        // O_RDWR | O_NOCTTY
        program = SharedFD(try Files.open(name, 0o402))
        try Files.writeAll(Array("again".utf8), to: try #require(program).raw)
        try await eventually("it is heard") {
            relay.move()
            return try Files.readAll(from: output.raw, limit: 100) == Array("again".utf8)
        }
        #expect(relay.readers == [master.raw] && relay.patience == -1)
        withExtendedLifetime(input) {}
    }
}
