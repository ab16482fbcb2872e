import Engine
import Linux
import RightSizing

/// The containers that run on a node, and what they have used.
struct RunningContainers {
    /// Those of nobody but their user.
    var alone: [MeasuredContainer] = []
    /// Those of pods.
    var ofPods: [PodPlace: MeasuredContainer] = [:]

    struct PodPlace: Hashable {
        var namespace: String
        var pod: String
        var container: String

        init(namespace: String, pod: String, container: String) {
            self.namespace = namespace
            self.pod = pod
            self.container = container
        }

        /// By the labels that the node's agent gives, as every runtime of Kubernetes has them; nil: of no pod.
        init?(_ labels: [String: String]) {
            guard let namespace = labels["io.kubernetes.pod.namespace"], let pod = labels["io.kubernetes.pod.name"] else { return nil }
            self.init(namespace: namespace, pod: pod, container: labels["io.kubernetes.container.name"] ?? "")
        }
    }

    /// - Parameter watchSeconds: for how long the rates of CPU are looked at, each second; 0: not at all.
    static func look(_ client: NodeClient, watchSeconds: Int) async throws -> RunningContainers {
        var rates: [String: [Double]] = [:]
        var round: [ContainerStatistics] = []
        for look in 0..<max(1, watchSeconds) {
            round = try await statistics(client)
            guard look < watchSeconds else { continue }
            for container in round { if let rate = container.cpus { rates[container.id, default: []].append(rate) } }
        }
        let now = Clock.now()
        let used = Dictionary(round.map { ($0.id, $0) }) { first, _ in first }
        var result = RunningContainers()
        for summary in try await client.call(ListContainers()).containers {
            guard let statistics = used[summary.id], let started = summary.startedAt else { continue }
            // It may be gone since.
            guard let spec = try? await client.call(InspectContainer(container: summary.id)).spec else { continue }
            let seconds = Double(max(0, now.nanoseconds - started.nanoseconds)) / 1e9
            let container = MeasuredContainer(
                id: summary.id, name: summary.name, memoryLimit: spec.memoryBytes, milliCPUs: spec.milliCPUs,
                peakBytes: statistics.peakMemoryBytes,
                meanCPUs: seconds > 0 ? statistics.cpuMicroseconds.map { Double($0) / 1e6 / seconds } : nil,
                rates: rates[summary.id] ?? [], seconds: seconds)
            if let place = PodPlace(summary.labels) { result.ofPods[place] = container } else { result.alone.append(container) }
        }
        result.alone.sort { $0.name < $1.name }
        return result
    }

    /// One round, whose rates are those of a second.
    private static func statistics(_ client: NodeClient) async throws -> [ContainerStatistics] {
        var rounds: [ContainerStatistics] = []
        _ = try await client.stream(ReadStatistics()) { round, _ in rounds = round.containers }
        return rounds
    }
}
