package import Metrics

/// Pools of instances in numbers: those of functions, and those of programs on standby.
package struct PoolMetrics: MetricSource {
    private let invoker: FunctionInvoker

    package init(_ invoker: FunctionInvoker) { self.invoker = invoker }

    package func metrics() async -> [MetricFamily] {
        let status = await invoker.status()
        return PoolFamilies.families(Self.rows(status)) + Self.provisioned(status) + [
            .gauge("forkless_concurrent_calls", "Calls of functions that are under way.", status.inFlight),
            .gauge("forkless_concurrent_calls_limit", "Calls of functions that may be under way at once.", status.concurrency),
            .gauge(
                "forkless_function_memory_reserved_bytes", "Memory that instances of functions are allowed to take.",
                status.usedMemoryMB << 20),
            .gauge("forkless_function_memory_limit_bytes", "Memory that all of them together may be allowed.", status.memoryMB << 20),
            .gauge("forkless_instance_starts_under_way", "Instances of functions that are being started.", status.startsUnderWay),
            .gauge(
                "forkless_pools_waiting", "Pools that wait for memory, or for their turn to start an instance.", status.waitingPools),
        ]
    }

    /// Pools of one version stand together: one that is drained has the name of its successor.
    private static func rows(_ status: PlaneStatus) -> [PoolFamilies.Row] {
        status.pools.map { pool in
            let counts = pool.counts
            return PoolFamilies.Row(
                workload: pool.function, version: pool.version, kind: "function",
                instances: [
                    ("starting", counts.starting), ("warm", counts.idle), ("busy", counts.busy), ("stopping", counts.stopping),
                ],
                waiting: counts.waiting, calls: counts.calls, misses: counts.waitedCalls, refused: counts.refusedCalls,
                failedStarts: counts.failedStarts, launched: counts.launched, evicted: counts.evicted)
        }
    }

    private static func provisioned(_ status: PlaneStatus) -> [MetricFamily] {
        let pools = status.pools.filter { $0.provisioning.requested > 0 }
        return [
            MetricFamily(
                "forkless_pool_provisioned", .gauge, help: "Instances that are to be kept ready, and those that are.",
                pools.flatMap { pool in
                    [
                        MetricSample(["workload": pool.function, "version": pool.version, "state": "requested"], pool.provisioning.requested),
                        MetricSample(["workload": pool.function, "version": pool.version, "state": "available"], pool.provisioning.available),
                    ]
                })
        ]
    }
}

/// Pools of programs that wait in their first read: `forkless run --rung function`.
package struct StandbyPoolMetrics: MetricSource {
    private let registry: FunctionRegistry

    package init(_ registry: FunctionRegistry) { self.registry = registry }

    package func metrics() async -> [MetricFamily] {
        PoolFamilies.families(
            await registry.list().map { function in
                let counts = function.counts
                return PoolFamilies.Row(
                    workload: function.definition.name, version: "", kind: "standby",
                    instances: [
                        ("starting", counts.starting), ("standby", counts.ready), ("busy", counts.busy), ("stopping", counts.stopping),
                    ],
                    waiting: counts.waiting, calls: counts.calls, misses: counts.coldCalls, refused: counts.refusedCalls,
                    failedStarts: counts.failedInstances)
            })
    }
}

/// What all kinds of pools are told in. Pure.
enum PoolFamilies {
    struct Row {
        var workload: String
        var version: String
        var kind: String
        /// By state.
        var instances: [(String, Int)]
        var waiting: Int
        var calls: Int
        /// Calls that found no instance free.
        var misses: Int
        var refused: Int
        var failedStarts: Int
        var launched: Int?
        var evicted: Int?
    }

    static func families(_ rows: [Row]) -> [MetricFamily] {
        let rows = merged(rows)
        func family(
            _ name: String, _ kind: MetricFamily.Kind, _ help: String, _ values: (Row) -> [(label: (String, String)?, value: Int)]
        ) -> MetricFamily {
            MetricFamily(
                "forkless_pool_" + name, kind, help: help,
                rows.flatMap { row in
                    values(row).map { label, value in
                        var labels = [
                            MetricLabel("workload", row.workload), MetricLabel("version", row.version), MetricLabel("kind", row.kind),
                        ]
                        if let label { labels.append(MetricLabel(label.0, label.1)) }
                        return MetricSample(labels, .number(Double(value)))
                    }
                })
        }
        return [
            family("instances", .gauge, "Instances, by what they do.") { $0.instances.map { (("state", $0.0), $0.1) } },
            family("waiting_calls", .gauge, "Calls that wait for an instance.") { [(nil, $0.waiting)] },
            family("calls_total", .counter, "Calls that came to the pool, by whether an instance was free (hit) or not (miss).") {
                [(("found", "hit"), max(0, $0.calls - $0.misses)), (("found", "miss"), $0.misses)]
            },
            family("refused_calls_total", .counter, "Calls that were given no instance.") { [(nil, $0.refused)] },
            family("failed_starts_total", .counter, "Instances that could not be started, or ended unused.") { [(nil, $0.failedStarts)] },
            family("launched_total", .counter, "Instances that were started.") { $0.launched.map { [(nil, $0)] } ?? [] },
            family("evicted_total", .counter, "Instances that were stopped because others needed their memory.") {
                $0.evicted.map { [(nil, $0)] } ?? []
            },
        ]
    }

    private static func merged(_ rows: [Row]) -> [Row] {
        var result: [Row] = []
        var places: [[String]: Int] = [:]
        for row in rows {
            guard let place = places[[row.workload, row.version]] else {
                places[[row.workload, row.version]] = result.count
                result.append(row)
                continue
            }
            result[place].add(row)
        }
        return result
    }
}

extension PoolFamilies.Row {
    fileprivate mutating func add(_ other: Self) {
        for index in instances.indices { instances[index].1 += other.instances[index].1 }
        waiting += other.waiting
        calls += other.calls
        misses += other.misses
        refused += other.refused
        failedStarts += other.failedStarts
        launched = launched.map { $0 + (other.launched ?? 0) }
        evicted = evicted.map { $0 + (other.evicted ?? 0) }
    }
}
