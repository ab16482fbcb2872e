import Networking

/// What of the local API concerns networks.
extension ContainerEngine {
    var networkRoutes: [NodeRoute] {
        [
            NodeRoute(CreateNetwork.self) { request, _ async throws(NodeFailure) in try await self.networks().create(request) },
            NodeRoute(ListNetworks.self) { request, _ async throws(NodeFailure) in try await self.networks().list(request) },
            NodeRoute(InspectNetwork.self) { request, _ async throws(NodeFailure) in
                try await self.networks().inspect(request.network)
            },
            NodeRoute(RemoveNetwork.self) { request, _ async throws(NodeFailure) in
                try await self.networks().remove(request.network)
                return NoValue()
            },
            NodeRoute(PruneNetworks.self) { request, _ async throws(NodeFailure) in try await self.networks().prune(request) },
            NodeRoute(ConnectNetwork.self) { request, _ async throws(NodeFailure) in
                try await self.connect(request)
                return NoValue()
            },
            NodeRoute(DisconnectNetwork.self) { request, _ async throws(NodeFailure) in
                try await self.disconnect(request)
                return NoValue()
            },
        ]
    }

    private func networks() throws(NodeFailure) -> ContainerNetworks {
        guard let networks = ground.networks else {
            throw NodeFailure(.unsupported, "networks need a node: start one with \"forkless node\"")
        }
        return networks
    }

    /// Puts a container into a network: at once, and at every later start.
    private func connect(_ request: ConnectNetwork) async throws(NodeFailure) {
        let networks = try networks()
        let worker = try registry.find(request.container)
        var joining = request.joining
        joining.network = try await networks.find(joining.network).name
        var joined = try await joinedNetworks(of: worker.record, networks)
        guard !joined.contains(where: { $0.network == joining.network }) else {
            throw NodeFailure(.conflict, "container \(worker.record.name) is in network \(joining.network) already")
        }
        joined.append(joining)
        let isLive = await networks.isAttached(worker.record.id)
        if isLive {
            try await networks.connect(
                worker.record.id, to: joining, hostname: ground.hostname(of: worker.record) ?? ContainerSpec.defaultHostname,
                room: room(of: worker.record))
        }
        do { try await remember(joined, worker) } catch {
            if isLive { try? await networks.disconnect(worker.record.id, from: joining.network, room: room(of: worker.record)) }
            throw error
        }
    }

    private func disconnect(_ request: DisconnectNetwork) async throws(NodeFailure) {
        let networks = try networks()
        let worker = try registry.find(request.container)
        let name = try await networks.find(request.network).name
        var joined = try await joinedNetworks(of: worker.record, networks)
        guard joined.contains(where: { $0.network == name }) else {
            throw NodeFailure(.conflict, "container \(worker.record.name) is not in network \(name)")
        }
        guard joined.count > 1 else {
            throw NodeFailure(
                .conflict, "container \(worker.record.name) is in no other network than \(name): connect it to one first")
        }
        joined.removeAll { $0.network == name }
        if await networks.isAttached(worker.record.id) {
            try await networks.disconnect(worker.record.id, from: name, room: room(of: worker.record))
        }
        try await remember(joined, worker)
    }

    private func remember(
        _ joined: [NetworkAttachment.Joining], _ worker: ContainerWorker
    ) async throws(NodeFailure) {
        try await worker.rework { $0.network = .joined(joined) }
    }

    /// By their names, also where the spec has ids.
    private func joinedNetworks(
        of record: ContainerRecord, _ networks: ContainerNetworks
    ) async throws(NodeFailure) -> [NetworkAttachment.Joining] {
        guard case .joined(var joined) = record.spec.networkChoice else {
            throw NodeFailure(
                .conflict,
                "container \(record.name) has no network of the node but none, the machine's or another container's, and keeps that")
        }
        for index in joined.indices {
            // One that was removed keeps its word, and can be left.
            if let name = try? await networks.find(joined[index].network).name { joined[index].network = name }
        }
        return joined
    }

    private func room(of record: ContainerRecord) -> RoomPlace? {
        record.room.map { RoomPlace(rooms: directory.rooms, name: $0) }
    }

    // What is shown.

    func summary(of record: ContainerRecord) -> ContainerSummary {
        var summary = ContainerSummary(record)
        if case .joined(let joined) = record.spec.networkChoice { summary.networks = joined.map(\.network) }
        guard record.lifecycle.phase.isActive else { return summary }
        summary.ports = ground.networks?.ports(of: record.id) ?? []
        summary.exposedPorts = record.spec.exposedPorts
        return summary
    }

    func places(of record: ContainerRecord) -> [ContainerPlace] {
        (ground.networks?.endpoints(of: record.id) ?? []).map { endpoint in
            ContainerPlace(
                network: endpoint.network, networkID: endpoint.networkID, interface: endpoint.interface, ipv4: endpoint.ipv4,
                ipv6: endpoint.ipv6, hardwareAddress: ContainerNetworks.text(endpoint.hardwareAddress),
                aliases: endpoint.aliases)
        }
    }
}
