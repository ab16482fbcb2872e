import Linux
import Sandbox

/// Samples what containers use and turns CPU time into a rate between two samples.
struct StatisticsSampler: Sendable {
    private struct Sample: Sendable {
        var cpuMicroseconds: Int
        var takenNanoseconds: Int
    }

    private let link: KeeperLink
    private var before: [String: Sample] = [:]
    private var rounds = 0

    init(link: KeeperLink) { self.link = link }

    /// Whether there is nothing yet to compare with.
    var isFresh: Bool { rounds == 0 }

    /// One round over those that run; one that ends meanwhile is left out.
    mutating func sample(_ records: [ContainerRecord]) async -> StatisticsRound {
        var statistics: [ContainerStatistics] = []
        var now: [String: Sample] = [:]
        for record in records where [.running, .paused, .stopping].contains(record.lifecycle.phase) {
            let sandbox = record.sandbox(run: record.lifecycle.runs)
            guard let usage = try? await link.usage(of: sandbox) else { continue }
            let taken = Clock.monotonicNanoseconds()
            now[sandbox] = usage.cpuMicroseconds.map { Sample(cpuMicroseconds: $0, takenNanoseconds: taken) }
            statistics.append(
                Self.statistics(of: record, usage, cpus: Self.rate(from: before[sandbox], to: now[sandbox])))
        }
        before = now
        rounds += 1
        return StatisticsRound(containers: statistics)
    }

    private static func rate(from before: Sample?, to now: Sample?) -> Double? {
        guard let before, let now, now.takenNanoseconds > before.takenNanoseconds else { return nil }
        let used = Double(now.cpuMicroseconds - before.cpuMicroseconds) * 1000
        return max(0, used / Double(now.takenNanoseconds - before.takenNanoseconds))
    }

    private static func statistics(
        of record: ContainerRecord, _ usage: CgroupUsage, cpus: Double?
    ) -> ContainerStatistics {
        ContainerStatistics(
            id: record.id, name: record.name, cpus: cpus, cpuMicroseconds: usage.cpuMicroseconds,
            memoryBytes: usage.memoryBytes, memoryLimitBytes: record.spec.memoryBytes,
            peakMemoryBytes: usage.memoryPeakBytes, pids: usage.pids,
            pidsLimit: record.spec.pidsLimit == 0 ? nil : record.spec.pidsLimit ?? ContainerSpec.defaultPidsLimit)
    }
}
