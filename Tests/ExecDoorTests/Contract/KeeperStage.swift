import Engine
import Functions
import ExecDoor
import Keeper
import Linux
import Sandbox
import TestKit
import Testing

/// A keeper and what starts calls in its sandboxes.
final class KeeperStage: Sendable {
    let directory: TemporaryDirectory
    let link: KeeperLink
    let sandboxes: CallSandboxes
    let shelf: StandbyShelf
    private let running: Task<Void, Never>

    init(_ directory: TemporaryDirectory? = nil, orphanTime: Duration = .seconds(60)) async throws {
        self.directory = try directory ?? TemporaryDirectory("keeper")
        try Files.makeDirectories(self.directory.path("run"))
        let link = KeeperLink(
            KeeperProcess(run: self.directory.path("run"), executable: try BuiltFile.path("forkless-keeper")),
            nodeName: "exec door test")
        self.link = link
        sandboxes = CallSandboxes(link, orphanTime: orphanTime)
        shelf = StandbyShelf(link)
        await link.add(sandboxes)
        await link.add(shelf.sandboxes.lives)
        running = Task { await link.run() }
        try await link.untilUp()
    }

    /// How many sandboxes the keeper runs.
    func running() async throws -> Int { try await link.status()?.running ?? 0 }

    /// As a node that dies: the keeper runs on.
    func leave() async {
        await link.close()
        await running.value
    }

    /// Ends the keeper and everything in it.
    func end() async throws {
        await shelf.close()
        try await link.shutDown(killing: true)
        await running.value
    }

    func target(_ ground: SandboxTarget.Ground, dropsDescriptors: Bool = false) throws -> SandboxTarget {
        let program = try ToldProgram.path()
        return SandboxTarget(
            ground, program: program, name: program, sandboxes: sandboxes, dropsDescriptors: dropsDescriptors)
    }

    static func machine() throws -> SandboxTarget.Ground {
        let capabilities = Capabilities.dockerDefault.intersection(try Capabilities.permitted())
        return .machine(
            capabilities: capabilities, filter: try SeccompProfile.standard(capabilities: capabilities).compile().bytes)
    }
}
