package import Linux

/// What a node finds when it starts, and what it leaves when it ends.
///
/// Invariants
/// 1. Until it is known whether a container of an earlier node runs, its addresses, links, ports and rules stay.
///    (test: `what an earlier node attached stays until it is known to have ended`)
/// 2. A namespace is taken over only if it is the one that was attached, whatever has the pid meanwhile.
///    (test: `a stranger's namespace is not taken over`)
extension NetworkService {
    /// Reads the networks from disk. What the earlier node attached is awaited: `takeOver` or `release` follows.
    ///
    /// - Parameter isKnown: whether there is still a container of this id. Of others nothing is kept.
    /// - Returns: remarks about what could not be read.
    package func open(isKnown: @Sendable (String) -> Bool) async throws(NetworkFailure) -> [String] {
        let directory = directory
        let contents = try await orFailureAsync { () async throws(SystemError) in
            try await BlockingPool.shared.run { () throws(SystemError) in
                try directory.exists ? directory.load() : NetworkDirectory.Contents()
            }
        }
        for definition in contents.networks { networks[definition.name] = Network(definition, poolTarget: poolTarget) }
        if !networks.isEmpty { try await findBridges() }
        var remarks = contents.remarks
        for record in contents.attachments {
            remarks += hold(record)
            if !isKnown(record.containerID) { await release(record.containerID, reusable: false) }
        }
        return remarks
    }

    private func findBridges() async throws(NetworkFailure) {
        let names = try await orFailureAsync { [machine] () async throws(SystemError) in
            try await machine.run { () throws(SystemError) in Set(try NetlinkSocket().links().map(\.name)) }
        }
        leftBridges = Set(networks.values.filter { names.contains($0.definition.bridge) }.map(\.definition.name))
    }

    /// Holds what belongs to a container that may be running.
    private func hold(_ record: AttachmentRecord) -> [String] {
        var remarks: [String] = []
        for endpoint in record.endpoints {
            guard networks[endpoint.network]?.definition.id == endpoint.networkID else {
                remarks.append("container \(record.containerName) was in network \(endpoint.network), which is gone")
                continue
            }
            networks[endpoint.network]!.users.insert(record.containerID)
            try? networks[endpoint.network]!.ipv4.take(endpoint.ipv4)
            if let ipv6 = endpoint.ipv6 { try? networks[endpoint.network]!.ipv6?.take(ipv6) }
        }
        awaited[record.containerID] = record
        return remarks
    }

    /// Goes on with a container of the earlier node that runs; one that had no networks is none of ours.
    ///
    /// - Parameter namespace: its network namespace (`NetworkNamespace.of(pid:)`).
    /// - Returns: remarks about what is not as it was.
    package func takeOver(_ containerID: String, _ namespace: SharedFD) async throws(NetworkFailure) -> [String] {
        await enter(containerID)
        defer { leave(containerID) }
        guard let record = awaited[containerID] else { return [] }
        let inode = try orFailure { () throws(SystemError) in
            try withExtendedLifetime(namespace) { () throws(SystemError) in try Files.status(of: namespace.raw).inode }
        }
        guard inode == record.namespace else {
            throw NetworkFailure(
                .system, "container \(record.containerName): its process is in a network namespace that was not attached")
        }
        var remarks: [String] = []
        // The rules lead to the container whether or not the port can be kept from others.
        let reserved = try? await reserve(record.ports)
        if reserved == nil {
            remarks.append("container \(record.containerName): a published port was taken by somebody else meanwhile")
        }
        awaited[containerID] = nil
        attachments[containerID] = Attachment(
            record: record, namespace: namespace, reservations: reserved?.sockets ?? [])
        publishNames(of: record)
        for endpoint in record.endpoints where networks[endpoint.network]?.definition.id == endpoint.networkID {
            do throws(NetworkFailure) { _ = try await bridge(of: endpoint.network) } catch {
                remarks.append("network \(endpoint.network): \(error)")
            }
        }
        return remarks
    }

    /// The node ends: spares go and names are no longer answered. Containers keep their networks; without any,
    /// everything of ours leaves the kernel. What is on disk stays.
    package func shutDown() async {
        for name in networks.keys {
            for case .discard(let spare) in networks[name]!.pool.close() { await removeLinks([spare.endpoint.hostLink]) }
        }
        await nameServer.stopEverywhere()
        await watch.stop()
        guard attachments.isEmpty, awaited.isEmpty else { return }
        let bridges = networks.values.filter { $0.bridge != nil || leftBridges.contains($0.definition.name) }
            .map(\.definition.bridge)
        leftBridges = []
        for name in networks.keys { networks[name]!.bridge = nil }
        await removeLinks(bridges)
        if !bridges.isEmpty { await leaveKernel() }
    }

    /// Nothing of ours is in use: rules go, and the machine routes no more than before.
    func leaveKernel() async {
        await watch.stop()
        // A table that cannot be removed has no elements left and decides nothing.
        try? await rules.remove()
        await closeRouting()
    }
}
