extension KubernetesKinds {
    /// Budgets, classes, leases, and events as their own group has them.
    static let policy = """
        package policy/v1 policy
        kind PodDisruptionBudget poddisruptionbudgets pdb subresources=status
        column Name string name -- Name of the budget.
        column Min_Available string -- How many pods must stay.
        column Max_Unavailable string -- How many pods may be missing.
        column Allowed_Disruptions integer -- How many pods may be evicted now.
        column Age string -- Since when it exists.
        kind Eviction evictions virtual

        type PodDisruptionBudget -- Limits how many pods may be evicted at once.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 PodDisruptionBudgetSpec -- What is asked for.
            status 3 PodDisruptionBudgetStatus -- What was observed last; written by the system.

        type PodDisruptionBudgetSpec -- What must stay.
            minAvailable 1 intOrString? -- How many pods, as a number or percentage, must stay.
            selector 2 LabelSelector? replace -- Which pods belong to it, by their labels.
            maxUnavailable 3 intOrString? -- How many pods, as a number or percentage, may be missing.
            unhealthyPodEvictionPolicy 4 UnhealthyPodEvictionPolicyType? -- When pods that are not ready may be \
                  evicted.
        enum UnhealthyPodEvictionPolicyType IfHealthyBudget AlwaysAllow

        type PodDisruptionBudgetStatus -- What was observed of a budget.
            observedGeneration 1 int64 -- The generation that the status was made from.
            disruptedPods 2 {time} -- Pods whose eviction was allowed, and when.
            disruptionsAllowed 3 int32 -- How many pods may be evicted now.
            currentHealthy 4 int32 -- How many pods are healthy.
            desiredHealthy 5 int32 -- How many pods must be healthy.
            expectedPods 6 int32 -- How many pods count.
            conditions 7 [Condition] map=type merge=type -- What is known about the state, one entry for each \
                  type of condition.

        type Eviction -- Asks a pod to leave, if its budgets allow.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            deleteOptions 2 DeleteOptions? -- How the pod is to be deleted.

        package node/v1 node.k8s.io
        kind RuntimeClass runtimeclasses cluster
        column Name string name -- Name of the class.
        column Handler string -- Name of the runtime at the node.
        column Age string -- Since when it exists.

        type RuntimeClass -- How the containers of a pod are run.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            handler 2 string! -- Name of the runtime at the node.
            overhead 3 Overhead? -- What running a pod costs beyond its containers.
            scheduling 4 Scheduling? -- Where pods of the class can run.

        type Overhead -- What running a pod costs beyond its containers.
            podFixed 1 {quantity} -- What each pod costs, by resource.

        type Scheduling -- Where pods of a class can run.
            nodeSelector 1 {string} atomic -- Labels that the node must have.
            tolerations 2 [Toleration] atomic -- Taints that are tolerated.

        package coordination/v1 coordination.k8s.io
        kind Lease leases
        column Name string name -- Name of the lease.
        column Holder string -- Who holds it.
        column Age string -- Since when it exists.

        type Lease -- Who holds something, and until when.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 LeaseSpec -- What is asked for.

        type LeaseSpec -- Who holds something, and until when.
            holderIdentity 1 string? -- Who holds it.
            leaseDurationSeconds 2 int32? -- How long after its renewal others wait.
            acquireTime 3 microTime? -- When it was taken.
            renewTime 4 microTime? -- When it was renewed last.
            leaseTransitions 5 int32? -- How often the holder changed.
            strategy 6 string? -- How the holder is chosen.
            preferredHolder 7 string? -- Who should hold it next.

        package scheduling/v1 scheduling.k8s.io
        kind PriorityClass priorityclasses pc cluster
        column Name string name -- Name of the class.
        column Value integer -- The priority.
        column Global-Default boolean -- Whether pods without a class get it.
        column Age string -- Since when it exists.
        column PreemptionPolicy string -- Whether its pods may drive out others.

        type PriorityClass -- A name for a priority of pods.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            value 2 int32 -- The priority; higher goes first.
            globalDefault 3 bool -- Whether pods without a class get this one.
            description 4 string -- What the class is for.
            preemptionPolicy 5 PreemptionPolicy? -- Whether pods of the class may drive out others.

        package events/v1 events.k8s.io
        kind Event events ev
        column Last_Seen string -- When it happened last.
        column Type string -- Normal or Warning.
        column Reason string -- A short cause.
        column Object string -- What it is about.
        column Subobject string wide -- The part that it is about.
        column Source string wide -- Who reports it.
        column Message string -- What happened.
        column First_Seen string wide -- When it happened first.
        column Count string wide -- How often it happened.
        column Name string wide -- Name of the event.

        type Event -- Something that happened to an object.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            eventTime 2 microTime! -- When it happened.
            series 3 EventSeries? -- What is known when the event happens again and again.
            reportingController 4 string -- Name of the controller that reports it.
            reportingInstance 5 string -- Instance of the controller that reports it.
            action 6 string -- What was done, or failed.
            reason 7 string -- A short cause in one word, for programs.
            regarding 8 ObjectReference -- The object that the event is about.
            related 9 ObjectReference? -- A second object that has to do with it.
            note 10 string -- What happened, for people.
            type 11 string -- Normal or Warning.
            deprecatedSource 12 EventSource -- Who reported it, in core/v1.
            deprecatedFirstTimestamp 13 time -- When it happened first, in core/v1.
            deprecatedLastTimestamp 14 time -- When it happened last, in core/v1.
            deprecatedCount 15 int32 -- How often it happened, in core/v1.

        type EventSeries -- An event that happens again and again.
            count 1 int32! -- How often it happened.
            lastObservedTime 2 microTime! -- When it happened last.

        package storage/v1 storage.k8s.io
        kind StorageClass storageclasses sc cluster
        column Name string name -- Name of the class.
        column Provisioner string -- Who makes its volumes.
        column ReclaimPolicy string -- What becomes of a volume when its claim is gone.
        column VolumeBindingMode string -- When volumes are made and bound.
        column AllowVolumeExpansion string -- Whether volumes may grow.
        column Age string -- Since when it exists.

        type StorageClass -- A kind of storage.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            provisioner 2 string! -- Name of the provisioner.
            parameters 3 {string} -- Parameters of the provisioner.
            reclaimPolicy 4 PersistentVolumeReclaimPolicy? -- What becomes of the volume when the claim is gone.
            mountOptions 5 [string] atomic -- Options of the mount, not checked.
            allowVolumeExpansion 6 bool? -- Whether volumes may grow.
            volumeBindingMode 7 VolumeBindingMode? -- When volumes are made and bound.
            allowedTopologies 8 [TopologySelectorTerm] atomic -- Where volumes may be made.
        enum VolumeBindingMode Immediate WaitForFirstConsumer
        """
}
