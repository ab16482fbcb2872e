package import Linux

/// Containers that run join further networks and leave some.
///
/// Invariant: the first of a container's networks that leads out has its default routes, whichever come and go.
/// (test: `a running container joins a network and leaves it`)
extension NetworkService {
    /// Puts a container that has a namespace of ours into one more network.
    ///
    /// - Returns: its place there.
    /// - Throws: `NetworkFailure`; nothing is left of a request that failed.
    package func connect(
        _ containerID: String, to joining: NetworkAttachment.Joining
    ) async throws(NetworkFailure) -> NetworkEndpoint {
        await enter(containerID)
        defer { leave(containerID) }
        let attachment = try attachment(of: containerID)
        try await makeDefault(if: joining.network)
        let name = try find(joining.network).name
        guard !attachment.record.endpoints.contains(where: { $0.network == name }) else {
            throw NetworkFailure(.conflict, "container \(attachment.record.containerName) is in network \(name) already")
        }
        networks[name]!.users.insert(containerID)
        do throws(NetworkFailure) {
            _ = try await bridge(of: name)
            let taken = Set(attachment.record.endpoints.map(\.interface))
            let number = (0...taken.count).first { !taken.contains("eth\($0)") }!
            let endpoint = try allocate(in: name, joining, interface: "eth\(number)")
            do throws(NetworkFailure) {
                try await link(endpoint, attachment)
                return endpoint
            } catch {
                await discard(endpoint)
                throw error
            }
        } catch {
            networks[name]?.users.remove(containerID)
            throw error
        }
    }

    private func link(
        _ endpoint: NetworkEndpoint, _ attachment: Attachment
    ) async throws(NetworkFailure) {
        var place = try await places([endpoint])[0]
        if wayOut(of: attachment.record) != nil { place.hasDefaultRoute = false }
        try await orFailureAsync { [machine, place] () async throws(SystemError) in
            try await machine.run { () throws(SystemError) in
                try NamespaceMaking.connect(attachment.namespace, place)
            }
        }
        var record = attachment.record
        record.endpoints.append(endpoint)
        try await change(attachment.record, to: record)
    }

    /// Takes a container out of one of its networks; published ports lead to it through another one, if there is one.
    ///
    /// - Returns: the place that it had.
    package func disconnect(
        _ containerID: String, from word: String
    ) async throws(NetworkFailure) -> NetworkEndpoint {
        await enter(containerID)
        defer { leave(containerID) }
        let attachment = try attachment(of: containerID)
        let name = try find(word).name
        guard let endpoint = attachment.record.endpoints.first(where: { $0.network == name }) else {
            throw NetworkFailure(.conflict, "container \(attachment.record.containerName) is not in network \(name)")
        }
        var record = attachment.record
        record.endpoints.removeAll { $0.network == name }
        try await change(attachment.record, to: record)
        let (before, after) = (wayOut(of: attachment.record), wayOut(of: record))
        await discard(endpoint)
        networks[name]?.users.remove(containerID)
        if before != after, let after { try await addDefaultRoutes(through: after, attachment.namespace) }
        return endpoint
    }

    private func attachment(of containerID: String) throws(NetworkFailure) -> Attachment {
        guard let attachment = attachments[containerID] else {
            throw NetworkFailure(
                .conflict, "the container has no network namespace that networks can be connected to (it is in none, host or another container's)")
        }
        return attachment
    }

    /// Writes down where a container is, and makes rules and names follow.
    private func change(_ old: AttachmentRecord, to new: AttachmentRecord) async throws(NetworkFailure) {
        attachments[new.containerID]!.record = new
        do throws(NetworkFailure) {
            if !new.ports.isEmpty { try await applyRules() }
            try await onDisk { directory throws(SystemError) in try directory.write(new) }
        } catch {
            attachments[new.containerID]!.record = old
            if !new.ports.isEmpty { try? await applyRules() }
            throw error
        }
        publishNames(of: new)
    }

    /// The place whose network has the default routes.
    private func wayOut(of record: AttachmentRecord) -> NetworkEndpoint? {
        record.endpoints.first { networks[$0.network]?.definition.isInternal == false }
    }

    private func addDefaultRoutes(
        through endpoint: NetworkEndpoint, _ namespace: SharedFD
    ) async throws(NetworkFailure) {
        guard let gateways = networks[endpoint.network]?.definition.ranges.map(\.gateway) else { return }
        try await orFailureAsync { [machine] () async throws(SystemError) in
            try await machine.run { () throws(SystemError) in
                try NamespaceMaking.addDefaultRoutes(in: namespace, by: gateways, through: endpoint.interface)
            }
        }
    }

    /// The gateway of a container's first network: its name server.
    package func gateway(of containerID: String) -> IPAddress? {
        endpoints(of: containerID).lazy.compactMap { self.networks[$0.network]?.definition.ipv4.gateway }.first
    }

    /// Where a container is, in the order in which it came there.
    package func endpoints(of containerID: String) -> [NetworkEndpoint] {
        attachments[containerID]?.record.endpoints ?? awaited[containerID]?.endpoints ?? []
    }
}
