import Linux
import Store
import Synchronization
import TestKit
import Testing

@testable import ExecDoor

/// What shims are mounted with in a test.
enum Mounting: CaseIterable, CustomTestStringConvertible {
    /// A table: for everybody.
    case played
    /// Real shims over files of the test: for root.
    case real

    var testDescription: String { self == .played ? "played mounts" : "real mounts" }

    static var here: [Mounting] { isRoot ? allCases : [.played] }
}

/// A desk with its database, and a program that it shifts.
final class ShiftPlace: Sendable {
    let directory: TemporaryDirectory
    let program: String
    let mounting: any ShiftMounting
    private let kind: Mounting
    private let nodes = Mutex<[Node]>([])
    private let announced = Mutex<[String]>([])
    /// What the making of a target says; nil: it is made.
    let targetProblem = Mutex<ShiftProblem?>(nil)

    private struct Node: Sendable {
        var desk: ShiftDesk
        var database: StateDatabase
    }

    init(_ kind: Mounting) async throws {
        self.kind = kind
        directory = try TemporaryDirectory("desk")
        program = directory.path("program")
        try Files.replace(program, with: try Files.read("/bin/true"), mode: 0o755)
        switch kind {
        case .played: mounting = PlayedMounts()
        case .real:
            mounting = NodeMounts(
                state: directory.path("state"), run: directory.path("run"), socket: directory.path("exec.sock"),
                shim: try ShimFile(path: try BuiltFile.path("shim/forkless-shim")))
        }
        try await start()
    }

    var desk: ShiftDesk { nodes.withLock { $0.last!.desk } }
    var database: StateDatabase { nodes.withLock { $0.last!.database } }
    var told: [String] { announced.withLock { $0 } }

    /// A node that takes up what is written. The one before was killed: nothing of it is asked any more.
    func start(in mounts: (any ShiftMounting)? = nil) async throws {
        let database = try StateDatabase(path: directory.path("node.db"), migrations: ShiftTables.migrations)
        let (journal, worker) = (ShiftJournal(database), SerialWorker())
        let later = DeskPlace()
        let book = ShiftBook(ledger: NotedCalls()) { id, actions in later.desk?.perform(id, actions) }
        let desk = ShiftDesk(
            book: book, journal: journal, mounting: mounts ?? mounting, worker: worker,
            makeTarget: { [self] _, _, _, _ throws(ShiftProblem) in
                if let problem = targetProblem.withLock({ $0 }) { throw problem }
                return NoTarget()
            }, makeControl: { _, _ in NoTarget() }, announce: { [self] text in announced.withLock { $0.append(text) } })
        later.set(desk)
        nodes.withLock { $0.append(Node(desk: desk, database: database)) }
        try await desk.open()
    }

    var id: String { ProgramMounts.id(of: program) }

    func spec(_ stage: ShiftStage, outputFiles: [String] = []) -> ShiftSpec {
        ShiftSpec(
            program: program, target: stage == .measure ? nil : ShiftTarget(.container), stage: stage,
            outputFiles: outputFiles)
    }

    var state: ShiftState? { desk.book.entry(id)?.state }

    func kept() async throws -> KeptShift? {
        try await database.read { store throws(StoreFailure) in try ShiftRows.all(store) }.first
    }

    func history() async throws -> [ShiftHistoryKind] {
        try await desk.journal.history(of: id, limit: 1000).map(\.kind)
    }

    var isMounted: Bool { mounting.look(id, at: program).isMounted }

    // What happens to the program.

    /// As umount(8), without the node.
    func unmountByHand() throws {
        switch mounting {
        case let played as PlayedMounts: played.forget(program)
        default: try Mounts.detach(program)
        }
    }

    /// Another file takes the program's name, as from another mount namespace: the kernel takes the shim away with the
    /// file that it stood over.
    func replace() async throws {
        let new = directory.path("new")
        try Files.replace(new, with: try Files.read("/bin/false"), mode: 0o755)
        try await elsewhere(["mv", new, program])
        (mounting as? PlayedMounts)?.forget(program)
    }

    func remove() async throws {
        try await elsewhere(["rm", program])
        (mounting as? PlayedMounts)?.forget(program)
    }

    /// Does something where the shim is not to be seen.
    func elsewhere(_ words: [String]) async throws {
        // A namespace of its own that has not the shim: what it renames is no mount point there.
        let command = kind == .real ? ["unshare", "--mount", "sh", "-c", "umount \(program); exec \"$@\"", "sh"] : []
        let outcome = try await CommandRunner.run(command + words)
        guard outcome.status.isSuccess else { throw Unmade(description: outcome.errorText) }
    }

    struct Unmade: Error, CustomStringConvertible { var description: String }

    /// Lets every write fail, as on a full disk, or work again.
    func makeRoom(_ hasRoom: Bool) async throws {
        try await database.write { store throws(StoreFailure) in
            for table in ["shifts", "shiftHistory"] {
                try store.execute(
                    hasRoom
                        ? "DROP TRIGGER full\(table)"
                        : "CREATE TRIGGER full\(table) BEFORE INSERT ON \(table) BEGIN SELECT RAISE(ABORT, 'no room'); END"
                )
            }
        }
    }

    /// Nothing is left mounted.
    func close() async {
        try? mounting.unmount(id, program: program)
        mounting.tidy([])
        let all = nodes.withLock { nodes in
            // Each holds this place, too.
            defer { nodes = [] }
            return nodes
        }
        for node in all {
            await node.desk.close()
            await node.database.close()
        }
    }
}

/// Mounts as a table.
final class PlayedMounts: ShiftMounting {
    private let mounted = Mutex<[String: String]>([:])
    let place: String

    init(place: String = "boot one") { self.place = place }

    func examine(_ program: String) throws(ShiftProblem) -> ProgramFile { try ProgramFile.examine(program) }

    func mount(_ id: String, program: String) throws(ShiftProblem) -> MountedProgram {
        let file = try ProgramFile.examine(program)
        mounted.withLock { $0[file.path] = id }
        return MountedProgram(file: file, original: nil, originalPath: file.path, shim: file.identity)
    }

    func unmount(_ id: String, program: String) throws(ShiftProblem) {
        guard let path = try? ProgramMounts.resolved(program) else { return }
        mounted.withLock { if $0[path] == id { $0[path] = nil } }
    }

    func original(of path: String) -> String { path }

    func look(_ id: String, at path: String) -> MountLook {
        MountLook(isMounted: mounted.withLock { $0[path] == id }, program: try? ProgramIdentity.of(path))
    }

    func takeNote(_ id: String) -> String? { nil }
    func tidy(_ mounted: [MountedProgram]) {}

    func forget(_ path: String) { mounted.withLock { $0[path] = nil } }
}
