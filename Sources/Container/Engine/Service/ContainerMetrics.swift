package import Metrics

/// Containers in numbers, and what happened.
package struct ContainerMetrics: MetricSource {
    private let engine: ContainerEngine
    private let journal: EventJournal

    package init(_ engine: ContainerEngine, _ journal: EventJournal) {
        self.engine = engine
        self.journal = journal
    }

    private struct Group: Hashable {
        var kind: String
        var rung: String
        var phase: ContainerPhase
    }

    package func metrics() async -> [MetricFamily] {
        var groups: [Group: Int] = [:]
        var restarts: [String: Int] = [:]
        var unhealthy = 0
        for record in engine.records {
            let kind = Self.kind(record)
            groups[Group(kind: kind, rung: record.spec.rung.rawValue, phase: record.lifecycle.phase), default: 0] += 1
            restarts[kind, default: 0] += record.lifecycle.restart.restarts
            if record.health?.status == .unhealthy { unhealthy += 1 }
        }
        return [
            MetricFamily(
                "forkless_containers", .gauge, help: "Containers, by what made them, their rung and their phase.",
                groups.sorted {
                    ($0.key.kind, $0.key.rung, $0.key.phase.rawValue) < ($1.key.kind, $1.key.rung, $1.key.phase.rawValue)
                }.map { MetricSample(["kind": $0.key.kind, "rung": $0.key.rung, "phase": $0.key.phase.rawValue], $0.value) }),
            MetricFamily(
                "forkless_container_restarts", .gauge, help: "How often the containers that are there were restarted by their policy.",
                restarts.sorted { $0.key < $1.key }.map { MetricSample(["kind": $0.key], $0.value) }),
            .gauge("forkless_containers_unhealthy", "Containers whose health check says so.", unhealthy),
            MetricFamily(
                "forkless_events_total", .counter, help: "What happened to containers, images, networks, volumes and builds.",
                journal.counts.map { MetricSample(["type": $0.kind.rawValue, "action": $0.verb], $0.count) }),
        ]
    }

    /// Containers of pods have names as the kubelet makes them.
    private static func kind(_ record: ContainerRecord) -> String { record.name.hasPrefix("k8s_") ? "pod" : "container" }
}
