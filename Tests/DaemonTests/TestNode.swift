import Daemon
import Engine
import Keeper
import Linux
import Synchronization
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
    static func keeper() throws -> String { try BuiltFile.path("forkless-keeper") }

    /// `forkless`, as it was built with the tests.
    static func forkless() throws -> String { try BuiltFile.path("forkless") }

    func start() async throws -> Node {
        let node = try await Node.start(settings, parts: [FunctionPart.maker], note: { _ in })
        Task { await node.serve() }
        return node
    }

    func connect() async throws -> NodeClient { try await NodeClient.connect(to: settings.nodeSocket) }

    private var keeperProcess: KeeperProcess { KeeperProcess(run: settings.run, executable: settings.keeper) }

    /// Ends the keeper with everything in it, and waits until it is gone. Not for a node that runs: it starts another.
    func endKeeper() async throws {
        guard try await shutDownKeeper() else { return }
        let socket = keeperProcess.socket
        try await eventually("the keeper's socket is gone") { !Files.exists(socket) }
    }

    /// Ends the keeper with everything in it; false when there is none.
    @discardableResult
    func shutDownKeeper() async throws -> Bool {
        guard let channel = try await keeperProcess.connect() else { return false }
        let connection = KeeperConnection(channel) { _, _ in }
        _ = try? await connection.request(.shutdown(killing: true))
        _ = await connection.untilEnded()
        return true
    }
}

/// What a test reads from and writes to a program: three pipes.
final class TestStreams: Sendable {
    /// What the program gets. To be let go of once it has them, so that their ends are seen.
    private let given: Mutex<[SharedFD]>
    private let input: Mutex<SharedFD?>
    private let output: SharedFD
    private let error: SharedFD

    init() throws {
        let (input, output, error) = (try TestPipe(), try TestPipe(), try TestPipe())
        given = Mutex([input.reader, output.writer, error.writer])
        self.input = Mutex(input.writer)
        (self.output, self.error) = (output.reader, error.reader)
    }

    var descriptors: [CInt] { given.withLock { $0.map(\.raw) } }

    /// Closes our copies of the program's ends.
    func handedOver() { given.withLock { $0 = [] } }

    func write(_ text: String) throws {
        try input.withLock { try Files.writeAll(Array(text.utf8), to: $0!.raw) }
    }

    func endInput() { input.withLock { $0 = nil } }

    /// Everything that the program writes to its standard output, until it ends.
    func allOutput() async throws -> String { try await Self.all(output) }
    func allErrors() async throws -> String { try await Self.all(error) }

    private static func all(_ fd: SharedFD) async throws -> String {
        String(
            decoding: try await BlockingPool.shared.run { () throws(SystemError) in
                try Files.readAll(fd.raw, limit: 256 << 20)
            }, as: UTF8.self)
    }
}

private struct TestPipe {
    let reader: SharedFD
    let writer: SharedFD

    init() throws {
        var pipe = try Files.pipe()
        reader = SharedFD(pipe.takeReader())
        writer = SharedFD(pipe.takeWriter())
    }
}
