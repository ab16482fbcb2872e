internal import KubeObjects
internal import KubeStore
internal import Synchronization

/// Pods as rules of placement see them, each read once for each of its versions: a pod that arrives is placed among hundreds
/// that are as they were.
final class SchedulingPods: Sendable {
    private let known = Mutex<[ObjectKey: (stored: StoredObject, pod: SchedulingPod)]>([:])

    func pod(_ stored: StoredObject) -> SchedulingPod {
        known.withLock { known in
            if let found = known[stored.key], found.stored === stored { return found.pod }
            let pod = SchedulingPod(KubeObject(stored))
            known[stored.key] = (stored, pod)
            return pod
        }
    }

    func forget(_ change: ObjectCache.Change) {
        guard change.new == nil, change.resource == .pods else { return }
        known.withLock { $0[change.key] = nil }
    }
}
