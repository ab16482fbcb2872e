import Linux

/// Bridges on first use, and namespaces that are made ahead and used again.
extension NetworkService {
    /// The number of a network's bridge, which is made with rules and name server if it is not there.
    func bridge(of name: String) async throws(NetworkFailure) -> Int32 {
        guard let network = networks[name] else { throw NetworkFailure(.notFound, "network \(name) was removed") }
        if let task = network.bridge { return try await task.value.get() }
        let definition = network.definition
        let task = Task { await self.raise(definition) }
        networks[name]!.bridge = task
        let result = await task.value
        if case .failure = result, networks[name]?.definition.id == definition.id { networks[name]?.bridge = nil }
        return try result.get()
    }

    private func raise(_ definition: NetworkDefinition) async -> Result<Int32, NetworkFailure> {
        do throws(NetworkFailure) {
            let (index, isNew) = try await orFailureAsync { [machine] () async throws(SystemError) in
                try await machine.run { () throws(SystemError) in try NamespaceMaking.makeBridge(of: definition) }
            }
            do throws(NetworkFailure) {
                try await openRouting(for: definition)
                try await watch.start()
                try await applyRules()
                for range in definition.ranges { try await answer(at: range.gateway) }
                return .success(index)
            } catch {
                for range in definition.ranges { await nameServer.stop(at: range.gateway) }
                // One that was there has the links of containers that run.
                if isNew { await removeLinks([definition.bridge]) }
                throw error
            }
        } catch { return .failure(error) }
    }

    private func answer(at gateway: IPAddress) async throws(NetworkFailure) {
        do throws(SystemError) { try await nameServer.listen(at: gateway) } catch {
            let isTaken = error.code == .addressInUse
            throw NetworkFailure(
                isTaken ? .conflict : .system,
                "answer containers' questions about names: \(error)"
                    + (isTaken ? ". Some name server has port 53 of every address: bind it to its own addresses" : ""))
        }
    }

    /// A ready namespace, if there is one; what is missing is made behind the caller's back.
    func takeSpare(of name: String) -> Spare? {
        guard networks[name] != nil else { return nil }
        let (spare, actions) = networks[name]!.pool.take()
        carryOut(actions, name)
        return spare
    }

    /// Makes ready what the pool of a network wants, and returns when it is there: before load is expected.
    package func warm(_ name: String) async throws(NetworkFailure) {
        _ = try await bridge(of: name)
        while let network = networks[name], network.pool.readyCount < network.pool.target {
            await makeSpare(of: name)
            guard let after = networks[name], after.pool.readyCount > network.pool.readyCount else { return }
        }
    }

    private func carryOut(_ actions: [WarmPool<Spare>.Action], _ name: String) {
        for action in actions {
            switch action {
            case .make: Task { await self.makeSpare(of: name) }
            case .discard(let spare): Task { await self.discard(spare.endpoint) }
            }
        }
    }

    private func makeSpare(of name: String) async {
        guard networks[name] != nil else { return }
        let id = networks[name]!.definition.id
        guard let endpoint = try? allocate(in: name, NetworkAttachment.Joining(network: name), interface: "eth0") else {
            networks[name]!.pool.failed()
            return
        }
        guard let namespace = try? await make([endpoint]) else {
            giveBackAddresses(endpoint)
            networks[name]?.pool.failed()
            return
        }
        // The network may have been removed meanwhile, and another one made under its name.
        guard networks[name]?.definition.id == id else { return await removeLinks([endpoint.hostLink]) }
        carryOut(networks[name]!.pool.made(Spare(namespace: namespace, endpoint: endpoint)), name)
    }

    /// A namespace with these endpoints.
    func make(_ endpoints: [NetworkEndpoint]) async throws(NetworkFailure) -> SharedFD {
        let places = try await places(endpoints)
        return try await orFailureAsync { [machine] () async throws(SystemError) in
            try await machine.run { () throws(SystemError) in try NamespaceMaking.make(places) }
        }
    }

    func places(_ endpoints: [NetworkEndpoint]) async throws(NetworkFailure) -> [NamespaceMaking.Place] {
        var places: [NamespaceMaking.Place] = []
        for endpoint in endpoints {
            let bridge = try await bridge(of: endpoint.network)
            guard let definition = networks[endpoint.network]?.definition else {
                throw NetworkFailure(.notFound, "network \(endpoint.network) was removed")
            }
            let isFirstOut = !definition.isInternal && !places.contains { $0.hasDefaultRoute }
            places.append(
                NamespaceMaking.Place(endpoint: endpoint, network: definition, bridge: bridge, hasDefaultRoute: isFirstOut))
        }
        return places
    }

    /// A namespace whose container has ended goes back into the pool if it is as good as new.
    func giveBack(_ namespace: SharedFD?, _ endpoints: [NetworkEndpoint], reusable: Bool) async {
        if reusable, let namespace, endpoints.count == 1, let name = endpoints.first?.network, networks[name] != nil {
            let id = endpoints[0].networkID
            let isPristine = try? await BlockingPool.shared.run { () throws(SystemError) in
                let own = try NetworkNamespace.current()
                return try withExtendedLifetime((own, namespace)) { () throws(SystemError) in
                    guard try NetworkNamespace.isPristine(namespace.raw, own: own.raw) else { return false }
                    try NamespaceMaking.forgetRoutes(in: namespace)
                    return true
                }
            }
            if isPristine == true, networks[name]?.definition.id == id {
                var endpoint = endpoints[0]
                endpoint.aliases = []
                carryOut(networks[name]!.pool.returned(Spare(namespace: namespace, endpoint: endpoint)), name)
                return
            }
        }
        for endpoint in endpoints { await discard(endpoint) }
    }

    /// The link first, then the address: nobody else may have it while packets still find the old owner.
    func discard(_ endpoint: NetworkEndpoint) async {
        await removeLinks([endpoint.hostLink])
        if networks[endpoint.network]?.definition.id == endpoint.networkID { giveBackAddresses(endpoint) }
    }

    /// A spare that has just this address is given up.
    func makeWay(for address: IPAddress, in name: String) {
        guard let spare = networks[name]?.pool.withdraw(where: { $0.endpoint.addresses.contains(address) }) else { return }
        giveBackAddresses(spare.endpoint)
        Task { await self.removeLinks([spare.endpoint.hostLink]) }
    }
}
