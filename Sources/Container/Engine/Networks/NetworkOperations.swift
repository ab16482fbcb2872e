package import Linux
package import Networking

/// What the local API does with networks themselves.
extension ContainerNetworks {
    package func create(_ request: CreateNetwork) async throws(NodeFailure) -> NetworkCreated {
        do throws(NetworkFailure) {
            let made = try await service.create(request.wish)
            note("create", made)
            return NetworkCreated(id: made.id, name: made.name)
        } catch { throw NodeFailure(error) }
    }

    package func list(_ request: ListNetworks) async throws(NodeFailure) -> NetworkList {
        let filters = try Filters(request.filters, known: ["name", "id", "label", "driver", "dangling"])
        for driver in filters.all("driver") where driver != NetworkDefinition.driver {
            throw NodeFailure(.badRequest, "--filter \"driver=\(driver)\": the only driver is \(NetworkDefinition.driver)")
        }
        let dangling = try filters.flag("dangling")
        var networks: [NetworkDetails] = []
        for definition in await service.list()
        where filters.matches("name", { definition.name.contains($0) }) && filters.matches("id", { definition.id.contains($0) })
            && filters.matchesLabels(definition.labels)
        {
            let details = await details(of: definition)
            if dangling.map({ $0 == details.members.isEmpty }) ?? true { networks.append(details) }
        }
        return NetworkList(networks: networks)
    }

    package func inspect(_ word: String) async throws(NodeFailure) -> NetworkDetails {
        do throws(NetworkFailure) { return await details(of: try await service.find(word)) } catch { throw NodeFailure(error) }
    }

    package func remove(_ word: String) async throws(NodeFailure) {
        do throws(NetworkFailure) {
            let definition = try await service.find(word)
            try await service.remove(definition.name)
            note("destroy", definition)
        } catch { throw NodeFailure(error) }
    }

    package func prune(_ request: PruneNetworks) async throws(NodeFailure) -> NetworksPruned {
        let filters = try Filters(request.filters, known: ["label", "label!", "until"])
        let until = try filters.all("until").last.map { text throws(NodeFailure) in
            guard let time = Timestamp(text) else {
                throw NodeFailure(.badRequest, "--filter \"until=\(text)\": write a time as RFC 3339 does")
            }
            return time
        }
        let removed: [NetworkDefinition]
        do throws(NetworkFailure) {
            removed = try await service.prune { definition in
                until.map { definition.createdAt < $0 } ?? true && filters.matchesLabels(definition.labels)
                    && (filters.all("label!").isEmpty || !filters.matchesLabels(definition.labels, key: "label!"))
            }
        } catch { throw NodeFailure(error) }
        for definition in removed { note("destroy", definition) }
        journal.note(.network, "prune", subject: "", attributes: ["reclaimed": "0"])
        return NetworksPruned(networks: removed.map(\.name))
    }

    private func details(of definition: NetworkDefinition) async -> NetworkDetails {
        NetworkDetails(
            definition: definition,
            members: await service.members(of: definition.name).map { member in
                NetworkDetails.Member(
                    id: member.containerID, name: member.containerName, ipv4: member.endpoint.ipv4, ipv6: member.endpoint.ipv6,
                    hardwareAddress: Self.text(member.endpoint.hardwareAddress), aliases: member.endpoint.aliases)
            })
    }

    private func note(_ action: String, _ definition: NetworkDefinition) {
        journal.note(
            .network, action, subject: definition.id, name: definition.name,
            attributes: ["type": NetworkDefinition.driver])
    }

    /// "02:42:0a:c9:00:02"
    static func text(_ hardwareAddress: [UInt8]) -> String {
        hardwareAddress.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }
}

/// What the services of a cluster need of the networks that its pods are in.
extension ContainerNetworks {
    /// Lets somebody else answer what a name means before containers' names are looked at; nil: nobody.
    package func answerNames(first others: NameServer.Names.Others?) { service.names.ask(first: others) }

    /// The network namespace of whoever has an address in one of the networks.
    package func namespace(at address: IPAddress) async -> SharedFD? { await service.namespace(at: address) }
}
