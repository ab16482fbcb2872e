internal import JSON
internal import KubeObjects
internal import KubeSchema
internal import KubeStore

/// How many pods the controllers of some pods want, all together (the finders of the disruption controller).
struct ExpectedPods {
    private(set) var count: Int64 = 0
    /// Names of pods that nobody manages.
    private(set) var unmanaged: [String] = []
    /// Why it cannot be told.
    private(set) var failure: String?

    private static let replicationControllers: Resource = {
        guard let kind = Schema.kubernetes.kind(group: "", version: "v1", plural: "replicationcontrollers") else {
            preconditionFailure("the schema has no ReplicationController")
        }
        return Resource(kind)
    }()

    static let resources: [Resource] = [.replicaSets, .deployments, .statefulSets, replicationControllers]

    init(of pods: [KubeObject], in view: any ObjectView) {
        var scales: [String: Int64] = [:]
        for pod in pods {
            guard let owner = pod.metadata.controller else {
                unmanaged.append(pod.name)
                continue
            }
            if scales[owner.uid] != nil { continue }
            guard let scale = Self.scale(owner, pod.namespace, in: view) else {
                failure = failure ?? "found no controllers for pod \"\(pod.name)\""
                continue
            }
            scales[owner.uid] = 0
            // Two replica sets of one deployment are one controller.
            scales[scale.uid] = scale.replicas
        }
        count = scales.values.reduce(0) { $0.addingClamped($1) }
    }

    private static func scale(
        _ owner: OwnerReference, _ namespace: String?, in view: any ObjectView
    ) -> (uid: String, replicas: Int64)? {
        let group = owner.apiVersion.split(separator: "/").count == 2 ? owner.apiVersion.split(separator: "/")[0] : ""
        guard let resource = resources.first(where: { $0.kind == owner.kind && $0.group == group }),
            let object = view.get(resource, namespace: namespace, owner.name).map(KubeObject.init),
            object.uid == owner.uid
        else { return nil }
        if resource == .replicaSets, let parent = object.metadata.controller, parent.kind == "Deployment" {
            return scale(parent, namespace, in: view)
        }
        return (object.uid, object.spec["replicas"]?.integer ?? 1)
    }
}
