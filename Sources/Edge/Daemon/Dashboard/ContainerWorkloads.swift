import Dashboard
import Engine
import Linux
import Sandbox

/// Containers and processes of the node, as the dashboard shows them. Those of pods are told of with their pods.
struct ContainerWorkloads: Sendable {
    private static let podLabel = "io.kubernetes.pod.uid"
    /// Lines of a log, on a container's page.
    private static let logLines = 40

    let engine: ContainerEngine
    let usage: UsageRates

    func all() async throws(DashboardFailure) -> [Workload] {
        do throws(NodeFailure) {
            return try await engine.list(ListContainers(all: true)).containers.filter { $0.labels[Self.podLabel] == nil }.map(Self.workload)
        } catch { throw DashboardFailure(error) }
    }

    static func workload(_ container: ContainerSummary) -> Workload {
        let words = ([container.program] + container.arguments).joined(separator: " ")
        let what = container.image.isEmpty || ["host", "process"].contains(container.image) ? words : "\(container.image): \(words)"
        let (state, tone) = state(container)
        return Workload(
            WorkloadKey(.container, container.id), name: container.name, rung: container.rung == .process ? .process : .container,
            tone: tone, state: state, what: what, since: container.startedAt ?? container.createdAt)
    }

    private static func state(_ container: ContainerSummary) -> (String, Tone) {
        switch container.phase {
        case .running:
            switch container.health {
            case .unhealthy: return ("unhealthy", .bad)
            case .starting: return ("running, not healthy yet", .busy)
            case .healthy: return ("healthy", .good)
            case nil: return ("running", .good)
            }
        case .starting, .stopping, .removing, .restarting: return (container.phase.rawValue, .busy)
        case .paused: return ("paused", .warning)
        case .created: return ("created", .idle)
        case .lost: return ("lost", .bad)
        case .exited:
            guard let end = container.end else { return ("exited", .idle) }
            if end.outOfMemory { return ("out of memory", .bad) }
            return ("exited (\(Self.status(end)))", end.exitStatus == 0 ? .idle : .warning)
        }
    }

    /// How it ended; "unknown" where nobody has seen it.
    static func status(_ end: ContainerEnd) -> String { end.exitStatus.map { "\($0)" } ?? "unknown" }

    /// Adds memory and CPU.
    func measured(_ workloads: [Workload]) async -> [Workload] {
        let running = workloads.filter { $0.key.kind == .container && [.good, .busy, .bad].contains($0.tone) }.map(\.key.id)
        let rates = await usage.sample(running)
        return workloads.map { workload in
            var workload = workload
            if let rate = rates[workload.key.id] {
                workload.memoryBytes = rate.memoryBytes
                workload.cpus = rate.cpus
            }
            return workload
        }
    }

    func details(_ id: String) async throws(DashboardFailure) -> WorkloadDetails {
        let details: ContainerDetails
        do throws(NodeFailure) { details = try engine.inspect(id) } catch { throw DashboardFailure(error) }
        let summary = details.summary
        var result = WorkloadDetails(await measured([Self.workload(summary)])[0], facts: Self.facts(details))
        result.problem = details.startError
        result.actions = Self.actions(summary)
        if details.isLogged { result.log = await log(id) }
        return result
    }

    private static func facts(_ details: ContainerDetails) -> [Fact] {
        let summary = details.summary
        var facts = [
            Fact("Id", summary.id), Fact("Program", ([summary.program] + summary.arguments).joined(separator: " ")),
            Fact("Image or root", summary.image), Fact("Created", Self.moment(summary.createdAt)), Fact("Starts", "\(details.starts)"),
            Fact("Restarts", "\(details.restarts)"),
        ]
        if let started = summary.startedAt { facts.append(Fact("Started", Self.moment(started))) }
        if let micros = details.startMicroseconds {
            facts.append(Fact("Start took", "\(micros) µs" + (details.wasPrepared == true ? ", prepared ahead" : "")))
        }
        if let pid = summary.pid { facts.append(Fact("Process id", "\(pid)")) }
        if let end = summary.end {
            facts.append(Fact("Ended", "\(Self.moment(end.endedAt)), exit status \(status(end))" + (end.outOfMemory ? ", out of memory" : "")))
        }
        if let limit = details.spec.memoryBytes { facts.append(Fact("Memory limit", "\(limit >> 20) MiB")) }
        if !summary.networks.isEmpty { facts.append(Fact("Networks", summary.networks.joined(separator: ", "))) }
        for place in details.places { facts.append(Fact("Address in \(place.network)", "\(place.ipv4)")) }
        for (name, value) in summary.labels.sorted(by: { $0.key < $1.key }).prefix(20) { facts.append(Fact("Label \(name)", value)) }
        return facts
    }

    private static func moment(_ time: Timestamp) -> String { String(time.description.prefix(19)) + "Z" }

    private static func actions(_ container: ContainerSummary) -> [DashboardAction] {
        switch container.phase {
        case .created, .exited, .lost: [.startContainer(container.id), .removeContainer(container.id)]
        case .running, .restarting: [.stopContainer(container.id), .restartContainer(container.id)]
        case .paused, .starting: [.stopContainer(container.id)]
        case .stopping, .removing: []
        }
    }

    private func log(_ id: String) async -> [String] {
        var lines: [String] = []
        // A container that is removed meanwhile has none.
        try? await engine.readLogs(ReadLogs(container: id, tail: Self.logLines)) { part async throws(NodeFailure) in
            lines += part.map { String(decoding: $0.content, as: UTF8.self) }
        }
        return Array(lines.suffix(Self.logLines))
    }
}

/// What containers use, with the rate since they were looked at last.
actor UsageRates {
    struct Rate: Sendable {
        var memoryBytes: Int?
        var cpus: Double?
    }

    /// Older samples are compared with no more.
    private static let lifeNanoseconds = 120 * 1_000_000_000

    private let engine: ContainerEngine
    private var before: [String: (cpuMicroseconds: Int, at: Int, cpus: Double?)] = [:]

    init(_ engine: ContainerEngine) { self.engine = engine }

    func sample(_ containers: [String]) async -> [String: Rate] {
        let usage = await engine.usage(of: containers)
        let now = Clock.monotonicNanoseconds()
        before = before.filter { now - $0.value.at < Self.lifeNanoseconds }
        return usage.reduce(into: [:]) { rates, pair in
            rates[pair.key] = Rate(memoryBytes: pair.value.memoryBytes, cpus: rate(pair.key, pair.value.cpuMicroseconds, now))
        }
    }

    private func rate(_ id: String, _ cpuMicroseconds: Int?, _ now: Int) -> Double? {
        guard let cpuMicroseconds else { return nil }
        let last = before[id]
        // Two who look at once: the rate that is known stands.
        if let last, now - last.at < 200_000_000 { return last.cpus }
        let cpus = last.map { max(0, Double(cpuMicroseconds - $0.cpuMicroseconds) * 1000 / Double(now - $0.at)) }
        before[id] = (cpuMicroseconds, now, cpus)
        return cpus
    }
}

extension DashboardFailure {
    init(_ failure: NodeFailure) {
        let kind: Kind =
            switch failure.kind {
            case .notFound, .noImage: .notFound
            case .conflict: .conflict
            case .badRequest, .unsupported, .denied, .notExecutable, .protocolError: .invalid
            case .unavailable, .cancelled: .unavailable
            case .system: .failed
            }
        self.init(kind, failure.message)
    }
}
