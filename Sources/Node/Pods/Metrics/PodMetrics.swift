package import Engine
import KubeObjects
package import Linux
import Synchronization

/// What the containers of a pod used over a short time: what metrics.k8s.io shows.
package struct PodUsage: Hashable, Sendable {
    package struct Container: Hashable, Sendable {
        package var name: String
        /// Billionths of a CPU over the window.
        package var cpuNanocores: Int
        package var memoryBytes: Int
    }

    package var namespace: String
    package var name: String
    package var uid: String
    package var containers: [Container]
    /// The end of the window.
    package var timestamp: Timestamp
    package var windowNanoseconds: Int
}

extension PodAgent {
    /// Measures all pods that run now, which takes about a fifth of a second.
    ///
    /// A container that was started or ended meanwhile is left out, and so is a pod without any other.
    package func usage() async throws(NodeFailure) -> [PodUsage] {
        let begin = Clock.monotonicNanoseconds()
        var round = StatisticsRound(containers: [])
        try await surroundings.engine.readStatistics(
            ReadStatistics(containers: [], follow: false, intervalMilliseconds: Self.windowMilliseconds)
        ) { round = $0 }
        let window = Clock.monotonicNanoseconds() - begin
        let now = surroundings.now()
        let byName = Dictionary(round.containers.map { ($0.name, $0) }) { first, _ in first }
        return workers.withLock { Array($0.values) }.compactMap { worker in
            let (pod, machine) = worker.view.withLock { ($0.pod, $0.machine) }
            let containers = machine.containers.compactMap { life -> PodUsage.Container? in
                guard let run = life.run,
                    let used = byName[PodNaming.name(pod: worker.uid, container: life.plan.name, attempt: run.attempt)],
                    let cpus = used.cpus
                else { return nil }
                return PodUsage.Container(
                    name: life.plan.name, cpuNanocores: Int(cpus * 1_000_000_000), memoryBytes: used.memoryBytes ?? 0)
            }
            guard !containers.isEmpty else { return nil }
            return PodUsage(
                namespace: pod.namespace ?? "default", name: pod.name, uid: pod.uid, containers: containers,
                timestamp: now,
                windowNanoseconds: window)
        }
    }

    private static let windowMilliseconds = 200
}
