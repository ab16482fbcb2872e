import Building
import Engine
import ExecDoor
import Functions
import Keeper
import Linux
import Metrics
import Sandbox
import Synchronization

/// The keeper and what runs in its sandboxes, by kind.
///
/// The keeper is asked every five seconds, for a bounded number of sandboxes: it is one thread with more important work.
struct SandboxMetrics: MetricSource {
    private static let age = Duration.seconds(5)

    private let keeper: Remembered<KeeperView>
    private let sandboxes: Remembered<SandboxRound>

    init(_ link: KeeperLink) {
        keeper = Remembered(for: Self.age, first: KeeperView()) { await KeeperView.look(link) }
        let sampler = SandboxSampler(link)
        sandboxes = Remembered(for: Self.age, first: SandboxRound()) { await sampler.sample() }
    }

    func metrics() async -> [MetricFamily] { keeper.value.families + sandboxes.value.families }
}

/// How the keeper is doing.
struct KeeperView: Sendable {
    var isUp = false
    var replacements = 0
    var summary: KeeperSummary?
    var process: ProcessTimes?

    static func look(_ link: KeeperLink) async -> KeeperView {
        var view = KeeperView()
        view.replacements = await link.replacements
        guard let summary = try? await link.status() else { return view }
        view.isUp = true
        view.summary = summary
        view.process = ProcessTimes.read(pid: "\(summary.pid)")
        return view
    }

    var families: [MetricFamily] {
        var families: [MetricFamily] = [
            .gauge("forkless_keeper_up", "1 while the node has its keeper.", isUp ? 1 : 0),
            .counter(
                "forkless_keeper_replacements_total", "How often another keeper took the place of one that died.", replacements),
        ]
        if let summary {
            families += [
                .gauge("forkless_keeper_resident_memory_bytes", "Resident memory of the keeper.", summary.residentBytes),
                .gauge("forkless_keeper_open_fds", "Open file descriptors of the keeper.", summary.openDescriptors),
                .gauge("forkless_keeper_sandboxes", "Programs that the keeper runs.", summary.running),
                .gauge("forkless_keeper_prepared_sandboxes", "Sandboxes that are ready for a program.", summary.prepared),
                .gauge("forkless_keeper_templates", "Launch plans that the keeper knows.", summary.templates),
            ]
            let starts = MetricFamily.counter(
                "forkless_keeper_starts_total", "Programs that the keeper has started.", summary.starts)
            families.append(starts.outlivingNode())
        }
        if let process {
            let cpu = MetricFamily.counter(
                "forkless_keeper_cpu_seconds_total", "Processor time of the keeper.", process.cpuSeconds)
            families.append(cpu.outlivingNode())
            if let begun = process.startedAtSeconds {
                families.append(.gauge("forkless_keeper_start_time_seconds", "When the keeper began, seconds since 1970.", begun))
            }
        }
        return families
    }
}

/// What a sandbox is for, by its name.
enum SandboxKind: String, CaseIterable {
    case container, function, standby, call, build

    init(_ sandbox: String) {
        let prefixes: [(String, SandboxKind)] = [
            (FunctionSandboxes.prefix, .function), (StandbySandboxes.prefix, .standby), (StandbyTarget.prefix, .standby),
            (CallSandboxes.prefix, .call), (BuildSandboxes.prefix, .build),
        ]
        self = prefixes.first { sandbox.hasPrefix($0.0) }?.1 ?? .container
    }
}

/// What sandboxes used, by kind.
struct SandboxRound: Sendable {
    struct Sums: Sendable {
        var running = 0
        var memoryBytes = 0
        var processes = 0
        /// Since the first look, of all that were ever looked at, microseconds.
        var cpuMicroseconds = 0
    }

    var byKind: [SandboxKind: Sums] = [:]
    /// Sandboxes that were not looked at, since there are so many.
    var unseen = 0

    mutating func count(_ cpuMicroseconds: [SandboxKind: Int]) {
        for (kind, sum) in cpuMicroseconds { byKind[kind, default: Sums()].cpuMicroseconds = sum }
    }

    var families: [MetricFamily] {
        func family(_ name: String, _ kind: MetricFamily.Kind, _ help: String, _ value: (Sums) -> Double) -> MetricFamily {
            MetricFamily(
                "forkless_sandbox" + name, kind, help: help,
                SandboxKind.allCases.map { MetricSample(["kind": $0.rawValue], value(byKind[$0] ?? Sums())) })
        }
        return [
            family("es", .gauge, "Sandboxes in which a program runs, by what they are for.") { Double($0.running) },
            family("_memory_bytes", .gauge, "Memory of sandboxes, page cache included.") { Double($0.memoryBytes) },
            family("_processes", .gauge, "Processes and threads in sandboxes.") { Double($0.processes) },
            family(
                "_cpu_seconds_total", .counter,
                "Processor time of sandboxes that lived while they were looked at, every five seconds."
            ) { Double($0.cpuMicroseconds) / 1e6 },
            .gauge("forkless_sandboxes_unseen", "Sandboxes whose use was not looked at, since there are more than 500.", unseen),
        ]
    }
}

/// Looks at sandboxes, and remembers what it saw of each.
final class SandboxSampler: Sendable {
    /// Looked at in one round: each is a question to the keeper, of about 0.1 ms.
    static let limit = 500

    private let link: KeeperLink
    private let use = Mutex(SandboxUse())

    init(_ link: KeeperLink) { self.link = link }

    func sample() async -> SandboxRound {
        var round = SandboxRound()
        guard let reports = try? await link.list() else {
            // A counter goes on while the keeper is away.
            round.count(use.withLock { $0.sums })
            return round
        }
        // What was executed in a sandbox beside its program is in its cgroup.
        let running = reports.filter { $0.end == nil && $0.parent == nil }.map(\.sandbox)
        round.unseen = max(0, running.count - Self.limit)
        var read: [String: Int] = [:]
        for sandbox in running { round.byKind[SandboxKind(sandbox), default: .init()].running += 1 }
        for sandbox in running.prefix(Self.limit) {
            guard let usage = try? await link.usage(of: sandbox) else { continue }
            let kind = SandboxKind(sandbox)
            round.byKind[kind]!.memoryBytes += usage.memoryBytes ?? 0
            round.byKind[kind]!.processes += usage.pids ?? 0
            read[sandbox] = usage.cpuMicroseconds
        }
        let sums = use.withLock { use in
            use.take(running: running, read: read)
            return use.sums
        }
        round.count(sums)
        return round
    }
}
