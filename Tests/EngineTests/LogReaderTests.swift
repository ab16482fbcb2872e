import Engine
import Glibc
import Linux
import Synchronization
import TestKit
import Testing

@Suite struct LogReaderTests {
    let files: TemporaryDirectory

    init() throws { files = try TemporaryDirectory("log") }

    private func entries(_ numbers: some Sequence<Int>) -> [UInt8] {
        numbers.flatMap { Array("\(Timestamp(nanoseconds: $0)) stdout F \($0)\n".utf8) }
    }

    private func append(_ numbers: some Sequence<Int>, to name: String = "log") throws {
        let fd = try Files.open(files.path(name), O_WRONLY | O_CREAT | O_APPEND)
        try Files.writeAll(entries(numbers), to: fd.raw)
    }

    private func rotate() throws { try Files.rename(files.path("log"), to: files.path("log.1")) }

    private func read(tail: Int? = nil, since: Int? = nil) async throws -> [Int] {
        let reader = LogReader(directory: files.path, tail: tail, since: since.map { Timestamp(nanoseconds: $0) })
        let found = Mutex<[Int]>([])
        try await reader.read { lines in found.withLock { $0 += lines.map(Self.number) } }
        return found.withLock { $0 }
    }

    private static func number(_ line: LogLine) -> Int { Int(String(decoding: line.content, as: UTF8.self)) ?? -1 }

    @Test func `a log is read from the older file to the newer`() async throws {
        #expect(try await read() == [])
        try append(0..<3)
        try rotate()
        try append(3..<5)
        #expect(try await read() == [0, 1, 2, 3, 4])
    }

    @Test func `the last lines and those since a time`() async throws {
        try append(0..<10)
        try rotate()
        try append(10..<20)
        #expect(try await read(tail: 3) == [17, 18, 19])
        #expect(try await read(tail: 12).first == 8)
        #expect(try await read(tail: 0) == [])
        #expect(try await read(tail: 100).count == 20)
        #expect(try await read(since: 18) == [18, 19])
        #expect(try await read(tail: 1, since: 5) == [19])
    }

    @Test func `more lines than fit in one read come in order`() async throws {
        try append(0..<20_000)
        #expect(try await read() == Array(0..<20_000))
        #expect(try await read(tail: 5_000) == Array(15_000..<20_000))
    }

    @Test func `a follower reads on across rotations`() async throws {
        try append(0..<3)
        let found = Mutex<[Int]>([])
        let ended = Published(false)
        let reader = LogReader(directory: files.path, tail: 1)
        let following = Task {
            try await reader.follow(untilEnded: { _ = await ended.wait { $0 } }) { lines in
                found.withLock { $0 += lines.map(Self.number) }
            }
        }
        try await eventually { found.withLock { $0 } == [2] }
        try append(3..<5)
        try await eventually { found.withLock { $0.last } == 4 }
        try append(5..<7)
        try rotate()
        try append(7..<9)
        try await eventually { found.withLock { $0.last } == 8 }
        try rotate()
        try append(9..<10)
        try await eventually { found.withLock { $0.last } == 9 }
        ended.set(true)
        try await following.value
        #expect(found.withLock { $0 } == Array(2..<10))
    }

    @Test func `a follower ends when the program has ended and all was read`() async throws {
        let found = Mutex<[Int]>([])
        let ended = Published(false)
        let reader = LogReader(directory: files.path)
        let following = Task {
            try await reader.follow(untilEnded: { _ = await ended.wait { $0 } }) { lines in
                found.withLock { $0 += lines.map(Self.number) }
            }
        }
        try append(0..<1000)
        ended.set(true)
        try await following.value
        #expect(found.withLock { $0 } == Array(0..<1000))
    }

    @Test func `a follower that is taken back ends`() async throws {
        let reader = LogReader(directory: files.path)
        let following = Task { try await reader.follow(untilEnded: { _ = await Published(0).wait { $0 > 0 } }) { _ in } }
        following.cancel()
        await #expect(throws: NodeFailure.self) { try await following.value }
    }

    @Test func `a follower of a directory that is gone says so`() async throws {
        let reader = LogReader(directory: files.path("none"))
        await #expect(throws: NodeFailure.self) { try await reader.follow(untilEnded: {}) { _ in } }
    }
}
