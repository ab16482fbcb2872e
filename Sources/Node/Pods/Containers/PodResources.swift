import Engine
import JSON
import KubeSchema
import Sandbox

/// How a container is held to what it asked for: the kubelet's rules for cgroups.
enum PodResources {
    /// - Parameters:
    ///   - ofPod: what is set for the pod as a whole. Its containers have no group in common: each of them is held
    ///     to the pod's limits.
    ///   - controllers: what the machine can hold programs by. A limit that it cannot hold is left to the engine, which
    ///     refuses it; a request, which is only a weight, does without.
    static func apply(
        _ resources: JSONValue?, ofPod: JSONValue? = nil, to spec: inout ContainerSpec, machine: MachineCapacity,
        controllers: CgroupControllers
    ) {
        let cpus = machine.cpus.count
        if let limit = bound("cpu", resources, ofPod), limit.milliValue < Int64(cpus) * 1000 {
            // Less than this the kernel's scheduler cannot hold.
            spec.milliCPUs = max(10, Int(clamping: limit.milliValue))
        }
        if let limit = bound("memory", resources, ofPod), limit.value < Int64(machine.memoryBytes) {
            // Whole pages: the kernel counts in nothing smaller.
            spec.memoryBytes = (Int(clamping: limit.value) + 4095) / 4096 * 4096
        }
        guard controllers.contains(.cpu) else { return }
        let request =
            Quantity(json: resources?["requests", "cpu"]) ?? Quantity(json: resources?["limits", "cpu"]) ?? .zero
        spec.cpuShares = min(max(2, Int(clamping: request.milliValue) * 1024 / 1000), 262_144)
    }

    /// The container's own limit or the pod's, whichever is less; no limit is none.
    private static func bound(_ name: String, _ own: JSONValue?, _ ofPod: JSONValue?) -> Quantity? {
        let limits = [own, ofPod].compactMap { Quantity(json: $0?["limits", name]) }
        return limits.filter { !$0.isZero }.min()
    }
}
