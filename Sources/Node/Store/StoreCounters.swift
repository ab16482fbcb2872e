package import Metrics
internal import Synchronization

/// What a database has written since it was opened.
package final class StoreCounters: Sendable {
    private let writes = Atomic<Int>(0)
    private let failures = Atomic<Int>(0)
    private let groups = Atomic<Int>(0)
    private let commits = Mutex(DurationCounts())

    func committed(_ count: Int, nanoseconds: Int, isFailed: Bool) {
        if isFailed { return failed(count) }
        writes.add(count, ordering: .relaxed)
        groups.add(1, ordering: .relaxed)
        commits.withLock { $0.add(microseconds: nanoseconds / 1000) }
    }

    func failed(_ count: Int) { failures.add(count, ordering: .relaxed) }

    fileprivate var snapshot: (writes: Int, failures: Int, groups: Int, commits: DurationCounts) {
        (
            writes.load(ordering: .relaxed), failures.load(ordering: .relaxed), groups.load(ordering: .relaxed),
            commits.withLock { $0 }
        )
    }
}

/// Databases in numbers.
package struct StoreMetrics: MetricSource {
    private let databases: [(name: String, database: StateDatabase)]

    /// - Parameter databases: by the names that their series have.
    package init(_ databases: [(name: String, database: StateDatabase)]) { self.databases = databases }

    package func metrics() async -> [MetricFamily] {
        let all = databases.map { ($0.name, $0.database, $0.database.counters.snapshot) }
        return [
            MetricFamily(
                "forkless_store_writes_total", .counter, help: "Changes that were made durable.",
                all.map { MetricSample(["database": $0.0], $0.2.writes) }),
            MetricFamily(
                "forkless_store_write_failures_total", .counter, help: "Changes that failed with their transaction: a full disk, for one.",
                all.map { MetricSample(["database": $0.0], $0.2.failures) }),
            MetricFamily(
                "forkless_store_commits_total", .counter, help: "Transactions: changes that come together share one.",
                all.map { MetricSample(["database": $0.0], $0.2.groups) }),
            MetricFamily(
                "forkless_store_commit_seconds", .histogram, help: "How long commits took: the wait for the disk.",
                all.map { MetricSample(["database": $0.0], $0.2.commits) }),
            MetricFamily(
                "forkless_store_waiting_writes", .gauge, help: "Changes that wait for the disk.",
                all.map { MetricSample(["database": $0.0], $0.1.waitingChanges) }),
            MetricFamily(
                "forkless_store_size_bytes", .gauge, help: "The database's file with its log of changes.",
                all.map { MetricSample(["database": $0.0], $0.1.bytesOnDisk) }),
        ]
    }
}
