import Engine
import JSON
import KubeObjects
import Linux
import Synchronization

// What of a volume a container sees, where it is not all of it.
extension PodWorker {
    /// As every container has it, one for all of a pod.
    private static let sharedMemoryBytes = 64 << 20

    var sharedMemory: String { PodVolumes.directory(surroundings.settings, uid) + "/shm" }

    /// Gets ready what a start needs mounted, which may be gone with a keeper.
    func mount(_ subPaths: [ContainerMaking.SubPath]) async throws(PodMachine.StartFailureError) {
        do throws(ConfigProblem) {
            try await mounts.mountMemory(Self.sharedMemoryBytes, mode: 0o1777, group: nil, at: sharedMemory)
            for place in volumes.withLock({ Array($0.places.values) }) {
                guard let memory = place.memory else { continue }
                let group = pod.spec["securityContext", "fsGroup"]?.integer.flatMap(UInt32.init(exactly:))
                try await mounts.mountMemory(
                    memory.bytes, mode: group == nil ? 0o1777 : 0o3777, group: group, at: place.path)
            }
            for part in subPaths { try await mounts.mount(part.path, of: part.volume, at: part.target) }
        } catch { throw .init(.config("failed to prepare subPath or memory for the container: \(error.message)")) }
    }
}
