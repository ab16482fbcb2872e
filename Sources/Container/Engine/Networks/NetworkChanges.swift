import Linux
import Networking
import Sandbox

/// Where the files of /etc of a container that runs lie.
struct RoomPlace: Sendable {
    var rooms: String
    var name: String
}

/// Containers that run come into networks and leave them, with what their own files of /etc say of it.
extension ContainerNetworks {
    /// Whether a container has a namespace that networks can be connected to.
    func isAttached(_ id: String) async -> Bool { await service.namespace(of: id) != nil }

    /// A network by any of its names.
    func find(_ word: String) async throws(NodeFailure) -> NetworkDefinition {
        do throws(NetworkFailure) {
            try await service.makeDefault(if: word)
            return try await service.find(word)
        } catch { throw NodeFailure(error) }
    }

    func connect(
        _ id: String, to joining: NetworkAttachment.Joining, hostname: String, room: RoomPlace?
    ) async throws(NodeFailure) {
        let endpoint: NetworkEndpoint
        do throws(NetworkFailure) { endpoint = try await service.connect(id, to: joining) } catch { throw NodeFailure(error) }
        await show(id)
        note("connect", endpoint, of: id)
        await rewrite(room, id) { hosts in
            HostsFile.adding(endpoint.addresses.map { (hostname, $0) }, to: hosts)
        }
    }

    func disconnect(_ id: String, from network: String, room: RoomPlace?) async throws(NodeFailure) {
        let endpoint: NetworkEndpoint
        do throws(NetworkFailure) { endpoint = try await service.disconnect(id, from: network) } catch { throw NodeFailure(error) }
        await show(id)
        note("disconnect", endpoint, of: id)
        await rewrite(room, id) { hosts in HostsFile.removing(endpoint.addresses, from: hosts) }
    }

    /// The network is changed already; a file that cannot be written is worth a remark and no failure.
    private func rewrite(_ place: RoomPlace?, _ id: String, _ change: @escaping @Sendable (String) -> String) async {
        guard let place else { return }
        let gateway = await service.gateway(of: id)
        do {
            try await BlockingPool.shared.run { () throws(SystemError) in
                let room = try Room(existing: place.name, in: place.rooms)
                var files = RoomFiles(hosts: change(try Self.text(of: "hosts", in: place)))
                var resolver = ResolverFile(try Self.text(of: "resolv.conf", in: place))
                if let gateway, resolver.nameServers != [gateway] {
                    resolver.nameServers = [gateway]
                    files.resolver = resolver.text
                }
                try room.write(files)
            }
        } catch { remark("write the files of /etc of container \(id.prefix(12)): \(error)") }
    }

    private static func text(of file: String, in place: RoomPlace) throws(SystemError) -> String {
        String(decoding: try Files.read("\(place.rooms)/\(place.name)/\(file)", limit: 1 << 20), as: UTF8.self)
    }
}
