import Linux
import OCI
import RuntimeCgroups

/// A container that is there: its directory, its record, and what it is doing now.
struct Container {
    let directory: StateDirectory
    /// nil until its process is there.
    let record: ContainerRecord?
    /// The bundle of one that is being made.
    private let bundleInMaking: String?
    let status: ContainerStatus

    /// Looks at a container.
    init(_ id: String, root: String) throws(RuntimeFailure) { try self.init(try StateDirectory(id, root: root)) }

    init(_ directory: StateDirectory) throws(RuntimeFailure) {
        self.directory = directory
        let record = try directory.record()
        self.record = record
        bundleInMaking = directory.bundleInMaking
        let isAlive = record.map { ProcessIdentity.startTicks(of: $0.pid) == $0.startTicks } ?? false
        let isFrozen = isAlive && (record.map { RuntimeCgroup(recorded: $0.cgroups).isFrozen } ?? false)
        status = ContainerStatus(
            ContainerStatus.Evidence(
                isRecorded: record != nil, isAlive: isAlive, isBeingMade: bundleInMaking != nil,
                awaitsStart: isAlive && directory.awaitsStart, isFrozen: isFrozen))
    }

    /// The record of a container of which something may be asked.
    func demand(_ action: ContainerStatus.Action) throws(RuntimeFailure) -> ContainerRecord {
        if let refusal = status.refusal(of: action, id: directory.id) { throw RuntimeFailure(refusal) }
        guard let record else { throw RuntimeFailure("container \(directory.id) is being made") }
        return record
    }

    /// What `state` prints and hooks are given.
    func state(_ annotations: [String: String]) -> RuntimeState {
        RuntimeState(
            id: directory.id, status: RuntimeState.Status(rawValue: status.rawValue)!,
            pid: status == .stopped ? 0 : record?.pid ?? 0, bundle: record?.bundle ?? bundleInMaking ?? "",
            annotations: annotations, root: record?.root, created: record?.created)
    }
}
