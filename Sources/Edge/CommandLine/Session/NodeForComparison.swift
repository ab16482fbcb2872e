import Daemon
import Engine
import Keeper
import Linux
import Spawn
import Synchronization

/// The node that a comparison talks to: the one that runs, or one of its own in temporary directories.
final class NodeForComparison: Sendable {
    private let connected: NodeClient?
    /// What was started for this comparison, to be ended with it.
    private let own: Own?

    /// The end of it, begun once and awaited by everybody who wants it.
    private let closing = Mutex<Task<Void, Never>?>(nil)

    private struct Own: Sendable {
        var node: RunningProgram
        var directory: String
    }

    private init(_ connected: NodeClient?, _ own: Own?) {
        self.connected = connected
        self.own = own
    }

    /// Connects to the node that the flags name, or starts one where none runs.
    static func open(_ flags: NodeFlags, isNeeded: Bool) async throws -> NodeForComparison {
        guard isNeeded else { return NodeForComparison(nil, nil) }
        do { return NodeForComparison(try await flags.connect(), nil) } catch let failure as NodeFailure
            where failure.kind == .unavailable
        {
            StandardStreams.writeError("forkless: no node runs; starting one for this comparison\n")
            return try await start(for: "compare")
        }
    }

    /// A node of our own, also where one runs: for figures that nobody else's work is in.
    static func own(for what: String) async throws -> NodeForComparison { try await start(for: what) }

    func client() throws -> NodeClient {
        guard let connected else { throw CommandFailure("compare: these rungs need a node") }
        return connected
    }

    /// Where the node listens.
    func directories(_ flags: NodeFlags) throws -> NodeDirectories {
        guard let own else { return try flags.directories() }
        return try NodeDirectories(state: own.directory + "/state", run: own.directory + "/run", isRoot: true) { _ in nil }
    }

    private static func start(for what: String) async throws -> NodeForComparison {
        let directory = "/tmp/forkless-compare-\(OwnProcess.pid)-" + String(UInt64.random(in: .min ... .max), radix: 36)
        try Files.makeDirectories(directory, mode: 0o700)
        var options = Options()
        options.standardInput = .null
        options.standardOutput = .null
        options.standardError = .null
        options.group = .ownSession
        let arguments = ["node", "--state", directory + "/state", "--run", directory + "/run"]
            + ["--lambda-listen", "off", "--http-listen", "off", "--kubernetes-listen", "off"]
        let program = try Template(.path(try OwnProcess.executable()), arguments: arguments, options: options).start()
        let own = Own(node: program, directory: directory)
        for _ in 0..<1000 {
            if let client = try? await NodeClient.connect(to: directory + "/run/node.sock") {
                return NodeForComparison(client, own)
            }
            if try program.exitIfEnded() != nil { break }
            try await Task.sleep(for: .milliseconds(10))
        }
        await NodeForComparison(nil, own).close()
        throw CommandFailure("\(what): a node of its own did not come up; see what `forkless node` says")
    }

    /// How long a node may take to end.
    private static let endLimit = Duration.seconds(5)

    /// Ends a node of our own, its keeper and everything in it.
    func close() async {
        guard let own else { return }
        let task = closing.withLock { closing in
            let task = closing ?? Task { await Self.end(own) }
            closing = task
            return task
        }
        await task.value
    }

    /// The node alone is told to end: `stop` would kill the keeper with it, which has cgroups to clear up.
    private static func end(_ own: Own) async {
        try? own.node.signal(Signal.terminate)
        let limit = Task {
            try await Task.sleep(for: endLimit)
            try own.node.signal(Signal.kill)
        }
        _ = try? await own.node.wait()
        limit.cancel()
        if let keeper = try? MessageSocket.connect(to: own.directory + "/run/keeper.sock") {
            try? keeper.send(KeeperRequest.shutdown(killing: true).encoded(number: 1))
            // It closes the connection when it has cleared up.
            while let message = try? keeper.receive() { _ = message }
        }
        try? Files.removeTree(own.directory)
    }
}
