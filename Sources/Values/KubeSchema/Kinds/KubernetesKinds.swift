/// The kinds of Kubernetes 1.37 that the server knows, with the node's own, in the notation of `SchemaText`: names, types and protobuf numbers
/// are those of k8s.io/api (`types.go`, `generated.proto`), the sentences are our own. Fields that only alpha feature
/// gates bring are left out, as a server with the default gates drops them.
enum KubernetesKinds {
    static var texts: [(file: String, text: String)] {
        [
            ("Meta", meta), ("Pod", pod), ("Container", container), ("Placement", placement), ("PodStatus", podStatus),
            ("Volumes", volumes), ("RemoteVolumes", remoteVolumes), ("Storage", storage), ("Service", service),
            ("Node", node), ("Config", config), ("Apps", apps), ("Batch", batch), ("Autoscaling", autoscaling),
            ("Networking", networking), ("Policy", policy), ("Access", access), ("Extensions", extensions),
            ("Metrics", metrics), ("Forkless", forkless),
        ]
    }
}

extension Schema {
    /// The kinds that are built in: of Kubernetes itself, and the node's own (forkless.dev). Read once; a mistake in the texts is a programmer's, and traps.
    package static let kubernetes: Schema = {
        do {
            return try Schema(linking: SchemaText(KubernetesKinds.texts))
        } catch {
            preconditionFailure("\(error)")
        }
    }()
}
