extension KubernetesKinds {
    /// What `kubectl top` shows: measured when it is asked for, and kept nowhere.
    static let metrics = """
        package metrics/v1beta1 metrics.k8s.io
        kind NodeMetrics nodes cluster computed
        column Name string name .metadata.name -- Name of the node.
        column CPU string .usage.cpu -- Processor time that is used.
        column Memory string .usage.memory -- Memory that is used.
        column Window string .window -- Over which time it was measured.
        kind PodMetrics pods computed
        column Name string name .metadata.name -- Name of the pod.
        column Window string .window -- Over which time it was measured.

        type NodeMetrics -- What a node uses.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            timestamp 2 time! -- When it was measured.
            window 3 string! -- Over which time it was measured.
            usage 4 {quantity}! -- What is used, by resource.

        type PodMetrics -- What the containers of a pod use.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            timestamp 2 time! -- When it was measured.
            window 3 string! -- Over which time it was measured.
            containers 4 [ContainerMetrics]! atomic -- The containers.

        type ContainerMetrics -- What a container uses.
            name 1 string! -- Name of the container.
            usage 2 {quantity}! -- What is used, by resource.
        """
}
