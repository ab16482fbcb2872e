import Linux

// Volumes as containers have them, and the operations on volumes themselves.

/// The volumes of a container on its way: kept from removal until the container is known.
struct VolumeClaim: Sendable {
    fileprivate var names: [String] = []
    fileprivate var made: [String] = []
}

extension ContainerEngine {
    /// Makes the volumes of a spec and the sources of binds that may be missing; volumes without a name get one.
    func claimVolumes(of spec: inout ContainerSpec) async throws(NodeFailure) -> VolumeClaim {
        var wanted: [(name: String, isAnonymous: Bool)] = []
        for (index, mount) in spec.mounts.enumerated() {
            guard case .volume(let name, let target, let isReadOnly) = mount else { continue }
            var chance = SystemRandomNumberGenerator()
            let id = name ?? ContainerNames.id(&chance)
            wanted.append((id, name == nil))
            spec.mounts[index] = .volume(name: id, target: target, isReadOnly: isReadOnly)
        }
        guard wanted.isEmpty || ground.images != nil else {
            throw NodeFailure(.unsupported, "-v: volumes need a node: start one with \"forkless node\" and run it again")
        }
        try await makeSources(spec.madeSources)
        var claim = VolumeClaim()
        do throws(NodeFailure) {
            for volume in wanted {
                let made = try await makeVolume(volume.name, [:], isAnonymous: volume.isAnonymous, isClaimed: true)
                claim.names.append(volume.name)
                if made.isNew, volume.isAnonymous { claim.made.append(volume.name) }
            }
            return claim
        } catch {
            await giveUp(claim)
            throw error
        }
    }

    /// The container is known, or there will be none.
    func settle(_ claim: VolumeClaim) { for name in claim.names { ground.volumes.unclaim(name) } }

    /// There will be no container: what was made for it alone goes.
    func giveUp(_ claim: VolumeClaim) async {
        settle(claim)
        for name in claim.made { try? await remove(volume: name) }
    }

    /// Copies the image's files into volumes that are mounted over them and empty.
    func fillVolumes(of record: ContainerRecord) async throws(NodeFailure) {
        let mounts = record.spec.mounts.compactMap { mount -> (name: String, target: String)? in
            guard case .volume(let name?, let target, _) = mount else { return nil }
            return (name, target)
        }
        guard !mounts.isEmpty, let images = ground.images, record.spec.image != nil else { return }
        let layers = try await images.layers(of: record)
        let filling = VolumeFilling(store: ground.volumes)
        for mount in mounts { try await filling.fill(mount.name, from: layers, at: mount.target) }
    }

    private func makeSources(_ paths: [String]) async throws(NodeFailure) {
        guard !paths.isEmpty else { return }
        do {
            try await BlockingPool.shared.run { () throws(SystemError) in
                for path in paths where !Files.exists(path) { try Files.makeDirectories(path, mode: 0o755) }
            }
        } catch { throw NodeFailure(.system, "-v: make the directory to bind: \(error)") }
    }

    private func makeVolume(
        _ name: String, _ labels: [String: String], isAnonymous: Bool, isClaimed: Bool
    ) async throws(NodeFailure) -> (volume: Volume, isNew: Bool) {
        let store = ground.volumes
        let made = try await Self.blocking { () throws(NodeFailure) in
            try store.make(name, labels: labels, isAnonymous: isAnonymous, isClaimed: isClaimed, now: Clock.now())
        }
        if made.isNew { journal.note(.volume, "create", subject: name, attributes: ["driver": "local"]) }
        return made
    }

    /// Containers that have a volume.
    private func users(of volume: String) -> [String] {
        registry.all.map(\.record).filter { $0.hasVolume(volume) }.map { String($0.id.prefix(12)) }
    }

    private static func blocking<Value: Sendable>(
        _ body: @escaping @Sendable () throws(NodeFailure) -> Value
    ) async throws(NodeFailure) -> Value {
        let result: Result<Value, NodeFailure>
        do throws(SystemError) {
            result = try await BlockingPool.shared.run { () throws(SystemError) in
                do throws(NodeFailure) { return .success(try body()) } catch { return .failure(error) }
            }
        } catch { throw NodeFailure(.system, "\(error)") }
        return try result.get()
    }

    // Operations.

    package func createVolume(_ request: CreateVolume) async throws(NodeFailure) -> Volume {
        var chance = SystemRandomNumberGenerator()
        let name = request.name ?? ContainerNames.id(&chance)
        return try await makeVolume(name, request.labels, isAnonymous: request.name == nil, isClaimed: false).volume
    }

    package func listVolumes(_ request: ListVolumes) throws(NodeFailure) -> VolumeList {
        let filters = try Filters(request.filters, known: ["name", "label", "dangling", "driver"])
        let isDangling = try filters.flag("dangling")
        return VolumeList(
            volumes: ground.volumes.all.filter { volume in
                filters.matches("name") { volume.name.contains($0) } && filters.matchesLabels(volume.labels)
                    && filters.matches("driver") { $0 == "local" }
                    && (isDangling.map { $0 == users(of: volume.name).isEmpty } ?? true)
            })
    }

    package func remove(volume name: String) async throws(NodeFailure) {
        let store = ground.volumes
        try await Self.blocking { () throws(NodeFailure) in try store.remove(name) { self.users(of: $0) } }
        journal.note(.volume, "destroy", subject: name, attributes: ["driver": "local"])
    }

    package func pruneVolumes(_ request: PruneVolumes) async throws(NodeFailure) -> PrunedVolumes {
        let filters = try Filters(request.filters, known: ["label", "label!", "all"])
        let all = try filters.flag("all") ?? request.all
        let store = ground.volumes
        var pruned = PrunedVolumes(names: [], reclaimedBytes: 0)
        for volume in store.all where (all || volume.isAnonymous) && filters.matchesLabels(volume.labels) {
            if !filters.all("label!").isEmpty, filters.matchesLabels(volume.labels, key: "label!") { continue }
            guard users(of: volume.name).isEmpty else { continue }
            let name = volume.name
            let bytes = try? await Self.blocking { () throws(NodeFailure) in
                do throws(SystemError) { return try store.bytes(of: name) } catch { throw NodeFailure(.system, "\(error)") }
            }
            // One that got a user meanwhile is none of those meant.
            guard (try? await remove(volume: name)) != nil else { continue }
            pruned.names.append(name)
            pruned.reclaimedBytes += bytes ?? 0
        }
        journal.note(.volume, "prune", subject: "", attributes: ["reclaimed": "\(pruned.reclaimedBytes)"])
        return pruned
    }

    /// The volumes that a removed container had for itself alone.
    func removeAnonymousVolumes(of record: ContainerRecord) async {
        for case .volume(let name?, _, _) in record.spec.mounts {
            guard let volume = try? ground.volumes.find(name), volume.isAnonymous else { continue }
            // Another container may have it by its name: then it stays.
            try? await remove(volume: name)
        }
    }

    var volumeRoutes: [NodeRoute] {
        [
            NodeRoute(CreateVolume.self) { request, _ async throws(NodeFailure) in try await self.createVolume(request) },
            NodeRoute(ListVolumes.self) { request, _ async throws(NodeFailure) in try self.listVolumes(request) },
            NodeRoute(InspectVolume.self) { request, _ async throws(NodeFailure) in
                try self.ground.volumes.find(request.name)
            },
            NodeRoute(RemoveVolume.self) { request, _ async throws(NodeFailure) in
                try await self.remove(volume: request.name)
                return NoValue()
            },
            NodeRoute(PruneVolumes.self) { request, _ async throws(NodeFailure) in try await self.pruneVolumes(request) },
        ]
    }
}

extension ContainerRecord {
    func hasVolume(_ name: String) -> Bool {
        spec.mounts.contains { if case .volume(name, _, _) = $0 { true } else { false } }
    }
}

extension ContainerSpec {
    /// With directories of this machine in the place of volumes.
    func withVolumes(at path: (String) -> String) -> ContainerSpec {
        var spec = self
        spec.mounts = mounts.map { mount in
            guard case .volume(let name?, let target, let isReadOnly) = mount else { return mount }
            return .bind(source: path(name), target: target, isReadOnly: isReadOnly)
        }
        return spec
    }
}
