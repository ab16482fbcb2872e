import JSON
import KubeObjects
import KubeSchema
import Linux
import Sandbox

/// Whom the kernel kills first when memory runs out: oom_score_adj, proc(5), by a pod's class as the kubelet has it.
enum OutOfMemoryScore {
    static func value(_ container: JSONValue, _ pod: KubeObject, machineMemory: Int) -> Int {
        switch QualityOfService(spec: pod.spec) {
        case .guaranteed: return -997
        case .bestEffort: return 1000
        case .burstable:
            let request =
                Quantity(json: container["resources", "requests"]?["memory"]).map { Int(clamping: $0.value) } ?? 0
            let share = 1000 - Int(Double(request) / Double(max(1, machineMemory)) * 1000)
            return min(max(share, 3), 999)
        }
    }

    /// Writes it for a program that has just been started. Lowering it takes CAP_SYS_RESOURCE: without, the program keeps
    /// what it has, which is said in the node's log.
    static func set(_ container: JSONValue, of pod: KubeObject, pid: Int32, _ surroundings: PodSurroundings) async {
        let value = value(container, pod, machineMemory: surroundings.settings.machine.memoryBytes)
        do throws(SystemError) {
            try await BlockingPool.shared.run { () throws(SystemError) in
                let path = "/proc/\(pid)/oom_score_adj"
                do throws(SystemError) { try Files.writeText("\(value)", to: path) } catch {
                    // It may have ended already.
                    guard Files.exists(path) else { return }
                    throw error
                }
            }
        } catch {
            surroundings.note(
                "pod \(pod.namespace ?? "")/\(pod.name): its place when memory runs out stays as it is: \(error)")
        }
    }
}
