package import Linux

/// What a node finds when it starts, and what it leaves when it ends.
extension NetworkService {
    /// Reads the networks from disk and goes on with the containers that run.
    ///
    /// - Parameter running: containers that run, with their network namespaces (`NetworkNamespace.of(pid:)`).
    /// - Returns: remarks about what could not be read or taken over.
    package func adopt(running: [String: SharedFD]) async throws(NetworkFailure) -> [String] {
        let directory = directory
        let contents = try await orFailureAsync { () async throws(SystemError) in
            try await BlockingPool.shared.run { () throws(SystemError) in
                try directory.open()
                return try directory.load()
            }
        }
        var remarks = contents.remarks
        for definition in contents.networks { networks[definition.name] = Network(definition, poolTarget: poolTarget) }
        for record in contents.attachments {
            if let namespace = running[record.containerID] {
                remarks += await takeOver(record, namespace)
            } else {
                await removeLinks(record.endpoints.map(\.hostLink))
                try await onDisk { directory throws(SystemError) in try directory.remove(attachment: record.containerID) }
            }
        }
        for name in networks.keys.sorted() where !networks[name]!.users.isEmpty {
            do throws(NetworkFailure) { _ = try await bridge(of: name) } catch { remarks.append("network \(name): \(error)") }
        }
        return remarks
    }

    private func takeOver(_ record: AttachmentRecord, _ namespace: SharedFD) async -> [String] {
        var remarks: [String] = []
        for endpoint in record.endpoints {
            guard networks[endpoint.network]?.definition.id == endpoint.networkID else {
                remarks.append("container \(record.containerName) is in network \(endpoint.network), which is gone")
                continue
            }
            networks[endpoint.network]!.users.insert(record.containerID)
            try? networks[endpoint.network]!.ipv4.take(endpoint.ipv4)
            if let ipv6 = endpoint.ipv6 { try? networks[endpoint.network]!.ipv6?.take(ipv6) }
        }
        // The rules lead to the container whether or not the port can be kept from others.
        let reserved = try? await reserve(record.ports)
        if reserved == nil, !record.ports.isEmpty {
            remarks.append("container \(record.containerName): a published port was taken by somebody else meanwhile")
        }
        attachments[record.containerID] = Attachment(
            record: record, namespace: namespace, reservations: reserved?.sockets ?? [])
        publishNames(of: record)
        return remarks
    }

    /// The node ends: spares go and names are no longer answered. Containers keep their networks; without any, everything
    /// of ours leaves the kernel. What is on disk stays.
    package func shutDown() async {
        for name in networks.keys {
            for case .discard(let spare) in networks[name]!.pool.close() { await removeLinks([spare.endpoint.hostLink]) }
        }
        await nameServer.stopEverywhere()
        guard attachments.isEmpty else { return }
        let bridges = networks.values.filter { $0.bridge != nil }.map(\.definition.bridge)
        for name in networks.keys { networks[name]!.bridge = nil }
        await removeLinks(bridges)
        if !bridges.isEmpty { try? await rules.remove() }
    }
}
