import JSON
package import KubeObjects
import KubeSchema

/// Which pod has to go when memory runs out, as the kubelet ranks them: those above what they asked for first, then by
/// priority, then by how far they are above. Pure.
package struct MemoryPressure: Sendable {
    package struct Pod: Sendable {
        package var object: KubeObject
        /// Bytes by container.
        package var usage: [String: Int]
        /// Whether it goes already: what it has comes back without another word.
        package var isEnding: Bool

        package init(object: KubeObject, usage: [String: Int], isEnding: Bool = false) {
            self.object = object
            self.usage = usage
            self.isEnding = isEnding
        }

        var used: Int { usage.values.reduce(0, +) }

        var requested: Int {
            (object.spec["containers"]?.array ?? []).reduce(0) { $0 + Self.request(of: $1) }
        }

        static func request(of container: JSONValue) -> Int {
            Quantity(json: container["resources", "requests"]?["memory"]).map { Int(clamping: $0.value) } ?? 0
        }

        var priority: Int64 { object.spec["priority"]?.integer ?? 0 }

        /// A pod that the cluster cannot do without.
        var isCritical: Bool { priority >= 2_000_000_000 }
    }

    /// Below so many bytes a pod has to go: 100Mi, as upstream.
    package var thresholdBytes = 100 << 20

    package init() {}

    /// - Returns: the pod, and the status's message; nil when there is enough, or nobody who could go.
    package func victim(availableBytes: Int, among pods: [Pod]) -> (uid: String, message: String)? {
        guard availableBytes < thresholdBytes else { return nil }
        let candidates = pods.filter {
            !$0.isCritical && !$0.isEnding && !$0.object.isBeingDeleted && !$0.usage.isEmpty
        }
        let ranked = candidates.sorted { a, b in
            let (above, other) = (a.used > a.requested, b.used > b.requested)
            if above != other { return above }
            if a.priority != b.priority { return a.priority < b.priority }
            let (more, less) = (a.used - a.requested, b.used - b.requested)
            return more == less ? a.object.uid < b.object.uid : more > less
        }
        guard let first = ranked.first else { return nil }
        var message =
            "The node was low on resource: memory. Threshold quantity: \(Self.text(thresholdBytes)), available: \(Self.text(availableBytes)). "
        for container in first.object.spec["containers"]?.array ?? [] {
            guard let name = container["name"]?.string, let used = first.usage[name] else { continue }
            let request = Pod.request(of: container)
            guard used > request else { continue }
            message +=
                "Container \(name) was using \(Self.text(used)), request is \(Self.text(request)), has larger consumption of memory. "
        }
        return (first.object.uid, message)
    }

    /// As a quantity: in Ki, where that is exact, as the kubelet's readings are.
    private static func text(_ bytes: Int) -> String {
        if bytes == 0 { return "0" }
        for (suffix, unit) in [("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)] where bytes % unit == 0 {
            return "\(bytes / unit)\(suffix)"
        }
        return "\(bytes)"
    }
}

extension PodAgent {
    /// Looks at the memory of the machine again and again, and lets go of a pod when there is too little.
    ///
    /// - Parameter available: bytes that programs can still have; nil: not known now.
    func watchMemory(every seconds: Int, available: @escaping @Sendable () async -> Int?) async {
        let pressure = MemoryPressure()
        while (try? await Task.sleep(for: .seconds(seconds))) != nil {
            guard let free = await available(), free < pressure.thresholdBytes, let usage = try? await usage() else {
                continue
            }
            let pods = usage.compactMap { used -> MemoryPressure.Pod? in
                guard let worker = worker(used.uid) else { return nil }
                let bytes = Dictionary(used.containers.map { ($0.name, $0.memoryBytes) }) { first, _ in first }
                return MemoryPressure.Pod(
                    object: worker.pod, usage: bytes, isEnding: worker.machine.ending != nil)
            }
            guard let victim = pressure.victim(availableBytes: free, among: pods), let worker = worker(victim.uid)
            else { continue }
            worker.tell(EventNote(.warning, PodMachine.evictedReason, victim.message))
            worker.post(.evicted(reason: PodMachine.evictedReason, message: victim.message))
        }
    }

    /// MemAvailable of /proc/meminfo.
    static func available(_ text: String) -> Int? {
        for line in text.split(separator: "\n") where line.hasPrefix("MemAvailable:") {
            return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
        }
        return nil
    }
}
