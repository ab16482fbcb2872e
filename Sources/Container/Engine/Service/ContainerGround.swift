import Keeper
import Linux
import Sandbox
import Spawn

/// What a container's sandbox stands on besides its plan: layers, room, host name, network and its files of /etc.
struct ContainerGround: Sendable {
    /// nil without a node: then there is no image and no network of the node.
    var images: ContainerImages?
    var networks: ContainerNetworks?
    var directory: ContainerDirectory
    var volumes: VolumeStore
    /// The machine's own name, for containers in its network.
    var machineName: String
    /// Finds a container by what a user calls it.
    var find: @Sendable (String) throws(NodeFailure) -> ContainerRecord

    /// An image as this container's root; nil for one without image.
    func root(of record: ContainerRecord) async throws(NodeFailure) -> ImageRoot? {
        guard record.spec.image != nil else { return nil }
        guard let images else { throw Self.noImages(record.spec) }
        return ImageRoot(layers: try await images.layers(of: record), rooms: directory.rooms, room: record.room)
    }

    static func noImages(_ spec: ContainerSpec) -> NodeFailure {
        NodeFailure(
            .unsupported,
            "the image \"\(spec.image?.name ?? "")\" needs a node: start one with \"forkless node\" and run it again")
    }

    /// The host name inside; nil: one for all containers, which is the plan's.
    func hostname(of record: ContainerRecord) -> String? {
        if let hostname = record.spec.hostname { return hostname }
        guard record.spec.image != nil else { return nil }
        return record.spec.networkChoice == .host ? machineName : String(record.id.prefix(12))
    }

    // A start.

    /// What a start brings that its plan does not have.
    struct Particulars: Sendable {
        var files = RoomFiles()
        /// The network's namespace, for a plan whose network is given.
        var network: SharedFD?
        /// The IPC namespace, for a plan that shares it.
        var ipc: SharedFD?
        /// The sandbox whose pid namespace it is to be in.
        var among: String?
    }

    /// Gets ready what the start needs; `release` gives it back, also after a failure.
    ///
    /// - Parameter launch: what of it the network decides is written into it.
    func prepare(
        _ record: ContainerRecord, _ launch: inout PlannedLaunch
    ) async throws(NodeFailure) -> Particulars {
        let among = try processes(of: record)
        guard record.needsNetwork else { return Particulars(among: among) }
        guard let networks else {
            throw NodeFailure(.unsupported, "--network: networks need a node: start one with \"forkless node\"")
        }
        let owner = try await owner(of: record.spec.networkChoice)
        let hostname = hostname(of: record) ?? ContainerSpec.defaultHostname
        let prepared = try await networks.prepare(
            id: record.id, name: record.name, spec: record.spec, hostname: hostname
        ) { word throws(NodeFailure) in
            guard let owner else { return try ContainerNetworks.noOwner(word) }
            return owner
        }
        launch.plan.network = prepared.mode
        if prepared.ipc != nil || prepared.isIPCOfMachine {
            launch.plan.namespaces.remove(.ipc)
            launch.plan.isIPCGiven = prepared.ipc != nil
        }
        var particulars = Particulars(network: prepared.namespace, ipc: prepared.ipc, among: among)
        guard record.spec.image != nil else { return particulars }
        if prepared.hostname != hostname { launch.call.rename(from: hostname, to: prepared.hostname) }
        particulars.files = RoomFiles(
            hosts: prepared.hosts, hostname: prepared.hostname + "\n", resolver: prepared.resolvConf)
        return particulars
    }

    /// The sandbox whose processes a container shares; nil: none.
    private func processes(of record: ContainerRecord) throws(NodeFailure) -> String? {
        guard case .container(let word) = record.spec.processes else { return nil }
        let owner = try find(word)
        guard owner.lifecycle.isUnderWay else {
            throw NodeFailure(.conflict, "--pid container:\(owner.name): it does not run, so it has no processes to be among")
        }
        return owner.sandbox(run: owner.lifecycle.runs)
    }

    /// Gives back what `prepare` made ready.
    func release(_ record: ContainerRecord) async {
        guard record.needsNetwork else { return }
        await networks?.release(record.id, reusable: record.spec.leavesNetworkClean)
    }

    /// Goes on with a container of an earlier node that runs.
    func adopt(_ record: ContainerRecord) async {
        guard record.needsNetwork, let pid = record.lifecycle.run?.start?.pid else { return }
        await networks?.adopt(record.id, pid: pid)
    }

    /// The container whose network is to be shared.
    private func owner(of choice: ContainerNetwork) async throws(NodeFailure) -> SharedNetworkOwner? {
        guard case .container(let word) = choice else { return nil }
        let owner = try find(word)
        var shared = SharedNetworkOwner(
            id: owner.id, name: owner.name, pid: owner.lifecycle.isUnderWay ? owner.lifecycle.run?.start?.pid : nil,
            network: owner.spec.networkChoice, hostname: hostname(of: owner) ?? ContainerSpec.defaultHostname, hosts: nil,
            resolvConf: nil)
        guard let room = owner.room.map({ "\(directory.rooms)/\($0)" }) else { return shared }
        do {
            (shared.hosts, shared.resolvConf) = try await BlockingPool.shared.run { () throws(SystemError) in
                (try Self.text("\(room)/hosts"), try Self.text("\(room)/resolv.conf"))
            }
        } catch { throw NodeFailure(.system, "--network container:\(owner.name): \(error)") }
        return shared
    }

    private static func text(_ file: String) throws(SystemError) -> String {
        String(decoding: try Files.read(file, limit: 1 << 20), as: UTF8.self)
    }
}

extension ContainerRecord {
    /// Whether its network is more than what a plan says by itself, or its files of /etc depend on it.
    fileprivate var needsNetwork: Bool {
        if spec.image != nil { return true }
        if case .container = spec.networkChoice { return true }
        return false
    }
}

extension ProgramCall {
    /// Gives another host name, also in the variable HOSTNAME unless somebody set that.
    fileprivate mutating func rename(from old: String, to new: String) {
        hostname = new
        environment = StringBlock(environment.strings.map { $0 == "HOSTNAME=\(old)" ? "HOSTNAME=\(new)" : $0 })
    }
}
