import Daemon
import Engine
import Linux
import TestKit
import Testing

/// A node with directories of its own, in this process or in one of its own.
struct TestNode: Sendable {
    let directory: TemporaryDirectory
    let settings: NodeSettings

    init() throws {
        directory = try TemporaryDirectory("node")
        settings = NodeSettings(
            state: directory.path("state"), run: directory.path("run"), keeper: try Self.keeper(), version: "test")
    }

    /// The keeper that was built with the tests.
    static func keeper() throws -> String {
        var own = try OwnProcess.executable().split(separator: "/", omittingEmptySubsequences: false)
        own[own.count - 1] = "forkless-keeper"
        return own.joined(separator: "/")
    }

    func start() async throws -> Node {
        let node = try await Node.start(settings, note: { _ in })
        Task { await node.serve() }
        return node
    }

    func connect() async throws -> NodeClient { try await NodeClient.connect(to: settings.nodeSocket) }

    /// Ends the keeper with everything in it, and waits until it is gone.
    func endKeeper() async throws {
        let access = KeeperProcess(run: settings.run, executable: settings.keeper)
        guard let channel = try await access.connect() else { return }
        let connection = KeeperConnection(channel) { _, _ in }
        _ = try? await connection.request(.shutdown(killing: true))
        _ = await connection.untilEnded()
        let socket = access.socket
        try await eventually("the keeper's socket is gone") { !Files.exists(socket) }
    }
}

/// What a test reads from and writes to a program: three pipes.
struct TestStreams {
    let given: [SharedFD]
    private let input: SharedFD
    private let output: SharedFD
    private let error: SharedFD

    init() throws {
        var (a, b, c) = (try Files.pipe(), try Files.pipe(), try Files.pipe())
        given = [SharedFD(a.takeReader()), SharedFD(b.takeWriter()), SharedFD(c.takeWriter())]
        (input, output, error) = (SharedFD(a.takeWriter()), SharedFD(b.takeReader()), SharedFD(c.takeReader()))
    }
}
