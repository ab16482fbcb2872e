extension KubernetesKinds {
    /// Where a pod may be placed.
    static let placement = """
        package core/v1

        type Affinity -- What places are wanted, or to be avoided.
            nodeAffinity 1 NodeAffinity? -- Which nodes.
            podAffinity 2 PodAffinity? -- Near which pods.
            podAntiAffinity 3 PodAntiAffinity? -- Away from which pods.

        type NodeAffinity -- Which nodes are wanted.
            requiredDuringSchedulingIgnoredDuringExecution 1 NodeSelector? -- What must hold when the pod is placed.
            preferredDuringSchedulingIgnoredDuringExecution 2 [PreferredSchedulingTerm] atomic -- What should \
                  hold when the pod is placed, by weight.

        type NodeSelector atomic -- Nodes for which one of the terms holds.
            nodeSelectorTerms 1 [NodeSelectorTerm]! atomic -- The terms, of which one must hold.

        type NodeSelectorTerm atomic -- Requirements to a node that must all hold.
            matchExpressions 1 [NodeSelectorRequirement] atomic -- Requirements to labels.
            matchFields 2 [NodeSelectorRequirement] atomic -- Requirements to fields.

        type NodeSelectorRequirement -- A requirement to a label or field of a node.
            key 1 string! -- The key that is meant.
            operator 2 NodeSelectorOperator! -- How the key is compared with the values.
            values 3 [string] atomic -- What the key is compared with.
        enum NodeSelectorOperator In NotIn Exists DoesNotExist Gt Lt

        type PreferredSchedulingTerm -- A wish, and how much it counts.
            weight 1 int32! -- How much it counts, from 1 to 100.
            preference 2 NodeSelectorTerm! -- The wish.

        type PodAffinity -- Near which pods a place is wanted.
            requiredDuringSchedulingIgnoredDuringExecution 1 [PodAffinityTerm] atomic -- What must hold when the \
                  pod is placed.
            preferredDuringSchedulingIgnoredDuringExecution 2 [WeightedPodAffinityTerm] atomic -- What should \
                  hold when the pod is placed, by weight.

        type PodAffinityTerm -- Pods, and what counts as near.
            labelSelector 1 LabelSelector? -- Which objects count, by their labels.
            namespaces 2 [string] atomic -- Namespaces of the pods; the pod's own when both this and the selector \
                  are empty.
            topologyKey 3 string! -- Label of nodes; those with the same value are near each other.
            namespaceSelector 4 LabelSelector? -- Namespaces, by their labels.
            matchLabelKeys 5 [string] atomic -- Label keys whose values of the incoming pod are added to the \
                  selector.
            mismatchLabelKeys 6 [string] atomic -- Label keys whose values must differ from those of the incoming \
                  pod.

        type WeightedPodAffinityTerm -- A wish, and how much it counts.
            weight 1 int32! -- How much it counts, from 1 to 100.
            podAffinityTerm 2 PodAffinityTerm! -- The wish.

        type PodAntiAffinity -- Away from which pods a place is wanted.
            requiredDuringSchedulingIgnoredDuringExecution 1 [PodAffinityTerm] atomic -- What must hold when the \
                  pod is placed.
            preferredDuringSchedulingIgnoredDuringExecution 2 [WeightedPodAffinityTerm] atomic -- What should \
                  hold when the pod is placed, by weight.

        type Toleration -- A taint that is tolerated.
            key 1 string -- Key of the taint; every taint when empty.
            operator 2 TolerationOperator -- How the key is compared with the values.
            value 3 string -- Value of the taint.
            effect 4 TaintEffect -- Effect of the taint; every effect when empty.
            tolerationSeconds 5 int64? -- How long a NoExecute taint is tolerated; for ever when empty.
        enum TolerationOperator Exists Equal

        type TopologySpreadConstraint -- How pods are to be spread.
            maxSkew 1 int32! -- By how many pods two places may differ.
            topologyKey 2 string! -- Label of nodes; those with the same value are one place.
            whenUnsatisfiable 3 UnsatisfiableConstraintAction! -- What to do when it cannot be met.
            labelSelector 4 LabelSelector? -- Which objects count, by their labels.
            minDomains 5 int32? -- How many places there must be.
            nodeAffinityPolicy 6 NodeInclusionPolicy? -- Whether only nodes count that the affinity admits.
            nodeTaintsPolicy 7 NodeInclusionPolicy? -- Whether only nodes count whose taints are tolerated.
            matchLabelKeys 8 [string] atomic -- Label keys whose values of the incoming pod are added to the \
                  selector.
        enum UnsatisfiableConstraintAction DoNotSchedule ScheduleAnyway
        enum NodeInclusionPolicy Ignore Honor
        """
}
