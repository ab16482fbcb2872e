import Engine
import KubeObjects

/// By what the node knows the containers of pods again, whatever happened to the node meanwhile.
///
/// Invariant: a name is made of the pod's uid, the container's name and the number of the attempt alone, so that the
/// engine itself refuses a second container for one attempt. (test: `a container has one name for one attempt`)
enum PodNaming {
    static let uidLabel = "io.kubernetes.pod.uid"
    static let podLabel = "io.kubernetes.pod.name"
    static let namespaceLabel = "io.kubernetes.pod.namespace"
    static let containerLabel = "io.kubernetes.container.name"
    static let attemptLabel = "io.kubernetes.container.restartCount"
    /// Of the container with the first process of a pod whose containers share theirs.
    static let firstLabel = "forkless.dev/pod-first-process"
    static let prefix = "k8s_"

    /// At most 64 bytes, whatever the object says.
    static func name(pod uid: String, container: String, attempt: Int) -> String {
        prefix + short(uid) + "_" + hash(container) + "_\(attempt)"
    }

    /// The container with the first process of a pod, where its containers share theirs.
    static func first(pod uid: String) -> String { prefix + short(uid) + "_first" }

    /// The pod whose first process it is; nil for every other container.
    static func parseFirst(_ summary: ContainerSummary) -> String? {
        guard summary.labels[firstLabel] != nil, let uid = summary.labels[uidLabel], summary.name == first(pod: uid) else {
            return nil
        }
        return uid
    }

    /// A uid that is one, or its hash.
    static func short(_ uid: String) -> String {
        let isPlain =
            (1...36).contains(uid.utf8.count)
            && uid.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte) || (0x41...0x5a).contains(byte)
                    || byte == 0x2d
            }
        return isPlain ? uid : hash(uid)
    }

    /// 16 hexadecimal digits.
    static func hash(_ text: String) -> String { FNV1a(text).digits }

    static func labels(_ pod: KubeObject, container: String, attempt: Int) -> [String: String] {
        [
            uidLabel: pod.uid, podLabel: pod.name, namespaceLabel: pod.namespace ?? "default",
            containerLabel: container,
            attemptLabel: "\(attempt)",
        ]
    }

    /// The pod, container and attempt of one of ours; nil for everybody else's, whatever its image has for labels.
    static func parse(_ summary: ContainerSummary) -> (uid: String, container: String, attempt: Int)? {
        guard let uid = summary.labels[uidLabel], let container = summary.labels[containerLabel],
            let attempt = summary.labels[attemptLabel].flatMap({ Int($0) }), attempt >= 0,
            summary.name == name(pod: uid, container: container, attempt: attempt)
        else { return nil }
        return (uid, container, attempt)
    }
}
