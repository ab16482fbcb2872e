import Daemon
import Engine
import JSON
import Linux
import Synchronization
import TestKit
import Testing

/// How many requests wait, counted by many tasks at once.
private final class Count: Sendable {
    private let count = Mutex(0)

    var value: Int { count.withLock { $0 } }
    func add(_ difference: Int) { count.withLock { $0 += difference } }
}

/// The server with routes of the test's own.
@Suite struct NodeServerTests {
    /// A server on a socket, with one route that answers, one that streams for ever and one that waits for ever.
    private struct Served: Sendable {
        let directory: TemporaryDirectory
        let server: NodeServer
        let waiting: Count
        var path: String { directory.path("node.sock") }

        init() throws {
            directory = try TemporaryDirectory("server")
            let waiting = Count()
            self.waiting = waiting
            let routes = [
                NodeRoute(GetVersion.self) { _, _ async throws(NodeFailure) in NodeVersion(version: "test", api: 1) },
                NodeRoute(ReadLogs.self) { _, exchange async throws(NodeFailure) in
                    let line = LogLine(
                        time: Timestamp(nanoseconds: 0), stream: .stdout,
                        content: [UInt8](repeating: 65, count: 8192), isComplete: true)
                    while !Task.isCancelled { try await exchange.send(LogLines(lines: [line])) }
                    throw NodeFailure(.cancelled, "taken back")
                },
                NodeRoute(WaitForContainer.self) { _, _ async throws(NodeFailure) in
                    waiting.add(1)
                    _ = await Published(false).wait { $0 }
                    waiting.add(-1)
                    throw NodeFailure(.cancelled, "taken back")
                },
            ]
            server = NodeServer(
                listener: try MessageSocket.listen(at: directory.path("node.sock")), routes: routes, note: { _ in })
            let server = server
            Task { await server.run() }
        }

        func connect() async throws -> NodeClient { try await NodeClient.connect(to: path) }
    }

    @Test func `the socket is for its owner only`() async throws {
        let served = try Served()
        #expect(try Files.status(served.path).permissions == 0o600)
        #expect(try await served.connect().call(GetVersion()) == NodeVersion(version: "test", api: 1))
        served.server.stop()
    }

    @Test func `what the node cannot do or does not understand is an error that names it`() async throws {
        let served = try Served()
        let client = try await served.connect()
        let unknown = await #expect(throws: NodeFailure.self) { try await client.call(GetStatus()) }
        #expect(unknown?.kind == .unsupported)
        #expect(unknown?.message.contains("node.status") == true)
        let channel = try await MessageChannel.connect(to: served.path)
        try await channel.send(
            NodeFrame(id: 1, .request(operation: "node.version", parameters: ["colour": "blue"])))
        var buffer = ReceiveBuffer()
        guard case .failure(let failure)? = try await channel.receiveFrame(&buffer)?.frame.body else {
            Issue.record("no failure")
            return
        }
        #expect(failure.kind == .badRequest)
        #expect(failure.message.contains("colour"))
        served.server.stop()
    }

    @Test func `bytes that are no message end their connection and no other`() async throws {
        let served = try Served()
        let client = try await served.connect()
        for bytes in ["nonsense", "{\"id\":1}", "{\"id\":1,\"result\":{}}", "{\"memory\":70000000000}", "{\"memory\":5}"] {
            let channel = try await MessageChannel.connect(to: served.path)
            try await channel.send(Array(bytes.utf8))
            var buffer = ReceiveBuffer()
            guard case .failure(let failure)? = try await channel.receiveFrame(&buffer)?.frame.body else {
                Issue.record("no failure for \(bytes)")
                continue
            }
            #expect(failure.kind == .protocolError)
            #expect(try await channel.receiveFrame(&buffer) == nil)
        }
        #expect(try await client.call(GetVersion()).version == "test")
        served.server.stop()
    }

    @Test func `a caller that does not read holds nobody else up`() async throws {
        let served = try Served()
        let deaf = try await MessageChannel.connect(to: served.path)
        try await deaf.send(
            NodeFrame(id: 1, .request(operation: "containers.logs", parameters: ReadLogs(container: "x").json)))
        for _ in 0..<20 {
            let client = try await served.connect()
            #expect(try await client.call(GetVersion()).version == "test")
        }
        served.server.stop()
    }

    @Test func `a caller that goes away takes its requests along and nothing else`() async throws {
        let served = try Served()
        let channel = try await MessageChannel.connect(to: served.path)
        for id in 1...5 {
            try await channel.send(
                NodeFrame(id: id, .request(operation: "containers.wait", parameters: ["container": "x"])))
        }
        try await eventually { served.waiting.value == 5 }
        channel.end()
        try await eventually { served.waiting.value == 0 }
        #expect(try await served.connect().call(GetVersion()).version == "test")
        served.server.stop()
    }

    @Test func `a request that is taken back is answered so`() async throws {
        let served = try Served()
        let client = try await served.connect()
        let calling = Task { try await client.call(WaitForContainer(container: "x")) }
        try await eventually { served.waiting.value == 1 }
        calling.cancel()
        let failure = await #expect(throws: NodeFailure.self) { try await calling.value }
        #expect(failure?.kind == .cancelled)
        try await eventually { served.waiting.value == 0 }
        served.server.stop()
    }

    @Test func `one request more than may be under way is refused`() async throws {
        let served = try Served()
        let channel = try await MessageChannel.connect(to: served.path)
        for id in 1...NodeServer.requestLimit {
            try await channel.send(
                NodeFrame(id: id, .request(operation: "containers.wait", parameters: ["container": "x"])))
        }
        try await channel.send(NodeFrame(id: 9999, .request(operation: "node.version", parameters: [:])))
        var buffer = ReceiveBuffer()
        let frame = try await channel.receiveFrame(&buffer)?.frame
        #expect(frame?.id == 9999)
        guard case .failure(let failure)? = frame?.body else {
            Issue.record("not refused")
            return
        }
        #expect(failure.kind == .conflict)
        channel.end()
        served.server.stop()
    }
}

@Suite struct NodeSettingsTests {
    @Test func `relative directories are made absolute`() throws {
        let settings = try NodeSettings(state: "s", run: "./r/", keeper: "k", version: "").validated(workingDirectory: "/w")
        #expect(settings == NodeSettings(state: "/w/s", run: "/w/r", keeper: "/w/k", version: ""))
    }

    @Test func `a run directory that is too long for a socket is refused before anything is made`() {
        let long = "/" + String(repeating: "x", count: 95)
        let fits = "/" + String(repeating: "x", count: 94)
        #expect(throws: NodeSettingsError.self) {
            try NodeSettings(state: "/s", run: long, version: "").validated(workingDirectory: "/")
        }
        #expect(throws: Never.self) {
            try NodeSettings(state: "/s", run: fits, version: "").validated(workingDirectory: "/")
        }
        #expect(throws: NodeSettingsError.self) {
            try NodeSettings(state: "/s", run: "/s", version: "").validated(workingDirectory: "/")
        }
    }
}
