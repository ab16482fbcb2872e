package import Engine
import HTTPServing
package import Images
import Linux
package import Networking
import NodeLogs
import Synchronization

/// A node put together: directories, locks, the link to the keeper, the engine, and the server in front of it.
///
/// Invariants
/// 1. Two nodes never share a state or run directory. (test: `a second node in the same directories is refused`)
/// 2. Ending a node, in whatever way, ends no container. (test: `a killed node leaves its containers running, and the next one adopts them`)
package final class Node: Sendable {
    package let settings: NodeSettings
    package let engine: ContainerEngine
    package let images: ImageStore
    private let networks: ContainerNetworks
    private let link: KeeperLink
    private let linking: Task<Void, Never>
    private let server: NodeServer
    private let parts: [NodePart]
    private let loops: ServingLoops
    private let locks: Mutex<NodeLocks?>

    /// Reads what is on disk, starts or finds the keeper, adopts what runs, and listens.
    ///
    /// - Parameters:
    ///   - parts: what is served besides containers.
    ///   - machine: where bridges and rules are made.
    ///   - log: what is written to; nil: standard error, as the settings say.
    ///   - note: takes sentences in place of a log.
    /// - Throws: `NodeFailure` that says what is in the way.
    package static func start(
        _ settings: NodeSettings, parts makers: [NodePart.Maker] = [], machine: MachineNetwork = MachineNetwork(),
        log: NodeLog? = nil, note: (@Sendable (String) -> Void)? = nil
    ) async throws(NodeFailure) -> Node {
        let log = log ?? NodeLog(settings.log, instead: note)
        let settings = try prepared(settings)
        let locks = try NodeLocks(settings)
        let planner: LaunchPlanner
        do { planner = LaunchPlanner(machine: try MachineFacts.ofThisMachine()) } catch {
            throw NodeFailure(.system, "look at this machine: \(error)")
        }
        let images: ImageStore
        do throws(ImageFailure) { images = try ImageStore(directory: settings.state + "/images") } catch {
            throw NodeFailure(.system, "open the store of images in \(settings.state)/images: \(error.description)")
        }
        let access = KeeperProcess(run: settings.run, executable: settings.keeper)
        let link = KeeperLink(access, nodeName: "node \(OwnProcess.pid)")
        let journal = EventJournal()
        let networks = ContainerNetworks(
            state: settings.state, run: settings.run, machine: machine, journal: journal, note: log.note("networks"))
        let engine = ContainerEngine(
            directory: ContainerDirectory(state: settings.state), link: link, planner: planner, images: images,
            networks: networks, journal: journal, note: log.note("containers"))
        let remarks = try await engine.open()
        for remark in remarks { log.write(.warn, "containers", remark) }
        let loops = ServingLoops(count: 1)
        let surroundings = NodeSurroundings(
            settings: settings, link: link, planner: planner, engine: engine, images: images,
            networks: networks, journal: journal, machine: machine, loops: loops, log: log)
        do throws(NodeFailure) {
            let parts = try await make(makers, surroundings)
            do throws(NodeFailure) {
                return try await Node(settings, locks, link, engine, images, networks, parts, loops, remarks, log)
            } catch {
                for part in parts { await part.close() }
                throw error
            }
        } catch {
            await loops.shutDown()
            throw error
        }
    }

    /// All parts, or none of them.
    private static func make(
        _ makers: [NodePart.Maker], _ surroundings: NodeSurroundings
    ) async throws(NodeFailure) -> [NodePart] {
        var parts: [NodePart] = []
        for maker in makers {
            do throws(NodeFailure) {
                let part = try await maker(surroundings)
                if let owner = part.owner { await surroundings.link.add(owner) }
                parts.append(part)
            } catch {
                for part in parts { await part.close() }
                throw error
            }
        }
        return parts
    }

    private init(
        _ settings: NodeSettings, _ locks: NodeLocks, _ link: KeeperLink, _ engine: ContainerEngine,
        _ images: ImageStore, _ networks: ContainerNetworks, _ parts: [NodePart], _ loops: ServingLoops,
        _ remarks: [String], _ log: NodeLog
    ) async throws(NodeFailure) {
        self.settings = settings
        self.locks = Mutex(locks)
        self.link = link
        self.engine = engine
        self.images = images
        self.networks = networks
        self.parts = parts
        self.loops = loops
        let linking = Task { await link.run() }
        self.linking = linking
        let status = StatusRoutes(
            settings: settings, startedAt: Clock.now(), engine: engine, link: link, remarks: remarks)
        do {
            // A node that cannot reach a keeper says so at once instead of serving nothing but errors.
            try await link.untilUp()
            let offers = NodeOffers(parts)
            for part in parts { try await part.begin(offers) }
            server = NodeServer(
                listener: try Self.listen(at: settings.nodeSocket),
                routes: engine.routes + status.routes + parts.flatMap(\.routes), note: log.note("node"))
        } catch {
            await link.close()
            linking.cancel()
            throw error
        }
    }

    /// Serves until `stop`.
    package func serve() async { await server.run() }

    /// Stops serving and lets go of the keeper. Containers run on; of the parts, what only this node could use ends.
    package func stop() async {
        server.stop()
        try? Files.remove(settings.nodeSocket)
        for part in parts { await part.close() }
        await link.close()
        linking.cancel()
        await networks.shutDown()
        await loops.shutDown()
        // Last: from now on another node may have the directories.
        locks.withLock { $0 = nil }
    }

    private static func prepared(_ settings: NodeSettings) throws(NodeFailure) -> NodeSettings {
        do {
            let settings = try settings.validated(workingDirectory: OwnProcess.workingDirectory() ?? "/")
            for directory in [settings.state, settings.run] { try Files.makeDirectories(directory, mode: 0o700) }
            return settings
        } catch let error as NodeSettingsError {
            throw NodeFailure(.badRequest, error.description)
        } catch { throw NodeFailure(.system, "prepare the node's directories: \(error)") }
    }

    private static func listen(at path: String) throws(NodeFailure) -> OwnedFD {
        do {
            // Whose it was is gone: we hold the lock.
            if Files.exists(path) { try Files.remove(path) }
            return try MessageSocket.listen(at: path)
        } catch { throw NodeFailure(.system, "\(error)") }
    }
}
