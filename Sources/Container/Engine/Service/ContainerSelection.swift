import Networking
import OCI

/// Which containers a listing shows: the flags and filters of `docker ps`. Pure.
struct ContainerSelection {
    private let request: ListContainers
    private let filters: Filters

    static let keys = [
        "id", "name", "label", "status", "exited", "ancestor", "before", "since", "volume", "network", "health", "publish",
    ]

    /// - Throws: `NodeFailure` of kind `badRequest` for a filter, or a value of one, that does not exist.
    init(_ request: ListContainers) throws(NodeFailure) {
        self.request = request
        filters = try Filters(request.filters, known: Self.keys)
        for status in filters.all("status") where Self.phases(status) == nil {
            throw NodeFailure(
                .badRequest,
                "--filter \"status=\(status)\": invalid filter; write created, restarting, running, removing, paused, exited, "
                    + "dead, starting, stopping or lost")
        }
        for code in filters.all("exited") where Int32(code) == nil {
            throw NodeFailure(.badRequest, "--filter \"exited=\(code)\": write an exit status")
        }
        for health in filters.all("health") where health != "none" && HealthStatus(rawValue: health) == nil {
            throw NodeFailure(.badRequest, "--filter \"health=\(health)\": write starting, healthy, unhealthy or none")
        }
        if let limit = request.limit, limit < 0 { throw NodeFailure(.badRequest, "--last \(limit): write a number from 0") }
    }

    /// Those to be shown, the newest first.
    func select(from records: [ContainerRecord]) throws(NodeFailure) -> [ContainerRecord] {
        let newestFirst = records.sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
        let before = try place(of: "before", in: newestFirst)
        let since = try place(of: "since", in: newestFirst)
        // As with Docker: who asks for states, or for the latest, means all.
        let isWide = request.all || request.limit != nil || !filters.all("status").isEmpty || !filters.all("exited").isEmpty
        var selected: [ContainerRecord] = []
        for (index, record) in newestFirst.enumerated() {
            if let before, index <= before { continue }
            if let since, index >= since { continue }
            guard isWide || record.lifecycle.phase.isActive || record.lifecycle.phase == .restarting else { continue }
            if fits(record) { selected.append(record) }
        }
        return request.limit.map { Array(selected.prefix($0)) } ?? selected
    }

    private func fits(_ record: ContainerRecord) -> Bool {
        let (spec, life) = (record.spec, record.lifecycle)
        return request.labels.allSatisfy { spec.labels[$0.key] == $0.value } && filters.matchesLabels(spec.labels)
            && filters.matches("id") { record.id.hasPrefix($0) } && filters.matches("name") { record.name.contains($0) }
            && filters.matches("status") { Self.phases($0)?.contains(life.phase) ?? false }
            && filters.matches("exited") { !life.phase.isActive && life.end?.exitStatus == Int32($0) }
            && filters.matches("health") { ($0 == "none" && record.health == nil) || record.health?.status.rawValue == $0 }
            && filters.matches("ancestor") { Self.isOf(record, image: $0) }
            && filters.matches("volume") { wanted in spec.mounts.contains { Self.isVolume($0, wanted) } }
            && filters.matches("network") { Self.isIn(spec.networkChoice, $0) }
            && filters.matches("publish") { wanted in
                spec.ports.contains { "\($0.hostPort)" == wanted || "\($0.hostPort)/\($0.transport.rawValue)" == wanted }
            }
    }

    /// The container that "before" or "since" names, as a place in the list; the last one named counts.
    private func place(of key: String, in records: [ContainerRecord]) throws(NodeFailure) -> Int? {
        guard let wanted = filters.all(key).last else { return nil }
        guard let place = records.firstIndex(where: { $0.name == wanted || $0.id.hasPrefix(wanted) }), !wanted.isEmpty else {
            throw NodeFailure(.notFound, "--filter \"\(key)=\(wanted)\": there is no such container")
        }
        return place
    }

    /// The phases that Docker's word for a state stands for; nil: it is none.
    private static func phases(_ status: String) -> [ContainerPhase]? {
        switch status {
        // A container that is being stopped runs until it has ended.
        case "running": [.running, .stopping]
        case "removing": [.removing]
        case "dead": [.lost]
        default: ContainerPhase(rawValue: status).map { [$0] }
        }
    }

    private static func isOf(_ record: ContainerRecord, image wanted: String) -> Bool {
        guard let image = record.spec.image, !wanted.isEmpty else { return false }
        if image.name == wanted || image.name == wanted + ":latest" || image.name + ":latest" == wanted { return true }
        guard let id = image.id?.description else { return false }
        return id == wanted || (wanted.utf8.count >= 4 && id.hasPrefix("sha256:" + wanted))
    }

    private static func isVolume(_ mount: ContainerMount, _ wanted: String) -> Bool {
        switch mount {
        case .volume(let name, let target, _): name == wanted || target == wanted
        case .bind(let source, let target, _): source == wanted || target == wanted
        case .temporary: false
        }
    }

    private static func isIn(_ network: ContainerNetwork, _ wanted: String) -> Bool {
        switch network {
        case .isolated: wanted == "none"
        case .host: wanted == "host"
        case .container, .pod: false
        case .joined(let joined): joined.contains { $0.network == wanted }
        }
    }
}
