import Engine
import JSON
import KubeSchema
import Sandbox

/// How a container is held to what it asked for: the kubelet's rules for cgroups.
enum PodResources {
    /// - Parameter controllers: what the machine can hold programs by. A limit that it cannot hold is left to the engine,
    ///   which refuses it; a request, which is only a weight, does without.
    static func apply(
        _ resources: JSONValue?, to spec: inout ContainerSpec, machine: MachineCapacity, controllers: CgroupControllers
    ) {
        let cpus = machine.cpus.count
        if let limit = Quantity(json: resources?["limits", "cpu"]), !limit.isZero, limit.milliValue < Int64(cpus) * 1000
        {
            // Less than this the kernel's scheduler cannot hold.
            spec.milliCPUs = max(10, Int(clamping: limit.milliValue))
        }
        if let limit = Quantity(json: resources?["limits", "memory"]), !limit.isZero,
            limit.value < Int64(machine.memoryBytes)
        {
            // Whole pages: the kernel counts in nothing smaller.
            spec.memoryBytes = (Int(clamping: limit.value) + 4095) / 4096 * 4096
        }
        guard controllers.contains(.cpu) else { return }
        let request =
            Quantity(json: resources?["requests", "cpu"]) ?? Quantity(json: resources?["limits", "cpu"]) ?? .zero
        spec.cpuShares = min(max(2, Int(clamping: request.milliValue) * 1024 / 1000), 262_144)
    }
}
