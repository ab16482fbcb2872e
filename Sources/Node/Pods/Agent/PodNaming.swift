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
    static let prefix = "k8s_"

    /// At most 64 bytes, whatever the object says.
    static func name(pod uid: String, container: String, attempt: Int) -> String {
        prefix + short(uid) + "_" + hash(container) + "_\(attempt)"
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

    /// FNV-1a, 16 hexadecimal digits.
    static func hash(_ text: String) -> String {
        let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

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
