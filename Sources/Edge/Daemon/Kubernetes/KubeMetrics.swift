import Engine
import JSON
import KubeAPI
import KubeObjects
import Linux
import Pods
import Sandbox
import Services
import Synchronization

/// metrics.k8s.io: what pods and the machine use now, measured when somebody asks; and what the gateway has counted.
final class KubeMetrics: ComputedObjects {
    private let node: String
    private let capacity: MachineCapacity
    private let agent = Mutex<PodAgent?>(nil)
    private let router = Mutex<ServiceRouter?>(nil)

    init(node: String, capacity: MachineCapacity) {
        self.node = node
        self.capacity = capacity
    }

    /// These are made after the API that asks for them.
    func measure(_ agent: PodAgent, _ router: ServiceRouter) {
        self.agent.withLock { $0 = agent }
        self.router.withLock { $0 = router }
    }

    func exposition() -> String { router.withLock { $0 }?.exposition() ?? "" }

    func objects(_ resource: Resource, namespace: String?) async throws(APIFailure) -> [JSONValue] {
        do throws(NodeFailure) {
            return resource.plural == "nodes" ? [try await machine()] : try await pods(in: namespace)
        } catch { throw .unavailable("measure \(resource): \(error.message)") }
    }

    private func pods(in namespace: String?) async throws(NodeFailure) -> [JSONValue] {
        guard let agent = agent.withLock({ $0 }) else { return [] }
        let usage = try await agent.usage().filter { namespace == nil || $0.namespace == namespace }
        return usage.sorted { ($0.namespace, $0.name) < ($1.namespace, $1.name) }.map { pod in
            var object = Self.object("PodMetrics", pod.name, pod.timestamp, pod.windowNanoseconds)
            object["metadata", "namespace"] = .string(pod.namespace)
            object["containers"] = .array(
                pod.containers.map { container in
                    [
                        "name": .string(container.name),
                        "usage": Self.usage(nanocores: container.cpuNanocores, bytes: container.memoryBytes),
                    ]
                })
            return object
        }
    }

    private static func object(_ kind: String, _ name: String, _ time: Timestamp, _ window: Int) -> JSONValue {
        [
            "kind": .string(kind), "apiVersion": "metrics.k8s.io/v1beta1",
            "metadata": ["name": .string(name), "creationTimestamp": .string(time.kubeTime)],
            "timestamp": .string(time.kubeTime), "window": .string("\(window / 1_000_000)ms"),
        ]
    }

    private static func usage(nanocores: Int, bytes: Int) -> JSONValue {
        ["cpu": .string("\(nanocores)n"), "memory": .string("\(bytes >> 10)Ki")]
    }

    // The machine.

    private static let window = Duration.milliseconds(200)

    private func machine() async throws(NodeFailure) -> JSONValue {
        do {
            let (busy, all) = try await BlockingPool.shared.run { () throws(SystemError) in try Self.ticks() }
            try? await Task.sleep(for: Self.window)
            let (busyLater, allLater) = try await BlockingPool.shared.run { () throws(SystemError) in try Self.ticks() }
            let share = Double(busyLater - busy) / Double(max(1, allLater - all))
            var object = Self.object("NodeMetrics", node, Clock.now(), 200_000_000)
            object["usage"] = Self.usage(
                nanocores: Int(share * Double(capacity.cpus.count) * 1e9), bytes: try Self.usedMemory())
            return object
        } catch { throw NodeFailure(.system, "read what the machine uses: \(error)") }
    }

    /// The first line of /proc/stat, proc_stat(5): ticks in which somebody ran, and all.
    private static func ticks() throws(SystemError) -> (busy: Int, all: Int) {
        let line = try Files.readText("/proc/stat").split(separator: "\n").first ?? ""
        let numbers = line.split(separator: " ").dropFirst().prefix(8).compactMap { Int($0) }
        guard numbers.count == 8 else { throw SystemError("read the first line of", "/proc/stat", code: .invalid) }
        let all = numbers.reduce(0, +)
        return (all - numbers[3] - numbers[4], all)
    }

    /// Bytes that could not be given to somebody else.
    private static func usedMemory() throws(SystemError) -> Int {
        var kibibytes: [String: Int] = [:]
        for line in try Files.readText("/proc/meminfo").split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 1, let amount = Int(words[1]) else { continue }
            kibibytes[String(words[0].dropLast())] = amount
        }
        return max(0, (kibibytes["MemTotal"] ?? 0) - (kibibytes["MemAvailable"] ?? 0)) << 10
    }
}

extension JSONValue {
    fileprivate subscript(first: String, second: String) -> JSONValue? {
        get { self[first]?[second] }
        set {
            var inner = self[first] ?? [:]
            inner[second] = newValue
            self[first] = inner
        }
    }
}
