import JSON
import KubeSchema

/// Where kinds have the spec of their pods.
enum PodTemplates {
    /// The path to it; nil for a kind without pods.
    static func path(_ kind: Kind) -> [String]? {
        switch (kind.id.group, kind.id.kind) {
        case ("", "Pod"): ["spec"]
        case ("", "PodTemplate"): ["template", "spec"]
        case ("", "ReplicationController"), ("apps", "Deployment"), ("apps", "ReplicaSet"), ("apps", "StatefulSet"),
            ("apps", "DaemonSet"), ("batch", "Job"):
            ["spec", "template", "spec"]
        case ("batch", "CronJob"): ["spec", "jobTemplate", "spec", "template", "spec"]
        default: nil
        }
    }

    /// A pod as the kind describes it: its metadata and its spec.
    static func pod(_ object: JSONValue, _ kind: Kind) -> JSONValue? {
        guard let path = path(kind) else { return nil }
        return path.dropLast().reduce(Optional(object)) { $0?[$1] }
    }

    static let containerLists = ["containers", "initContainers", "ephemeralContainers"]

    static func containers(_ spec: JSONValue, _ lists: [String] = containerLists) -> [JSONValue] {
        lists.flatMap { spec[$0]?.array ?? [] }
    }
}
