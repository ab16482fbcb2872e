package import Linux

/// The networks of a node: their definitions, bridges, addresses, rules, names and ready namespaces.
///
/// Invariants
/// 1. A network that a container uses is not removed. (test: `a network in use is not removed`)
/// 2. A request that fails leaves no address, link, port or rule behind.
///    (test: `an attachment that fails leaves nothing behind`)
/// 3. Removing the last network takes everything of ours out of the kernel.
///    (test: `removing the last network leaves no trace`)
/// 4. A node that dies changes nothing for containers that run; the next one goes on with their addresses, names
///    and ports. (test: `the next node goes on with what runs`)
package actor NetworkService {
    /// Namespaces kept ready for each network in use.
    package static let poolTarget = 8

    let machine: MachineNetwork
    let directory: NetworkDirectory
    let rules: RulesetProgram
    let watch: RulesetWatch
    /// What is answered at the networks' gateways.
    package nonisolated let names = NameServer.Names()
    let nameServer: NameServer
    let resolverFile: String
    let poolTarget: Int

    var networks: [String: Network] = [:]
    var attachments: [String: Attachment] = [:]
    /// Containers that an earlier node attached, until it is known whether they run. What is theirs stays theirs.
    var awaited: [String: AttachmentRecord] = [:]
    /// Whether the machine routes only because we made it.
    var hasOpenedRouting = false
    /// Containers whose networks change right now, and who waits for them.
    var busy: [String: [CheckedContinuation<Void, Never>]] = [:]
    /// Networks whose bridges an earlier node left in the kernel.
    var leftBridges: Set<String> = []

    /// A network and what it has in the kernel.
    struct Network {
        var definition: NetworkDefinition
        var ipv4: AddressBook
        var ipv6: AddressBook?
        var pool: WarmPool<Spare>
        /// Containers that have joined it or are about to.
        var users: Set<String> = []
        /// The bridge's number, once it is wanted.
        var bridge: Task<Result<Int32, NetworkFailure>, Never>?

        init(_ definition: NetworkDefinition, poolTarget: Int) {
            self.definition = definition
            ipv4 = AddressBook(definition.ipv4)
            ipv6 = definition.ipv6.map(AddressBook.init)
            // Of a small subnet the containers need every address.
            pool = WarmPool(target: definition.ipv4.subnet.hostBits < 8 ? 0 : poolTarget)
        }
    }

    /// A namespace with a link in one network.
    struct Spare: Sendable {
        var namespace: SharedFD
        var endpoint: NetworkEndpoint
    }

    /// A container with its networks.
    struct Attachment {
        var record: AttachmentRecord
        var namespace: SharedFD
        /// Sockets that keep the published ports from others.
        var reservations: [SharedFD]
    }

    /// - Parameters:
    ///   - state: the node's state directory.
    ///   - node: what tells this node from others of the machine: its run directory.
    ///   - machine: where bridges and rules are made.
    ///   - resolverFile: where the machine's name servers are.
    package init(
        state: String, node: String, machine: MachineNetwork = MachineNetwork(), resolverFile: String = "/etc/resolv.conf",
        poolTarget: Int = NetworkService.poolTarget
    ) {
        self.machine = machine
        self.resolverFile = resolverFile
        self.poolTarget = poolTarget
        directory = NetworkDirectory(state: state)
        rules = RulesetProgram(machine: machine, table: Self.table(of: node))
        watch = RulesetWatch(machine: machine, rules: rules)
        nameServer = NameServer(machine: machine, names: names) {
            ResolverFile((try? Files.readText(resolverFile)) ?? "").nameServers
        }
    }

    /// "forkless_" and a hash of the name, FNV-1a.
    package static func table(of node: String) -> String {
        let hash = node.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return "forkless_" + String(hash, radix: 16)
    }

    /// What a user asks for; what is nil is chosen.
    package struct Wish: Hashable, Sendable {
        package var name: String
        package var subnets: [Subnet] = []
        package var gateways: [IPAddress] = []
        /// Where containers get their addresses, one for a subnet.
        package var choices: [Subnet] = []
        package var wantsIPv6 = false
        package var isInternal = false
        package var mtu: UInt32?
        package var labels: [String: String] = [:]

        package init(name: String) { self.name = name }
    }

    /// Every network, by name.
    package func list() -> [NetworkDefinition] { networks.values.map(\.definition).sorted { $0.name < $1.name } }

    /// A network by name, id or a beginning of the id that no other has.
    package func find(_ word: String) throws(NetworkFailure) -> NetworkDefinition {
        if let network = networks[word] { return network.definition }
        let found = networks.values.filter { word.utf8.count >= 3 && $0.definition.id.hasPrefix(word) }
        guard found.count == 1 else {
            throw NetworkFailure(
                found.isEmpty ? .notFound : .invalid,
                found.isEmpty ? "there is no network \(word); `forkless network ls` shows them" : "several networks begin with \(word)")
        }
        return found[0].definition
    }

    /// Who is in a network: container id, name and place, by address.
    package func members(of name: String) -> [(containerID: String, containerName: String, endpoint: NetworkEndpoint)] {
        (attachments.values.map(\.record) + awaited.values).flatMap { record in
            record.endpoints.filter { $0.network == name }.map { (record.containerID, record.containerName, $0) }
        }.sorted { $0.2.ipv4 < $1.2.ipv4 }
    }

    /// The network namespace of whoever has an address in one of the networks.
    package func namespace(at address: IPAddress) -> SharedFD? {
        attachments.values.first { $0.record.endpoints.contains { $0.addresses.contains(address) } }?.namespace
    }

    /// The published ports of a container, with the host ports that were chosen.
    package func ports(of containerID: String) -> [PublishedPort] {
        attachments[containerID]?.record.ports ?? awaited[containerID]?.ports ?? []
    }

    /// Makes a network. Its bridge comes with its first container.
    @discardableResult
    package func create(_ wish: Wish) async throws(NetworkFailure) -> NetworkDefinition {
        try NetworkDefinition.check(name: wish.name)
        let routed = try await orFailureAsync { [machine] () async throws(SystemError) in
            try await machine.run { () throws(SystemError) in
                let socket = try NetlinkSocket()
                return try socket.routedSubnets(isIPv6: false) + socket.routedSubnets(isIPv6: true)
            }
        }
        guard networks[wish.name] == nil else { throw NetworkFailure(.conflict, "there is a network \(wish.name) already") }
        let used = networks.values.flatMap { $0.definition.ranges.map(\.subnet) }
        let definition = try Self.definition(wish, used: used, routed: routed)
        try definition.check()
        // Reserved before the disk is asked: nobody else may get the name or the subnet meanwhile.
        networks[wish.name] = Network(definition, poolTarget: poolTarget)
        do throws(NetworkFailure) {
            try await onDisk { directory throws(SystemError) in
                try directory.open()
                try directory.write(definition)
            }
        } catch {
            networks[wish.name] = nil
            throw error
        }
        return definition
    }

    private static func definition(
        _ wish: Wish, used: [Subnet], routed: [Subnet]
    ) throws(NetworkFailure) -> NetworkDefinition {
        func range(_ subnet: Subnet) -> NetworkDefinition.Range {
            NetworkDefinition.Range(
                subnet: subnet,
                gateway: wish.gateways.first { subnet.contains($0) } ?? SubnetChoice.gateway(of: subnet),
                choice: wish.choices.first { subnet.overlaps($0) })
        }
        for isIPv6 in [false, true] where wish.subnets.count(where: { $0.isIPv6 == isIPv6 }) > 1 {
            throw NetworkFailure(.invalid, "network \(wish.name): one subnet of a kind, not several")
        }
        if let stray = wish.gateways.first(where: { gateway in !wish.subnets.contains { $0.contains(gateway) } }) {
            throw NetworkFailure(.invalid, "network \(wish.name): the gateway \(stray) is in none of its subnets")
        }
        if let stray = wish.choices.first(where: { choice in !wish.subnets.contains { $0.overlaps(choice) } }) {
            throw NetworkFailure(.invalid, "network \(wish.name): the range \(stray) is in none of its subnets")
        }
        for subnet in wish.subnets {
            if let other = (used + routed).first(where: { $0.overlaps(subnet) }) {
                throw NetworkFailure(.conflict, "network \(wish.name): \(subnet) overlaps with \(other), which is in use")
            }
        }
        guard let four = wish.subnets.first(where: { !$0.isIPv6 }) ?? SubnetChoice.ipv4(avoiding: used + routed) else {
            throw NetworkFailure(.conflict, "network \(wish.name): no free subnet is left; choose one with --subnet")
        }
        let random = UInt64.random(in: 0...UInt64.max)
        let six = wish.subnets.first(where: \.isIPv6) ?? (wish.wantsIPv6 ? SubnetChoice.ipv6(random: random) : nil)
        let digits = String(UInt64.random(in: 0..<1 << 48), radix: 16)
        return NetworkDefinition(
            id: String(repeating: "0", count: 12 - digits.utf8.count) + digits, name: wish.name, ipv4: range(four),
            ipv6: six.map(range), isInternal: wish.isInternal, mtu: wish.mtu, labels: wish.labels, createdAt: Clock.now())
    }

    /// Removes a network that no container uses, and its bridge.
    package func remove(_ word: String) async throws(NetworkFailure) {
        let definition = try find(word)
        guard let network = networks[definition.name], network.users.isEmpty else {
            throw NetworkFailure(
                .conflict, "network \(definition.name) is in use by \(networks[definition.name]!.users.count) containers: stop them first")
        }
        let actions = networks[definition.name]!.pool.close()
        networks[definition.name] = nil
        try await onDisk { directory throws(SystemError) in try directory.remove(network: definition.name) }
        for case .discard(let spare) in actions { await removeLinks([spare.endpoint.hostLink]) }
        guard network.bridge != nil || leftBridges.remove(definition.name) != nil else { return }
        _ = await network.bridge?.value
        for range in definition.ranges { await nameServer.stop(at: range.gateway) }
        await removeLinks([definition.bridge])
        if networks.values.contains(where: { $0.bridge != nil || !$0.users.isEmpty }) { return try await applyRules() }
        await leaveKernel()
    }

    /// Removes every network that no container uses and that is meant, but for the default one.
    package func prune(
        _ isMeant: @Sendable (NetworkDefinition) -> Bool = { _ in true }
    ) async throws(NetworkFailure) -> [NetworkDefinition] {
        let unused = networks.values.filter(\.users.isEmpty).map(\.definition)
            .filter { $0.name != NetworkDefinition.defaultName && isMeant($0) }.sorted { $0.name < $1.name }
        for network in unused { try await remove(network.name) }
        return unused
    }

    // What the files of the service share.

    func onDisk(
        _ body: @escaping @Sendable (NetworkDirectory) throws(SystemError) -> Void
    ) async throws(NetworkFailure) {
        let directory = directory
        try await orFailureAsync { () async throws(SystemError) in
            try await BlockingPool.shared.run { () throws(SystemError) in try body(directory) }
        }
    }

    /// Changes of one container's networks come one after the other.
    func enter(_ containerID: String) async {
        guard busy[containerID] != nil else { return busy[containerID] = [] }
        await withCheckedContinuation { busy[containerID]!.append($0) }
    }

    func leave(_ containerID: String) {
        // Whoever waits longest has it now; the entry stays.
        if busy[containerID]!.isEmpty { busy[containerID] = nil } else { busy[containerID]!.removeFirst().resume() }
    }

    func removeLinks(_ links: [String]) async {
        // A link that cannot be removed goes with its namespace.
        try? await machine.run { () throws(SystemError) in try NamespaceMaking.remove(links: links) }
    }

    /// Rules for the networks that have a bridge and for the ports of everybody attached.
    func applyRules() async throws(NetworkFailure) {
        // The bridges of containers that are awaited are there, too: the whole replaces what an earlier node applied.
        let live = networks.values.filter { $0.bridge != nil || !$0.users.isEmpty }.map(\.definition)
        if live.isEmpty { return await leaveKernel() }
        let records = attachments.values.map(\.record) + awaited.values
        try await rules.apply(
            Ruleset(
                bridges: live.map {
                    Ruleset.Bridge(name: $0.bridge, subnets: $0.ranges.map(\.subnet), isInternal: $0.isInternal)
                }, ports: records.flatMap(rules), refusesTransit: hasOpenedRouting))
    }

    /// A port leads to the container's first place in a network that can be reached from outside.
    private func rules(for record: AttachmentRecord) -> [Ruleset.Port] {
        let open = record.endpoints.filter { networks[$0.network]?.definition.isInternal == false }
        return record.ports.compactMap { port in
            let target = open.lazy.compactMap { port.hostAddress.isIPv6 ? $0.ipv6 : $0.ipv4 }.first
            return target.map { Ruleset.Port(port, target: $0) }
        }
    }
}

func orFailureAsync<Value>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws(SystemError) -> Value
) async throws(NetworkFailure) -> Value {
    do throws(SystemError) { return try await body() } catch { throw NetworkFailure(error) }
}
