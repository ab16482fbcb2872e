import Catalog
import Engine
import EventSources
import Functions
import HTTPServing
import Lambda
import Linux
import Metering
import Sandbox
import Store

/// What stands behind the Lambda API: the catalogue, the pools with their instances, events and queues, the ledger.
///
/// Invariants
/// 1. What was accepted before a node died is taken up by the next one.
///    (test: `accepted events outlive a node that was killed`)
/// 2. At a node's end calls that run may end, and everything that was counted is in the ledger.
///    (test: `a node that ends loses no record`)
struct FunctionRung: Sendable {
    /// STATE/functions
    let directory: String
    let database: StateDatabase
    let ledger: Ledger
    let catalog: FunctionCatalog
    let launcher: SandboxLauncher
    let invoker: FunctionInvoker
    let sources: NodeEvents
    let loops: ServingLoops
    private let provisioned: ProvisionedCounts

    static func start(_ node: NodeSurroundings) async throws(NodeFailure) -> FunctionRung {
        let directory = "\(node.settings.state)/functions"
        do { try Files.makeDirectories(directory, mode: 0o700) } catch { throw NodeFailure(.system, "\(error)") }
        let database = try await LambdaDatabase.open(state: node.settings.state)
        do {
            return try await start(node, directory, database)
        } catch let failure as NodeFailure {
            throw failure
        } catch { throw NodeFailure(.system, "start the functions of this node: \(error)") }
    }

    private static func start(
        _ node: NodeSurroundings, _ directory: String, _ database: StateDatabase
    ) async throws -> FunctionRung {
        let ledger = try await Ledger(database, headFile: "\(directory)/ledger.head", log: node.log.calls, remark: node.log.note("ledger"))
        let keys = KeyBook(ledger, run: "\(OwnProcess.pid)-\(Clock.now().nanoseconds)")
        let machine = try MachineCapacity.ofThisMachine()
        let region = node.settings.lambda.region
        let pythons = PythonRuntimes(
            directories: node.settings.lambda.pythonRuntimes + ["\(directory)/runtimes"],
            path: OwnProcess.variable("PATH") ?? "", home: OwnProcess.variable("HOME") ?? "/root")
        let catalog = try await FunctionCatalog.open(
            database, directory: directory, settings: settings(region, machine, pythons), images: NodeImages(store: node.images))
        var ground = InstanceGround(
            images: node.images, state: directory, region: region, machine: machine, note: node.log.note("functions"))
        ground.hold = { catalog.lease($0) }
        let launcher = try SandboxLauncher(node.link, ground)
        launcher.use(PythonPlanning(launcher, runtimes: pythons), for: .python)
        let loops = node.loops
        let invoker = FunctionInvoker(
            on: loops.loops[0], launcher: launcher, try .ofThisMachine(), ledger: ledger, keys: keys, capacity: ledger)
        let sources = NodeEvents(store: database, invoker: invoker, catalog: catalog, account: catalog.settings.account)
        let rung = FunctionRung(
            directory: directory, database: database, ledger: ledger, catalog: catalog, launcher: launcher, invoker: invoker,
            sources: sources, loops: loops, provisioned: ProvisionedCounts())
        try await rung.begin()
        return rung
    }

    private static func settings(
        _ region: String, _ machine: MachineCapacity, _ pythons: PythonRuntimes
    ) -> CatalogSettings {
        #if arch(arm64)
            let architecture = "arm64"
        #else
            let architecture = "x86_64"
        #endif
        var settings = CatalogSettings(
            architecture: architecture, memoryMB: machine.memoryBytes >> 20, pythons: pythons.available)
        settings.account.region = region
        return settings
    }

    /// Takes up what is declared and what was accepted.
    private func begin() async throws {
        await invoker.withPlane { [provisioned] plane in plane.onProvisioning = { provisioned.changed($0, $1) } }
        catalog.connect { [provisioned] hooks in hooks.provisioned = { provisioned.counts(of: $0) } }
        for (name, count) in catalog.reservedConcurrency() { try await invoker.setReserved(name, count) }
        for wanted in catalog.provisioned() { invoker.setProvisioned(wanted.function, wanted.count) }
        catalog.observe { follow($0) }
        try await sources.start()
        launcher.warm()
    }

    /// What the catalogue has changed, for those who run it.
    private func follow(_ event: CatalogEvent) {
        switch event {
        case .deployed(let function, let former):
            // In this order, so that what both need is not let go.
            invoker.expect(function)
            if let former { invoker.retire(former) }
        case .retired(let function): invoker.retire(function)
        case .reservedConcurrency(let name, let count):
            // The catalogue has checked it against the same limits.
            Task { try? await invoker.setReserved(name, count) }
        case .provisionedConcurrency(let name, let wanted): provision(name, wanted)
        case .mapping, .mappingDeleted, .functionDeleted, .functionURL, .functionURLDeleted: break
        }
    }

    /// Versions that are not named keep nothing warm any more.
    private func provision(_ name: String, _ wanted: [ProvisionedFunction]) {
        let named = Set(wanted.map(\.function))
        Task {
            let others = await invoker.withPlane { plane in
                plane.provisionedFunctions(named: name).filter { !named.contains($0) }
            }
            for function in others { invoker.setProvisioned(function, 0) }
            for one in wanted { invoker.setProvisioned(one.function, one.count) }
        }
    }

    /// Takes nothing more; calls that run may end.
    func close() async {
        sources.stop()
        await invoker.close()
        await launcher.close()
        try? await ledger.close()
        await database.close()
    }
}
