extension KubernetesKinds {
    /// Sets of pods.
    static let apps = """
        package apps/v1 apps
        kind Deployment deployments deploy categories=all subresources=status,scale
        column Name string name -- Name of the deployment.
        column Ready string -- How many pods are ready, of how many.
        column Up-to-date string -- How many pods have the current template.
        column Available string -- How many pods are available.
        column Age string -- Since when it exists.
        column Containers string wide -- Names of the containers.
        column Images string wide -- Images of the containers.
        column Selector string wide -- Labels of its pods.
        kind ReplicaSet replicasets rs categories=all subresources=status,scale
        column Name string name -- Name of the replica set.
        column Desired integer -- How many pods there shall be.
        column Current integer -- How many pods there are.
        column Ready integer -- How many pods are ready.
        column Age string -- Since when it exists.
        column Containers string wide -- Names of the containers.
        column Images string wide -- Images of the containers.
        column Selector string wide -- Labels of its pods.
        kind StatefulSet statefulsets sts categories=all subresources=status,scale
        column Name string name -- Name of the stateful set.
        column Ready string -- How many pods are ready, of how many.
        column Age string -- Since when it exists.
        column Containers string wide -- Names of the containers.
        column Images string wide -- Images of the containers.
        kind DaemonSet daemonsets ds categories=all subresources=status
        column Name string name -- Name of the daemon set.
        column Desired integer -- How many nodes should run a pod.
        column Current integer -- How many nodes run a pod.
        column Ready integer -- How many pods are ready.
        column Up-to-date integer -- How many pods have the current template.
        column Available integer -- How many pods are available.
        column Node_Selector string -- Labels of the nodes.
        column Age string -- Since when it exists.
        column Containers string wide -- Names of the containers.
        column Images string wide -- Images of the containers.
        column Selector string wide -- Labels of its pods.
        kind ControllerRevision controllerrevisions
        column Name string name -- Name of the revision.
        column Controller string -- Whose revision it is.
        column Revision integer -- Its number.
        column Age string -- Since when it exists.

        type ReplicaSet -- Keeps a number of equal pods.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 ReplicaSetSpec -- What is asked for.
            status 3 ReplicaSetStatus -- What was observed last; written by the system.

        type ReplicaSetSpec -- What a replica set keeps.
            replicas 1 int32? -- How many pods there shall be, or are.
            minReadySeconds 4 int32 -- How long a new pod must be ready before it counts as available.
            selector 2 LabelSelector?! -- Which pods belong to it, by their labels.
            template 3 PodTemplateSpec -- The pods that are made.

        type ReplicaSetStatus -- What was observed of a replica set.
            replicas 1 int32! -- How many pods there shall be, or are.
            fullyLabeledReplicas 2 int32 -- How many pods have all labels of the template.
            readyReplicas 4 int32 -- How many pods are ready.
            availableReplicas 5 int32 -- How many pods have been ready for minReadySeconds.
            terminatingReplicas 7 int32? -- How many pods are being deleted.
            observedGeneration 3 int64 -- The generation that the status was made from.
            conditions 6 [ReplicaSetCondition] map=type merge=type -- What is known about the state, one entry \
                  for each type of condition.

        type ReplicaSetCondition -- What is known about a replica set.
            type 1 string -- Which type it is.
            status 2 string -- What was observed last; written by the system.
            lastTransitionTime 3 time -- When the status changed last.
            reason 4 string -- A short cause in one word, for programs.
            message 5 string -- What happened, for people.

        type Deployment -- Keeps a number of equal pods, and replaces them when the template changes.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 DeploymentSpec -- What is asked for.
            status 3 DeploymentStatus -- What was observed last; written by the system.

        type DeploymentSpec -- What a deployment has to reach.
            replicas 1 int32? -- How many pods there shall be, or are.
            selector 2 LabelSelector?! -- Which pods belong to it, by their labels.
            template 3 PodTemplateSpec! -- The pods that are made.
            strategy 4 DeploymentStrategy retainKeys -- How old pods are replaced by new ones.
            minReadySeconds 5 int32 -- How long a new pod must be ready before it counts as available.
            revisionHistoryLimit 6 int32? -- How many old revisions are kept for a rollback.
            paused 7 bool -- Whether changes of the template wait.
            progressDeadlineSeconds 9 int32? -- How long a rollout may make no progress before it counts as \
                  failed; 600 by default.

        type DeploymentStrategy -- How old pods are replaced by new ones.
            type 1 DeploymentStrategyType -- Recreate or RollingUpdate.
            rollingUpdate 2 RollingUpdateDeployment? -- Parameters of a rolling update.
        enum DeploymentStrategyType Recreate RollingUpdate

        type RollingUpdateDeployment -- Parameters of a rolling update of a deployment.
            maxUnavailable 1 intOrString? -- How many pods, as a number or percentage, may be missing during an \
                  update.
            maxSurge 2 intOrString? -- How many pods, as a number or percentage, may be there beyond the wanted \
                  number.

        type DeploymentStatus -- What was observed of a deployment.
            observedGeneration 1 int64 -- The generation that the status was made from.
            replicas 2 int32 -- How many pods there shall be, or are.
            updatedReplicas 3 int32 -- How many pods have the current template.
            readyReplicas 7 int32 -- How many pods are ready.
            availableReplicas 4 int32 -- How many pods have been ready for minReadySeconds.
            unavailableReplicas 5 int32 -- How many pods are still missing for full availability.
            terminatingReplicas 9 int32? -- How many pods are being deleted.
            conditions 6 [DeploymentCondition] map=type merge=type -- What is known about the state, one entry \
                  for each type of condition.
            collisionCount 8 int32? -- How many hash collisions have been met when naming revisions.

        type DeploymentCondition -- What is known about a deployment.
            type 1 string -- Which type it is.
            status 2 string -- What was observed last; written by the system.
            lastUpdateTime 6 time -- When the condition was updated last.
            lastTransitionTime 7 time -- When the status changed last.
            reason 4 string -- A short cause in one word, for programs.
            message 5 string -- What happened, for people.

        type StatefulSet -- Keeps pods with names and volumes of their own, in order.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 StatefulSetSpec -- What is asked for.
            status 3 StatefulSetStatus -- What was observed last; written by the system.

        type StatefulSetSpec -- What a stateful set keeps.
            replicas 1 int32? -- How many pods there shall be, or are.
            selector 2 LabelSelector?! -- Which pods belong to it, by their labels.
            template 3 PodTemplateSpec! -- The pods that are made.
            volumeClaimTemplates 4 [PersistentVolumeClaim] atomic -- Claims that each pod gets.
            serviceName 5 string -- Name of the headless service that gives the pods their names in DNS.
            podManagementPolicy 6 PodManagementPolicyType -- Whether pods are started one after the other or at \
                  once.
            updateStrategy 7 StatefulSetUpdateStrategy -- How pods are replaced when the template changes.
            revisionHistoryLimit 8 int32? -- How many old revisions are kept for a rollback.
            minReadySeconds 9 int32 -- How long a new pod must be ready before it counts as available.
            persistentVolumeClaimRetentionPolicy 10 StatefulSetPersistentVolumeClaimRetentionPolicy? -- What \
                  becomes of the claims.
            ordinals 11 StatefulSetOrdinals? -- Where the numbers of the pods begin.
        enum PodManagementPolicyType OrderedReady Parallel

        type StatefulSetUpdateStrategy -- How pods of a stateful set are replaced.
            type 1 StatefulSetUpdateStrategyType -- Which type it is.
            rollingUpdate 2 RollingUpdateStatefulSetStrategy? -- Parameters of a rolling update.
        enum StatefulSetUpdateStrategyType RollingUpdate OnDelete

        type RollingUpdateStatefulSetStrategy -- Parameters of a rolling update of a stateful set.
            partition 1 int32? -- Pods with lower numbers keep the old template.
            maxUnavailable 2 intOrString? -- How many pods, as a number or percentage, may be missing during an \
                  update.

        type StatefulSetPersistentVolumeClaimRetentionPolicy -- What becomes of the claims of a stateful set.
            whenDeleted 1 string -- When the set is deleted: Retain or Delete.
            whenScaled 2 string -- When the set is scaled down: Retain or Delete.

        type StatefulSetOrdinals -- Where the numbers of the pods begin.
            start 1 int32 -- The first number.

        type StatefulSetStatus -- What was observed of a stateful set.
            observedGeneration 1 int64 -- The generation that the status was made from.
            replicas 2 int32! -- How many pods there shall be, or are.
            readyReplicas 3 int32 -- How many pods are ready.
            currentReplicas 4 int32 -- How many pods have the current revision.
            updatedReplicas 5 int32 -- How many pods have the current template.
            currentRevision 6 string -- The revision that is being replaced.
            updateRevision 7 string -- The revision that is being rolled out.
            collisionCount 9 int32? -- How many hash collisions have been met when naming revisions.
            conditions 10 [StatefulSetCondition] map=type merge=type -- What is known about the state, one entry \
                  for each type of condition.
            availableReplicas 11 int32 -- How many pods have been ready for minReadySeconds.

        type StatefulSetCondition -- What is known about a stateful set.
            type 1 string -- Which type it is.
            status 2 string -- What was observed last; written by the system.
            lastTransitionTime 3 time -- When the status changed last.
            reason 4 string -- A short cause in one word, for programs.
            message 5 string -- What happened, for people.

        type DaemonSet -- Keeps a pod on every node.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 DaemonSetSpec -- What is asked for.
            status 3 DaemonSetStatus -- What was observed last; written by the system.

        type DaemonSetSpec -- What a daemon set keeps.
            selector 1 LabelSelector?! -- Which pods belong to it, by their labels.
            template 2 PodTemplateSpec! -- The pods that are made.
            updateStrategy 3 DaemonSetUpdateStrategy -- How pods are replaced when the template changes.
            minReadySeconds 4 int32 -- How long a new pod must be ready before it counts as available.
            revisionHistoryLimit 6 int32? -- How many old revisions are kept for a rollback.

        type DaemonSetUpdateStrategy -- How pods of a daemon set are replaced.
            type 1 DaemonSetUpdateStrategyType -- Which type it is.
            rollingUpdate 2 RollingUpdateDaemonSet? -- Parameters of a rolling update.
        enum DaemonSetUpdateStrategyType RollingUpdate OnDelete

        type RollingUpdateDaemonSet -- Parameters of a rolling update of a daemon set.
            maxUnavailable 1 intOrString? -- How many pods, as a number or percentage, may be missing during an \
                  update.
            maxSurge 2 intOrString? -- How many pods, as a number or percentage, may be there beyond the wanted \
                  number.

        type DaemonSetStatus -- What was observed of a daemon set.
            currentNumberScheduled 1 int32! -- How many nodes run a pod and should.
            numberMisscheduled 2 int32! -- How many nodes run a pod and should not.
            desiredNumberScheduled 3 int32! -- How many nodes should run a pod.
            numberReady 4 int32! -- How many of them have a pod that is ready.
            observedGeneration 5 int64 -- The generation that the status was made from.
            updatedNumberScheduled 6 int32 -- How many of them have a pod of the current template.
            numberAvailable 7 int32 -- How many of them have a pod that is available.
            numberUnavailable 8 int32 -- How many of them have no pod that is available.
            collisionCount 9 int32? -- How many hash collisions have been met when naming revisions.
            conditions 10 [DaemonSetCondition] map=type merge=type -- What is known about the state, one entry \
                  for each type of condition.

        type DaemonSetCondition -- What is known about a daemon set.
            type 1 string -- Which type it is.
            status 2 string -- What was observed last; written by the system.
            lastTransitionTime 3 time -- When the status changed last.
            reason 4 string -- A short cause in one word, for programs.
            message 5 string -- What happened, for people.

        type ControllerRevision -- A revision of a template, kept for rollbacks.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            data 2 any! -- The data, by key.
            revision 3 int64 -- The number of the revision.
        """
}
