import JSON
import Linux
import NodeLogs
import TestKit
import Testing

@testable import Daemon

@Suite(.leavesNothing) struct NodeLogTests {
    private func lines(_ path: String) throws -> [JSONValue] {
        try Files.read(path, limit: 64 << 20).split(separator: 0x0A).map { try JSONParser.parse(Array($0)) }
    }

    /// A log in a file.
    private func withLog(
        _ settings: NodeLogSettings, _ body: (NodeLog, String) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory("log")
        let path = directory.path("log")
        let file = SharedFD(try Files.open(path, 0o2101, mode: 0o600))
        try await body(NodeLog(settings, descriptor: file.raw), path)
        withExtendedLifetime((directory, file)) {}
    }

    @Test func `what is less than the level is not written, and calls only when they are asked for`() async throws {
        try await withLog(NodeLogSettings(format: .json, level: .warn)) { log, path in
            log.write(.info, "node", "no")
            log.note("shifts")("yes")
            #expect(log.calls == nil)
            let lines = try lines(path)
            #expect(lines.count == 1 && lines[0]["message"] == "yes" && lines[0]["part"] == "shifts" && lines[0]["level"] == "warn")
        }
        #expect(NodeLog(NodeLogSettings(level: .debug)).calls != nil)
        #expect(NodeLog(NodeLogSettings(level: .error, logsCalls: true)).calls != nil)
    }

    @Test func `lines of many threads come whole`() async throws {
        try await withLog(NodeLogSettings(format: .json, logsCalls: true)) { log, path in
            let calls = try #require(log.calls)
            await withTaskGroup { group in
                for lane in 0..<8 {
                    group.addTask {
                        for number in 0..<200 {
                            calls(LogEvent(.info, "functions", "call", requestID: "\(lane)-\(number)"))
                            if number % 50 == 0 { log.write(.info, "node", "sentence") }
                        }
                    }
                }
            }
            log.flush()
            let lines = try lines(path)
            #expect(lines.count == 1632)
            #expect(Set(lines.compactMap { $0["request_id"]?.string }).count == 1600)
        }
    }

    @Test func `a line of a call is written soon, without anybody asking`() async throws {
        try await withLog(NodeLogSettings(format: .json, logsCalls: true)) { log, path in
            let calls = try #require(log.calls)
            calls(LogEvent(.info, "exec", "call"))
            try await eventually("the line is there") { try lines(path).count == 1 }
        }
    }

    @Test func `a reader that is too slow loses lines of calls and hears of it`() async throws {
        var pipe = try Files.pipe()
        let reader = SharedFD(pipe.takeReader())
        var writer: SharedFD? = SharedFD(pipe.takeWriter())
        let log = NodeLog(NodeLogSettings(format: .json, logsCalls: true), descriptor: writer!.raw)
        let calls = try #require(log.calls)
        // Three times what may wait; the pipe takes 64 KB, and then its writer stands.
        let text = String(repeating: "x", count: 1000)
        for _ in 0..<3 * NodeLog.waitingLimit / 1000 {
            var event = LogEvent(.info, "exec", "call")
            event.add("text", text)
            calls(event)
        }
        let reading = Task {
            var all: [UInt8] = []
            while true {
                let part = try await BlockingPool.shared.run { () throws(SystemError) in
                    try Files.readSome(reader.raw, count: 1 << 16, name: "the log")
                }
                if part.isEmpty { return all }
                all += part
            }
        }
        // What another thread is writing comes first.
        try await BlockingPool.shared.run { () throws(SystemError) in log.flush() }
        writer = nil
        let all = try await reading.value
        let lines = try all.split(separator: 0x0A).map { try JSONParser.parse(Array($0)) }
        let lost = lines.reduce(0) { $0 + ($1["lines"]?.integer ?? 0) }
        let written = lines.count { $0["part"] == "exec" }
        #expect(lost > 0 && written + Int(lost) == 3 * NodeLog.waitingLimit / 1000, "\(written) written, \(lost) lost")
        // What waits, what is being written, and what the pipe had taken before.
        #expect(all.count < NodeLog.waitingLimit * 2 + (64 << 10) + 4096)
    }
}
