import JSON
import KubeObjects
import KubeSchema

/// A kind that keeps a number of equal pods.
enum ReplicatedKind: Sendable {
    case replicaSet
    case replicationController

    static let controllers: Resource = {
        guard let kind = Schema.kubernetes.kind(group: "", version: "v1", plural: "replicationcontrollers") else {
            preconditionFailure("the schema has no replicationcontrollers")
        }
        return Resource(kind)
    }()

    var resource: Resource {
        switch self {
        case .replicaSet: .replicaSets
        case .replicationController: Self.controllers
        }
    }

    var controllerName: String {
        switch self {
        case .replicaSet: "replicaset-controller"
        case .replicationController: "replication-controller"
        }
    }

    func selector(_ object: KubeObject) -> LabelSelector {
        switch self {
        case .replicaSet: Owners.selector(object)
        case .replicationController: (try? LabelSelector(labels: object.json["spec", "selector"])) ?? .nothing
        }
    }

    /// Whether the status tells how many pods are being deleted.
    var countsTerminating: Bool { self == .replicaSet }
}
