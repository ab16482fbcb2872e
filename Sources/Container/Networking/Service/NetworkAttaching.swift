package import Linux

/// Containers join and leave.
extension NetworkService {
    /// Gives a container a namespace in its networks. The default network is made on first use.
    ///
    /// - Throws: `NetworkFailure`; nothing is left of a request that failed.
    package func attach(_ request: NetworkAttachment) async throws(NetworkFailure) -> AttachedNetwork {
        try check(request)
        let id = request.containerID
        await enter(id)
        defer { leave(id) }
        guard attachments[id] == nil, awaited[id] == nil else {
            throw NetworkFailure(.conflict, "container \(request.containerName) has its networks already")
        }
        for joining in request.networks { try await makeDefault(if: joining.network) }
        let joined = try join(request)
        do throws(NetworkFailure) {
            return try await connect(request, joined)
        } catch {
            for name in joined { networks[name]?.users.remove(id) }
            throw error
        }
    }

    /// The default network is made on first use.
    package func makeDefault(if name: String) async throws(NetworkFailure) {
        guard name == NetworkDefinition.defaultName, networks[name] == nil else { return }
        do throws(NetworkFailure) { try await create(Wish(name: name)) } catch {
            // Somebody else may have been first.
            guard networks[name] != nil else { throw error }
        }
    }

    /// Takes a container out of its networks, when its processes have ended; one that has none is fine.
    ///
    /// - Parameter reusable: its program could change nothing in the namespace but open sockets: it had no
    ///   CAP_NET_ADMIN there.
    package func release(_ containerID: String, reusable: Bool) async {
        await enter(containerID)
        defer { leave(containerID) }
        let attachment = attachments.removeValue(forKey: containerID)
        guard let record = attachment?.record ?? awaited.removeValue(forKey: containerID) else { return }
        names.set([], of: containerID)
        if !record.ports.isEmpty { try? await applyRules() }
        try? await onDisk { directory throws(SystemError) in try directory.remove(attachment: containerID) }
        // Who knows a published port may still send to the address behind it: the next one gets another.
        await giveBack(attachment?.namespace, record.endpoints, reusable: reusable && record.ports.isEmpty)
        for endpoint in record.endpoints { networks[endpoint.network]?.users.remove(containerID) }
    }

    /// Whether a container has networks, and its namespace: for `--network container:ID`.
    package func namespace(of containerID: String) -> SharedFD? { attachments[containerID]?.namespace }

    private func check(_ request: NetworkAttachment) throws(NetworkFailure) {
        for port in request.ports { try port.check() }
        var seen: Set<String> = []
        for joining in request.networks where !seen.insert(joining.network).inserted {
            throw NetworkFailure(.invalid, "network \(joining.network) is named twice")
        }
        if request.networks.isEmpty, !request.ports.isEmpty {
            throw NetworkFailure(.invalid, "ports can be published only of a container in a network")
        }
        for host in request.extraHosts where !DNSName.isHostName(host.name) {
            throw NetworkFailure(.invalid, "\"\(host.name)\" is no host name")
        }
    }

    /// Marks the container as a user of its networks, by their names.
    private func join(_ request: NetworkAttachment) throws(NetworkFailure) -> [String] {
        var names: [String] = []
        for joining in request.networks { names.append(try find(joining.network).name) }
        let ranges = names.map { networks[$0]!.definition }
        for port in request.ports where port.hostAddress.isIPv6 && !ranges.contains(where: { $0.ipv6 != nil }) {
            throw NetworkFailure(.invalid, "port \(port): none of the container's networks has IPv6")
        }
        for name in names { networks[name]!.users.insert(request.containerID) }
        return names
    }

    private func connect(
        _ request: NetworkAttachment, _ joined: [String]
    ) async throws(NetworkFailure) -> AttachedNetwork {
        let (reserved, reservations) = try await reserve(request.ports)
        let (namespace, endpoints) = try await place(request, joined)
        let record = AttachmentRecord(
            containerID: request.containerID, containerName: request.containerName, endpoints: endpoints, ports: reserved,
            nameServers: request.nameServers, namespace: try inode(of: namespace))
        attachments[request.containerID] = Attachment(record: record, namespace: namespace, reservations: reservations)
        do throws(NetworkFailure) {
            // Made when the first network was, unless the container is in none.
            if !endpoints.isEmpty { try await onDisk { directory throws(SystemError) in try directory.write(record) } }
            if !reserved.isEmpty { try await applyRules() }
        } catch {
            attachments[request.containerID] = nil
            try? await onDisk { directory throws(SystemError) in try directory.remove(attachment: request.containerID) }
            await giveBack(namespace, endpoints, reusable: false)
            throw error
        }
        publishNames(of: record)
        return attached(request, record, namespace)
    }

    private func inode(of namespace: SharedFD) throws(NetworkFailure) -> UInt64 {
        try orFailure { () throws(SystemError) in
            try withExtendedLifetime(namespace) { () throws(SystemError) in try Files.status(of: namespace.raw).inode }
        }
    }

    /// Binds the ports on the machine, so that nobody else takes them and a conflict is an error here and now.
    func reserve(
        _ ports: [PublishedPort]
    ) async throws(NetworkFailure) -> (ports: [PublishedPort], sockets: [SharedFD]) {
        if ports.isEmpty { return ([], []) }
        do throws(SystemError) {
            return try await machine.run { () throws(SystemError) in
                var (chosen, sockets) = (ports, [SharedFD]())
                for index in ports.indices {
                    let port = ports[index]
                    let socket = SharedFD(
                        try InternetSocket.bind(
                            port.transport == .tcp ? .stream : .datagram,
                            to: InternetEndpoint(port.hostAddress, port.hostPort), listens: true))
                    chosen[index].hostPort = try InternetSocket.local(socket.raw)?.port ?? port.hostPort
                    sockets.append(socket)
                }
                return (chosen, sockets)
            }
        } catch {
            let isTaken = error.code == .addressInUse
            throw NetworkFailure(
                isTaken ? .conflict : .system,
                "publish a port: \(error)" + (isTaken ? ". Somebody else listens there: choose another port" : ""))
        }
    }

    /// A namespace with a link in each network: a ready one where there is one network and no special wish.
    private func place(
        _ request: NetworkAttachment, _ joined: [String]
    ) async throws(NetworkFailure) -> (SharedFD, [NetworkEndpoint]) {
        for name in joined { _ = try await bridge(of: name) }
        if joined.count == 1, request.networks[0].ipv4 == nil, request.networks[0].ipv6 == nil,
            var spare = takeSpare(of: joined[0])
        {
            spare.endpoint.aliases = request.networks[0].aliases
            return (spare.namespace, [spare.endpoint])
        }
        var endpoints: [NetworkEndpoint] = []
        do throws(NetworkFailure) {
            for (index, joining) in request.networks.enumerated() {
                endpoints.append(try allocate(in: joined[index], joining, interface: "eth\(index)"))
            }
            return (try await make(endpoints), endpoints)
        } catch {
            for endpoint in endpoints { giveBackAddresses(endpoint) }
            throw error
        }
    }

    /// Addresses and a name for the link of a container.
    func allocate(
        in name: String, _ wish: NetworkAttachment.Joining, interface: String
    ) throws(NetworkFailure) -> NetworkEndpoint {
        func exhausted() -> NetworkFailure {
            NetworkFailure(.conflict, "network \(name) has no free address left: remove containers or make a larger one")
        }
        let definition = networks[name]!.definition
        if wish.ipv6 != nil, definition.ipv6 == nil { throw NetworkFailure(.invalid, "network \(name) has no IPv6") }
        if let fixed = wish.ipv4 {
            makeWay(for: fixed, in: name)
            try networks[name]!.ipv4.take(fixed)
        }
        guard let ipv4 = wish.ipv4 ?? networks[name]!.ipv4.take() else { throw exhausted() }
        var ipv6: IPAddress?
        do throws(NetworkFailure) {
            if let fixed = wish.ipv6 {
                makeWay(for: fixed, in: name)
                try networks[name]!.ipv6!.take(fixed)
                ipv6 = fixed
            } else if definition.ipv6 != nil {
                ipv6 = networks[name]!.ipv6!.take()
                if ipv6 == nil { throw exhausted() }
            }
        } catch {
            networks[name]!.ipv4.giveBack(ipv4)
            throw error
        }
        return NetworkEndpoint(
            network: name, networkID: definition.id, interface: interface,
            hostLink: "fv" + String(UInt64.random(in: 1 << 44..<1 << 48), radix: 16), ipv4: ipv4, ipv6: ipv6,
            aliases: wish.aliases)
    }

    func giveBackAddresses(_ endpoint: NetworkEndpoint) {
        networks[endpoint.network]?.ipv4.giveBack(endpoint.ipv4)
        if let ipv6 = endpoint.ipv6 { networks[endpoint.network]?.ipv6?.giveBack(ipv6) }
    }

    func publishNames(of record: AttachmentRecord) {
        names.set(
            record.endpoints.map { endpoint in
                NameTable.Entry(
                    containerID: record.containerID, network: endpoint.network,
                    names: [record.containerName] + endpoint.aliases + [String(record.containerID.prefix(12))],
                    addresses: endpoint.addresses, isInternal: networks[endpoint.network]?.definition.isInternal ?? false,
                    nameServers: record.nameServers)
            }, of: record.containerID)
    }

    private func attached(
        _ request: NetworkAttachment, _ record: AttachmentRecord, _ namespace: SharedFD
    ) -> AttachedNetwork {
        let definitions = record.endpoints.compactMap { networks[$0.network]?.definition }
        var resolver = ResolverFile((try? Files.readText(resolverFile)) ?? "")
        resolver.nameServers = definitions.first.map { [$0.ipv4.gateway] } ?? request.nameServers
        resolver.searchDomains = request.searchDomains ?? resolver.searchDomains
        resolver.options = request.resolverOptions ?? resolver.options
        let machineAddress = definitions.first?.ipv4.gateway ?? IPAddress(bytes: [127, 0, 0, 1])
        let way = definitions.first { !$0.isInternal }
        return AttachedNetwork(
            namespace: namespace, endpoints: record.endpoints, gateways: way?.ranges.map(\.gateway) ?? [], ports: record.ports,
            hostname: request.hostname,
            hosts: HostsFile.text(
                hostname: request.hostname, addresses: record.endpoints.flatMap(\.addresses),
                extra: request.extraHosts.map { ($0.name, $0.address ?? machineAddress) }),
            resolvConf: resolver.text)
    }
}
