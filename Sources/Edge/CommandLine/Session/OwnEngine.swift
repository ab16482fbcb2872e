import Daemon
import Engine
import Linux

/// An engine for one `forkless run` where no node answers: in this process, with a keeper and directories of its own.
///
/// Invariant: when `end` has returned, nothing of it is left: no process, no cgroup, no file.
/// (test: `run without a node leaves nothing behind`)
final class OwnEngine: Sendable {
    let client: NodeClient

    private let directory: String
    private let keeper: OwnKeeper
    private let link: KeeperLink
    private let server: NodeServer
    private let tasks: [Task<Void, Never>]

    /// Starts a keeper and serves the engine's operations at a socket that only this process knows.
    static func start() async throws(NodeFailure) -> OwnEngine {
        guard let executable = KeeperExecutable.places().first(where: { Files.isExecutableFile($0) }) else {
            throw NodeFailure(
                .unavailable,
                "no node runs, and there is no keeper at \(KeeperExecutable.places().joined(separator: ", ")) to run without one")
        }
        let name = "forkless-run-\(OwnProcess.pid)"
        let directory = "/tmp/\(name)-\(String(UInt64.random(in: .min ... .max), radix: 36))"
        do { try Files.makeDirectory(directory, mode: 0o700) } catch { throw NodeFailure(.system, "\(error)") }
        do throws(NodeFailure) {
            return try await OwnEngine(directory, OwnKeeper(executable: executable, cgroupParent: name))
        } catch {
            try? Files.removeTree(directory)
            throw error
        }
    }

    private init(_ directory: String, _ keeper: OwnKeeper) async throws(NodeFailure) {
        self.directory = directory
        self.keeper = keeper
        let link = KeeperLink(keeper, nodeName: "run \(OwnProcess.pid)")
        self.link = link
        let planner: LaunchPlanner
        do { planner = LaunchPlanner(machine: try MachineFacts.ofThisMachine()) } catch {
            throw NodeFailure(.system, "\(error)")
        }
        let socket = directory + "/node.sock"
        let note: @Sendable (String) -> Void = { StandardStreams.writeError("forkless: \($0)\n") }
        let engine = ContainerEngine(
            directory: ContainerDirectory(state: directory + "/state"), link: link, planner: planner, note: note)
        _ = try await engine.open()
        let server = NodeServer(listener: try Self.listen(at: socket), routes: engine.routes, note: note)
        self.server = server
        let linking = Task { await link.run() }
        tasks = [linking, Task { await server.run() }]
        do throws(NodeFailure) {
            try await link.untilUp()
            client = try await NodeClient.connect(to: socket)
        } catch {
            server.stop()
            await link.close()
            linking.cancel()
            await keeper.untilEnded()
            throw error
        }
    }

    /// Lets go of the keeper, which ends with everything that still runs, and removes what was written.
    func end() async {
        server.stop()
        await link.close()
        for task in tasks { task.cancel() }
        await keeper.untilEnded()
        try? Files.removeTree(directory)
    }

    private static func listen(at path: String) throws(NodeFailure) -> OwnedFD {
        do { return try MessageSocket.listen(at: path) } catch { throw NodeFailure(.system, "\(error)") }
    }
}
