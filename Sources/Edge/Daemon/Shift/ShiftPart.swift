import Engine
import ExecDoor
import Functions
import LambdaAPI
import Linux
import Metering
import Store

/// Shifts as a part of the node: the door at RUN/exec.sock, the book, what shims are mounted over, and the targets.
///
/// Invariants
/// 1. Shims stay when a node ends, in whatever way; the next one goes on with them.
///    (test: `what was asked for survives a node that was killed`)
struct ShiftPart: Sendable {
    /// How often it is looked whether somebody has changed what is mounted, and what has changed is written down.
    private static let lookPause = Duration.seconds(1)

    let resource: ShiftExtension
    /// nil where shifts are not possible.
    let desk: ShiftDesk?
    private let door: ExecDoor?
    private let looking: Task<Void, Never>?
    private let targets: ShiftTargets?

    static func open(_ rung: FunctionRung, _ node: NodeSurroundings) async throws(NodeFailure) -> ShiftPart {
        let prices = try DoorResources.prices(node.settings)
        do throws(ShiftProblem) {
            guard OwnProcess.effectiveUser == 0 else {
                throw ShiftProblem(
                    .unsupported, "shifts need a node that runs as root: shims are mounted over programs")
            }
            return try await open(rung, node, try shim(node.settings), prices)
        } catch {
            // Functions and containers work without; who asks for a shift hears why.
            if error.kind == .system { node.note("shifts are not possible: \(error)") }
            let resource = ShiftExtension(desk: .failure(error), database: rung.database, prices: prices)
            return ShiftPart(resource: resource, desk: nil, door: nil, looking: nil, targets: nil)
        }
    }

    private static func shim(_ settings: NodeSettings) throws(ShiftProblem) -> ShimFile {
        do { return try ShimFile(path: settings.shim) } catch {
            throw ShiftProblem(.unsupported, "shifts need the shim: \(error)")
        }
    }

    private static func open(
        _ rung: FunctionRung, _ node: NodeSurroundings, _ shim: ShimFile,
        _ prices: @escaping @Sendable () throws(PriceBookError) -> PriceBook
    ) async throws(ShiftProblem) -> ShiftPart {
        let settings = node.settings
        let worker = SerialWorker()
        let waiting = DeskPlace()
        let book = ShiftBook(ledger: rung.ledger) { id, actions in waiting.desk?.perform(id, actions) }
        let targets = ShiftTargets(node, rung)
        await node.link.add(targets.sandboxes)
        await node.link.add(targets.shelf.sandboxes.lives)
        let desk = ShiftDesk(
            book: book, journal: ShiftJournal(rung.database),
            mounting: NodeMounts(state: settings.state, run: settings.run, socket: settings.execSocket, shim: shim),
            worker: worker,
            makeTarget: { target, spec, program, original async throws(ShiftProblem) in
                try await targets.make(target, spec, program, original)
            },
            makeControl: { program, original async throws(ShiftProblem) in try await targets.control(program, original)
            },
            announce: node.log.note("shifts"))
        waiting.set(desk)
        let door = ExecDoor(
            DoorSettings(socket: settings.execSocket), decider: book, resumption: targets.sandboxes)
        do throws(SystemError) {
            // Programs of every user are shifted: they find the socket and the originals, and can list nothing.
            try Files.setPermissions(settings.run, 0o711)
            try door.start()
        } catch { throw ShiftProblem(.system, "listen for shims: \(error)") }
        do throws(ShiftProblem) { try await desk.open() } catch {
            await door.stop()
            throw error
        }
        let looking = Task {
            while !Task.isCancelled {
                try? await Task.sleep(for: lookPause)
                if !Task.isCancelled { await desk.look() }
            }
        }
        let resource = ShiftExtension(desk: .success(desk), database: rung.database, prices: prices)
        return ShiftPart(resource: resource, desk: desk, door: door, looking: looking, targets: targets)
    }

    var states: [ShiftState] { desk?.book.entries.map(\.state) ?? [] }

    /// Takes no more calls: shims execute the original.
    func close() async {
        looking?.cancel()
        await looking?.value
        await door?.stop()
        await desk?.close()
        await targets?.shelf.close()
    }
}
