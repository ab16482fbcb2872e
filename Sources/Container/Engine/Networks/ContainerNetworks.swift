import Linux
package import Networking
import Sandbox
import Synchronization

/// What a container has of networks: from the words of its spec to a namespace and files, and back at its end.
///
/// Nothing is done on the machine before the first container wants a network of the node: no bridge, no rule, and the
/// `nft` program is not needed.
///
/// Invariants
/// 1. Of a start that fails nothing stays: `release` may follow every `prepare`, also one that threw, and twice.
///    (test: `a start that fails after its network was made leaves nothing of it`)
/// 2. What is asked for and cannot be had is an error, never less than was asked for.
///    (test: `ports need a network that leads out`)
package final class ContainerNetworks: Sendable {
    package let service: NetworkService
    let journal: EventJournal
    /// Takes a sentence for the node's log.
    let remark: @Sendable (String) -> Void
    /// Whether this process may make bridges.
    private let isPrivileged: Bool
    /// The machine's own files.
    private let files: MachineFiles
    private let places = Mutex<[String: Place]>([:])
    /// What pods have for all their containers.
    let pods = Mutex<[String: PodPlace]>([:])

    /// Where the machine says what names mean.
    package struct MachineFiles: Sendable {
        package var hosts: String
        package var resolver: String

        package init(hosts: String = "/etc/hosts", resolver: String = "/etc/resolv.conf") {
            self.hosts = hosts
            self.resolver = resolver
        }
    }

    /// What is shown of a container that runs, without asking the service.
    struct Place: Sendable {
        var endpoints: [NetworkEndpoint]
        var ports: [PublishedPort]
    }

    /// - Parameters:
    ///   - state: the node's state directory.
    ///   - run: its run directory, which tells it from other nodes of the machine.
    ///   - machine: where bridges and rules are made.
    package init(
        state: String, run: String, machine: MachineNetwork = MachineNetwork(), files: MachineFiles = MachineFiles(),
        isPrivileged: Bool = OwnProcess.effectiveUser == 0, poolTarget: Int = NetworkService.poolTarget,
        journal: EventJournal = EventJournal(), note: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        service = NetworkService(
            state: state, node: run, machine: machine, resolverFile: files.resolver, poolTarget: poolTarget)
        self.files = files
        self.isPrivileged = isPrivileged
        self.journal = journal
        remark = note
    }

    /// Reads the networks that there are. What containers had when the earlier node ended stays theirs until `adopt`
    /// or `release`; of those that are not known any more nothing is kept.
    ///
    /// - Returns: remarks about what could not be read.
    package func open(isKnown: @escaping @Sendable (String) -> Bool) async throws(NodeFailure) -> [String] {
        do throws(NetworkFailure) { return try await service.open(isKnown: isKnown) } catch { throw NodeFailure(error) }
    }

    /// Makes a container's network ready for a start.
    ///
    /// - Parameters:
    ///   - spec: with the image's defaults, as far as they concern exposed ports.
    ///   - hostname: what its host name will be.
    ///   - owner: finds the container whose network is to be shared.
    /// - Throws: `NodeFailure`; nothing is left of a request that failed.
    package func prepare(
        id: String, name: String, spec: ContainerSpec, hostname: String,
        owner: (String) throws(NodeFailure) -> SharedNetworkOwner = ContainerNetworks.noOwner
    ) async throws(NodeFailure) -> PreparedNetwork {
        switch spec.networkChoice {
        case .isolated: return try await alone(spec, hostname)
        case .host: return try await ofMachine(spec, hostname)
        case .container(let word): return try await shared(try owner(word))
        case .pod(let pod): return try shared(pod: pod)
        case .joined(let networks): return try await joined(id, name, networks, spec, hostname)
        }
    }

    /// For callers without containers.
    package static func noOwner(_ word: String) throws(NodeFailure) -> SharedNetworkOwner {
        throw NodeFailure(.notFound, "there is no container \"\(word)\" whose network could be shared")
    }

    /// Takes a container out of its networks when its processes have ended, or were never started.
    ///
    /// - Parameter reusable: see `ContainerSpec.leavesNetworkClean`.
    package func release(_ id: String, reusable: Bool) async {
        let place = places.withLock { $0.removeValue(forKey: id) }
        await service.release(id, reusable: reusable)
        for endpoint in place?.endpoints ?? [] { note("disconnect", endpoint, of: id) }
    }

    /// Goes on with a container of the earlier node that runs.
    package func adopt(_ id: String, pid: Int32) async {
        do {
            // Of those that have no networks of ours nothing is looked up.
            guard await !service.endpoints(of: id).isEmpty else { return }
            let namespace = try await BlockingPool.shared.run { () throws(SystemError) in try NetworkNamespace.of(pid: pid) }
            for sentence in try await service.takeOver(id, namespace) { remark(sentence) }
            await show(id)
        } catch { remark("take over the networks of container \(id.prefix(12)): \(error)") }
    }

    /// The node ends. Containers that run keep their networks; without any, nothing of ours stays in the kernel.
    package func shutDown() async { await service.shutDown() }

    // What is shown.

    /// The published ports of a container that runs, with the host ports that were chosen.
    package func ports(of id: String) -> [PublishedPort] { places.withLock { $0[id]?.ports ?? [] } }

    /// Where a container that runs is.
    package func endpoints(of id: String) -> [NetworkEndpoint] { places.withLock { $0[id]?.endpoints ?? [] } }

    func show(_ id: String) async {
        let (endpoints, ports) = (await service.endpoints(of: id), await service.ports(of: id))
        places.withLock { $0[id] = Place(endpoints: endpoints, ports: ports) }
    }

    func note(_ action: String, _ endpoint: NetworkEndpoint, of id: String) {
        journal.note(
            .network, action, subject: endpoint.networkID, name: endpoint.network,
            attributes: ["container": id, "type": NetworkDefinition.driver])
    }

    // One function for each choice.

    private func alone(_ spec: ContainerSpec, _ hostname: String) async throws(NodeFailure) -> PreparedNetwork {
        let loopback = IPAddress(bytes: [127, 0, 0, 1])
        let machine = try await ofMachine(spec, hostname)
        return PreparedNetwork(
            mode: .own,
            hosts: HostsFile.text(
                hostname: hostname, addresses: [loopback],
                extra: spec.extraHosts.map { ($0.name, $0.address ?? loopback) }),
            resolvConf: machine.resolvConf, hostname: hostname)
    }

    private func ofMachine(_ spec: ContainerSpec, _ hostname: String) async throws(NodeFailure) -> PreparedNetwork {
        let files = files
        let texts: (hosts: String, resolver: String)
        do throws(SystemError) {
            texts = try await BlockingPool.shared.run { () throws(SystemError) in
                (try Self.text(files.hosts), try Self.text(files.resolver))
            }
        } catch { throw NodeFailure(.system, "\(error)") }
        var resolver = ResolverFile(texts.resolver)
        if !spec.nameServers.isEmpty { resolver.nameServers = spec.nameServers }
        resolver.searchDomains = spec.searchDomains ?? resolver.searchDomains
        resolver.options = spec.resolverOptions ?? resolver.options
        let loopback = IPAddress(bytes: [127, 0, 0, 1])
        let hosts = HostsFile.adding(spec.extraHosts.map { ($0.name, $0.address ?? loopback) }, to: texts.hosts)
        let isChanged = !spec.nameServers.isEmpty || spec.searchDomains != nil || spec.resolverOptions != nil
        return PreparedNetwork(
            mode: .machine, hosts: hosts, resolvConf: isChanged ? resolver.text : texts.resolver, hostname: hostname)
    }

    /// A machine without such a file resolves as if it were empty.
    private static func text(_ file: String) throws(SystemError) -> String {
        Files.exists(file) ? String(decoding: try Files.read(file, limit: 1 << 20), as: UTF8.self) : ""
    }

    private func shared(_ owner: SharedNetworkOwner) async throws(NodeFailure) -> PreparedNetwork {
        guard let pid = owner.pid else {
            throw NodeFailure(.conflict, "--network container:\(owner.name): it does not run, so it has no network to share")
        }
        let machine = try await ofMachine(ContainerSpec(program: ""), owner.hostname)
        var prepared = PreparedNetwork(
            mode: .given, hosts: owner.hosts ?? machine.hosts, resolvConf: owner.resolvConf ?? machine.resolvConf,
            hostname: owner.hostname)
        if let namespace = await service.namespace(of: owner.id) {
            prepared.namespace = namespace
        } else if owner.network == .host {
            prepared.mode = .machine
        } else {
            do throws(SystemError) {
                prepared.namespace = try await BlockingPool.shared.run { () throws(SystemError) in
                    try NetworkNamespace.of(pid: pid)
                }
            } catch { throw NodeFailure(.conflict, "--network container:\(owner.name): it has just ended (\(error))") }
        }
        return prepared
    }

    private func joined(
        _ id: String, _ name: String, _ networks: [NetworkAttachment.Joining], _ spec: ContainerSpec, _ hostname: String
    ) async throws(NodeFailure) -> PreparedNetwork {
        guard isPrivileged else {
            throw NodeFailure(
                .unsupported, "--network \(networks[0].network): networks need a node that runs as root; none and host do without")
        }
        let request = NetworkAttachment(
            containerID: id, containerName: name, hostname: hostname, networks: networks, ports: spec.portsToPublish,
            nameServers: spec.nameServers, searchDomains: spec.searchDomains, resolverOptions: spec.resolverOptions,
            extraHosts: spec.extraHosts)
        let attached: AttachedNetwork
        do throws(NetworkFailure) { attached = try await service.attach(request) } catch { throw NodeFailure(error) }
        places.withLock { $0[id] = Place(endpoints: attached.endpoints, ports: attached.ports) }
        for endpoint in attached.endpoints { note("connect", endpoint, of: id) }
        return PreparedNetwork(
            mode: .given, namespace: attached.namespace, hosts: attached.hosts, resolvConf: attached.resolvConf,
            hostname: attached.hostname, ports: attached.ports)
    }
}
