import Images
import Keeper
import Linux

// Changes to containers that run on: pausing, names, limits.

extension ContainerEngine {
    package func pause(_ container: String) async throws(NodeFailure) {
        try await registry.find(container).handle(.pauseRequested)
    }

    package func resume(_ container: String) async throws(NodeFailure) {
        try await registry.find(container).handle(.resumeRequested)
    }

    /// Gives a container another name, which must be free.
    package func rename(_ request: RenameContainer) async throws(NodeFailure) {
        let worker = try registry.find(request.container)
        let old = worker.record.name
        do { try ContainerSpec.validate(name: request.name) } catch { throw error.failure }
        guard request.name != old else {
            throw NodeFailure(.badRequest, "rename \(old): renaming a container with the same name as its current name")
        }
        try registry.reserve(request.name, for: worker.record.id)
        do { try await worker.rename(to: request.name) } catch {
            registry.release(request.name, of: worker.record.id)
            throw error
        }
        registry.release(old, of: worker.record.id)
        journal.note("rename", of: worker.record, attributes: ["oldName": old])
    }

    /// Changes limits and the restart policy; of a container that runs, at once.
    package func update(_ request: UpdateContainer) async throws(NodeFailure) {
        let worker = try registry.find(request.container)
        try await worker.update(request)
        journal.note("update", of: worker.record)
    }

    /// The processes of a container that runs.
    package func processes(of container: String) async throws(NodeFailure) -> ContainerProcesses {
        let worker = try registry.find(container)
        _ = try runningSandbox(worker)
        guard let pid = worker.record.lifecycle.run?.start?.pid else {
            throw NodeFailure(.conflict, "container \(worker.record.name): it is not running")
        }
        do {
            let processes = try await BlockingPool.shared.run { () throws(SystemError) in
                try ProcessTable.processes(besides: pid)
            }
            journal.note("top", of: worker.record)
            return ContainerProcesses(processes: processes)
        } catch { throw NodeFailure(.system, "list the processes of \(worker.record.name): \(error)") }
    }

    /// Removes every container that does not run.
    package func prune(_ request: PruneContainers) async throws(NodeFailure) -> PrunedContainers {
        let filters = try Filters(request.filters, known: ["label", "label!", "until"])
        var until: Timestamp?
        if let text = filters.all("until").last {
            guard let time = Timestamp(text) else {
                throw NodeFailure(.badRequest, "--filter \"until=\(text)\": write a time as RFC 3339 does")
            }
            until = time
        }
        var pruned = PrunedContainers(ids: [], reclaimedBytes: 0)
        for worker in registry.all {
            let record = worker.record
            guard !record.lifecycle.phase.isActive, record.lifecycle.phase != .restarting,
                until.map({ record.createdAt < $0 }) ?? true, filters.matchesLabels(record.spec.labels),
                filters.all("label!").isEmpty || !filters.matchesLabels(record.spec.labels, key: "label!")
            else { continue }
            let bytes = await diskUsage(of: record)
            // One that was started or removed meanwhile is none of those meant.
            guard (try? await worker.handle(.removeRequested(force: false))) != nil else { continue }
            pruned.ids.append(record.id)
            pruned.reclaimedBytes += bytes
        }
        journal.note(.container, "prune", subject: "", attributes: ["reclaimed": "\(pruned.reclaimedBytes)"])
        return pruned
    }

    /// What a container has written over its image.
    func ownBytes(of record: ContainerRecord) async -> Int {
        guard let room = record.room else { return 0 }
        let path = "\(directory.rooms)/\(room)/upper"
        let bytes = try? await BlockingPool.shared.run { () throws(SystemError) in try DiskUse.bytes(below: path) }
        return bytes ?? 0
    }

    /// What a container's directory takes on the disk; 0 for one that is going.
    private func diskUsage(of record: ContainerRecord) async -> Int {
        let path = directory.directory(of: record.id)
        let bytes = try? await BlockingPool.shared.run { () throws(SystemError) in try DiskUse.bytes(below: path) }
        return bytes ?? 0
    }
}

extension UpdateContainer {
    /// What a spec becomes by this.
    func applied(to spec: ContainerSpec) throws(NodeFailure) -> ContainerSpec {
        var spec = spec
        if let memoryBytes { spec.memoryBytes = memoryBytes == 0 ? nil : memoryBytes }
        if let milliCPUs { spec.milliCPUs = milliCPUs == 0 ? nil : milliCPUs }
        if let cpuShares { spec.cpuShares = cpuShares == 0 ? nil : cpuShares }
        if let pidsLimit { spec.pidsLimit = pidsLimit }
        if let cpus { spec.cpus = cpus.isEmpty ? nil : cpus }
        if let restart {
            guard let policy = RestartPolicy(restart) else {
                throw NodeFailure(
                    .badRequest,
                    "--restart \"\(restart)\": invalid restart policy; write no, on-failure[:MAX], always or unless-stopped")
            }
            spec.restart = policy
        }
        do { try spec.validate() } catch { throw error.failure }
        return spec
    }

    /// Whether it changes what the kernel enforces.
    var changesLimits: Bool {
        memoryBytes != nil || milliCPUs != nil || cpuShares != nil || pidsLimit != nil || cpus != nil
    }
}
