import Lambda
import Linux
import Synchronization
import TestKit
import Testing

@testable import Functions

/// Routes and subscriptions of the APIs inside an instance.
@Suite struct RuntimeRouteTests {
    @Test(arguments: [
        ("GET", "/2018-06-01/runtime/invocation/next", RuntimeRoute.next),
        ("POST", "/2018-06-01/runtime/invocation/a-b/response", .response(requestID: "a-b")),
        ("POST", "/2018-06-01/runtime/invocation/a-b/error", .error(requestID: "a-b")),
        ("POST", "/2018-06-01/runtime/init/error", .initError),
        ("POST", "/2020-01-01/extension/register", .register),
        ("GET", "/2020-01-01/extension/event/next", .extensionNext),
        ("PUT", "/2022-07-01/telemetry", .telemetry(isLogsAPI: false)),
        ("PUT", "/2020-08-15/logs", .telemetry(isLogsAPI: true)),
        ("POST", "/2018-06-01/runtime/invocation/next", .unknown),
        ("POST", "/2018-06-01/runtime/invocation//response", .unknown),
        ("POST", "/2018-06-01/runtime/invocation/a/b/response", .unknown),
        ("GET", "/2018-06-01/runtime/invocation/a/response", .unknown),
        ("GET", "/", .unknown),
    ])
    func `requests are told by method and path`(method: String, target: String, route: RuntimeRoute) {
        #expect(RuntimeRoute(method: method, target: target) == route)
    }

    private func subscription(_ text: String, isLogsAPI: Bool = false) throws -> TelemetrySubscription {
        try TelemetrySubscription(Array(text.utf8), isLogsAPI: isLogsAPI)
    }

    @Test func `a subscription is read with its defaults`() throws {
        let read = try subscription(
            #"{"schemaVersion":"2025-01-29","types":["platform","function"],"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:4243/logs"},"buffering":{"timeoutMs":25}}"#)
        #expect(read.kinds == [.platform, .function])
        #expect(read.destination == .http(port: 4243, path: "/logs", method: "POST"))
        #expect(read.maxItems == 10_000 && read.maxBytes == 262_144 && read.timeoutMilliseconds == 25)
        let old = try subscription(#"{"types":["extension"],"destination":{"protocol":"TCP","port":53}}"#, isLogsAPI: true)
        #expect(old.destination == .tcp(port: 53))
    }

    @Test(arguments: [
        (#"{"#, "no JSON"), (#"[]"#, "no object"), (#"{"types":["platform"]}"#, "schemaVersion"),
        (#"{"schemaVersion":"1999-01-01"}"#, "schemaVersion"), (#"{"schemaVersion":"2022-07-01","types":[]}"#, "types"),
        (#"{"schemaVersion":"2022-07-01","types":["platform","platform"]}"#, "types"),
        (#"{"schemaVersion":"2022-07-01","types":["platform"]}"#, "destination"),
        (#"{"schemaVersion":"2022-07-01","types":["platform"],"destination":{"protocol":"UDP"}}"#, "destination.protocol"),
        (#"{"schemaVersion":"2022-07-01","types":["platform"],"destination":{"protocol":"TCP","port":0}}"#, "destination.port"),
        (#"{"schemaVersion":"2022-07-01","types":["platform"],"destination":{"protocol":"HTTP","URI":"http://example.com/"}}"#, "its host is"),
        (#"{"schemaVersion":"2022-07-01","types":["platform"],"destination":{"protocol":"HTTP","URI":"http://sandbox:9001/"}}"#, "9001"),
        (#"{"schemaVersion":"2022-07-01","types":["platform"],"destination":{"protocol":"TCP","port":1},"buffering":{"maxItems":10}}"#, "buffering.maxItems"),
    ])
    func `a subscription out of shape is refused by its field`(text: String, part: String) throws {
        let error = #expect(throws: TelemetrySubscription.Malformed.self) { try subscription(text) }
        #expect(error?.problem.contains(part) == true)
    }
}

@Suite struct TelemetryBufferTests {
    @Test func `batches keep to their bounds`() {
        var buffer = TelemetryBuffer(maxItems: 3, maxBytes: 10)
        for _ in 0..<5 { buffer.add([1, 2]) }
        #expect(buffer.isFull)
        #expect(buffer.takeBatch().count == 3)
        #expect(buffer.takeBatch().count == 2)
        #expect(buffer.takeBatch().isEmpty && buffer.isEmpty)
        buffer.add(Array(repeating: 1, count: 15))
        buffer.add([1])
        #expect(buffer.takeBatch().map(\.count) == [15])
    }

    @Test func `what a slow subscriber misses is counted`() {
        var buffer = TelemetryBuffer(maxItems: 2, maxBytes: 100)
        for _ in 0..<7 { buffer.add([1, 2, 3]) }
        let dropped = buffer.takeDropped()
        #expect(dropped?.records == 3 && dropped?.bytes == 9)
        #expect(buffer.takeDropped() == nil)
    }
}

@Suite struct ShellWordsTests {
    @Test(arguments: [
        ("cbpr-validate -", ["cbpr-validate", "-"]), ("  a\tb  ", ["a", "b"]), (#"sh -c 'echo "$1"; cat' x"#, ["sh", "-c", "echo \"$1\"; cat", "x"]),
        (#""a \"b\" \c" ''"#, [#"a "b" \c"#, ""]), (#"a\ b"c d"e"#, ["a bc de"]), ("", []),
    ])
    func `words are split like a shell does`(line: String, words: [String]) throws {
        #expect(try ShellWords.split(line) == words)
    }

    @Test(arguments: ["a | b", "a > b", "a; b", "echo $HOME", "'open", #"a\"#, "`a`"])
    func `what only a shell could do is refused`(line: String) {
        #expect(throws: ShellWords.Malformed.self) { try ShellWords.split(line) }
    }
}

@Suite struct StdioInputTests {
    private func source(_ text: String, _ input: FunctionSettings.Input, isFromDirectory: Bool = false) throws -> StdioInput.Source {
        try StdioInput.source(of: Array(text.utf8), input, isFromDirectory: isFromDirectory)
    }

    @Test func `the input is the event, its body, or the file that has arrived`() throws {
        #expect(try source("<xml/>", .event) == .bytes(Array("<xml/>".utf8)))
        #expect(try source(#"{"body":"PGEvPg==","isBase64Encoded":true}"#, .body) == .bytes(Array("<a/>".utf8)))
        #expect(try source(#"{"Records":[{"body":"one"},{"body":"two"}]}"#, .body) == .bytes(Array("one\ntwo".utf8)))
        let record = #"{"Records":[{"s3":{"bucket":{"arn":"arn:forkless:directory:us-east-1:000000000000:/in"},"object":{"key":"a+b%2Bc.xml"}}}]}"#
        #expect(try source(record, .file, isFromDirectory: true) == .file(directory: "/in", name: "a b+c.xml"))
    }

    @Test func `a made-up file is not read`() {
        let record = #"{"Records":[{"s3":{"bucket":{"arn":"arn:forkless:directory:us-east-1:000000000000:/etc"},"object":{"key":"shadow"}}}]}"#
        #expect(throws: StdioInput.Malformed.self) { try source(record, .file) }
        #expect(throws: StdioInput.Malformed.self) { try source("{}", .body) }
        #expect(throws: StdioInput.Malformed.self) { try source("no json", .body) }
        #expect(throws: StdioInput.Malformed.self) { try source(#"{"body":"!","isBase64Encoded":true}"#, .body) }
    }

    @Test func `a file is read below its directory only`() async throws {
        let directory = try TemporaryDirectory("input")
        try directory.write("secret", to: "outside")
        try directory.write("wanted", to: "in/file")
        let place = try Files.place(directory.path("in"))
        try FileEntries.makeLink(to: "../outside", named: "link", at: place.raw)
        #expect(try await StdioInput.read(.file(directory: directory.path("in"), name: "file")) == Array("wanted".utf8))
        for name in ["link", "../outside", "/outside", "missing"] {
            await #expect(throws: SystemError.self) {
                try await StdioInput.read(.file(directory: directory.path("in"), name: name))
            }
        }
    }
}

@Suite struct FunctionLogTests {
    private func lines(_ count: Int, _ text: String = "line") -> [ArraySlice<UInt8>] {
        Array(repeating: Array(text.utf8)[...], count: count)
    }

    @Test func `lines beyond the room are counted and dropped`() throws {
        let directory = try TemporaryDirectory("log")
        let log = FunctionLog(directory: directory.path("f")) { _ in }
        let long = String(repeating: "x", count: 1 << 20)
        log.add(lines(6, long), at: Timestamp(nanoseconds: 0))
        #expect(log.lostBytes == 3 << 20)
        log.flush()
        #expect(try Files.status(directory.path("f/log")).size > 3 << 20)
    }

    @Test func `a flood is bounded by rotation`() throws {
        let directory = try TemporaryDirectory("log")
        let log = FunctionLog(directory: directory.path("f"), limit: 10_000) { _ in }
        for _ in 0..<100 {
            log.add(lines(10), at: Timestamp(nanoseconds: 0))
            log.flush()
        }
        let sizes = try ["log", "log.1"].map { try Files.status(directory.path("f/\($0)")).size }
        #expect(sizes.allSatisfy { $0 <= 10_000 && $0 > 0 })
        let text = try Files.readText(directory.path("f/log"))
        #expect(text.split(separator: "\n").allSatisfy { $0 == "1970-01-01T00:00:00.000000000Z stdout F line" })
    }

    @Test func `a directory that cannot be written loses lines and nothing else`() throws {
        let directory = try TemporaryDirectory("log")
        try directory.write("in the way", to: "f")
        let log = FunctionLog(directory: directory.path("f")) { _ in }
        log.add(lines(1), at: Timestamp(nanoseconds: 0))
        log.flush()
        #expect(log.lostBytes > 0)
        try Files.remove(directory.path("f"))
        log.add(lines(1), at: Timestamp(nanoseconds: 0))
        log.flush()
        #expect(Files.exists(directory.path("f/log")))
    }
}

@Suite struct LogThreadTests {
    @Test func `a close writes what was said before it, and nothing is written after it`() async throws {
        let directory = try TemporaryDirectory("logs")
        for round in 0..<20 {
            let logs = try LogThread(directory: directory.path("\(round)"))
            let (one, other) = (logs.log(of: "one"), logs.log(of: "other"))
            one.add([Array("before".utf8)[...]], at: Timestamp(nanoseconds: 0))
            await logs.close()
            #expect(try Files.readText(directory.path("\(round)/one/log")) == "1970-01-01T00:00:00.000000000Z stdout F before")
            try Files.removeTree(directory.path("\(round)"))
            for log in [one, other] { log.add([Array("after".utf8)[...]], at: Timestamp(nanoseconds: 0)) }
            await logs.close()
            #expect(!Files.exists(directory.path("\(round)")))
        }
    }

    @Test func `logs that never had a line are closed without a thread`() async throws {
        let directory = try TemporaryDirectory("logs")
        let logs = try LogThread(directory: directory.path)
        await logs.close()
        logs.log(of: "f").add([Array("late".utf8)[...]], at: Timestamp(nanoseconds: 0))
        #expect(try Files.list(directory.path) == [])
    }
}

@Suite struct InstanceOutputTests {
    @Test(arguments: [1, 2, 7, 1000]) func `lines come out whole however they were read`(chunk: Int) throws {
        let directory = try TemporaryDirectory("output")
        let log = FunctionLog(directory: directory.path("f")) { _ in }
        let pipe = try Files.pipe(nonBlocking: true).ends()
        let output = InstanceOutput(pipe.reader, log: log)
        let heard = Mutex<[String]>([])
        output.onLine { line, _ in heard.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
        var rest = Array("one\ntwo\n\nfour, without an end".utf8)[...]
        while !rest.isEmpty {
            try Files.writeAll(Array(rest.prefix(chunk)), to: pipe.writer.raw)
            rest = rest.dropFirst(chunk)
            output.catchUp()
        }
        #expect(heard.withLock { $0 } == ["one", "two", ""])
        try Files.writeAll([10], to: pipe.writer.raw)
        output.catchUp()
        #expect(heard.withLock { $0 } == ["one", "two", "", "four, without an end"])
    }

    @Test func `the tail keeps the last bytes`() throws {
        let directory = try TemporaryDirectory("output")
        let log = FunctionLog(directory: directory.path("f")) { _ in }
        let pipe = try Files.pipe(nonBlocking: true).ends()
        let output = InstanceOutput(pipe.reader, log: log)
        output.beginCall("START")
        #expect(String(decoding: output.tail, as: UTF8.self) == "START\n")
        for number in 0..<2000 { output.say("line \(number)") }
        #expect(output.tail.count == InstanceOutput.tailBytes)
        #expect(String(decoding: output.tail, as: UTF8.self).hasSuffix("line 1998\nline 1999\n"))
        output.beginCall("START")
        #expect(String(decoding: output.tail, as: UTF8.self) == "START\n")
    }
}

@Suite struct FunctionPlansTests {
    @Test(arguments: [(128, 2, 72), (1769, 2, 1000), (3538, 2, 2000), (10_240, 2, 2000), (10_240, 16, 5788), (1, 1, 10)])
    func `memory sets the share of the processors`(memoryMB: Int, processors: Int, millis: Int) {
        #expect(FunctionPlans.cpuMillis(memoryMB: memoryMB, processors: processors) == millis)
    }
}
