extension KubernetesKinds {
    /// Settings, identities, quotas and events.
    static let config = """
        package core/v1
        kind ConfigMap configmaps cm
        column Name string name -- Name of the config map.
        column Data string -- How many keys it has.
        column Age string -- Since when it exists.
        kind Secret secrets
        column Name string name -- Name of the secret.
        column Type string -- What its keys are for.
        column Data string -- How many keys it has.
        column Age string -- Since when it exists.
        kind ServiceAccount serviceaccounts sa subresources=token
        column Name string name -- Name of the service account.
        column Secrets string -- How many secrets it has.
        column Age string -- Since when it exists.
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
        kind ResourceQuota resourcequotas quota subresources=status
        column Name string name -- Name of the quota.
        column Request string -- Used and allowed requests.
        column Limit string -- Used and allowed limits.
        column Age string -- Since when it exists.
        kind LimitRange limitranges limits
        column Name string name -- Name of the limit range.
        column Created_At date -- When it was made.
        kind ReplicationController replicationcontrollers rc categories=all subresources=status,scale
        column Name string name -- Name of the replication controller.
        column Desired integer -- How many pods there shall be.
        column Current integer -- How many pods there are.
        column Ready integer -- How many pods are ready.
        column Age string -- Since when it exists.
        column Containers string wide -- Names of the containers.
        column Images string wide -- Images of the containers.
        column Selector string wide -- Labels of its pods.

        type ObjectReference atomic -- An object, by kind and name.
            kind 1 string -- Kind of the object that is meant.
            namespace 2 string -- Namespace of the object.
            name 3 string -- Name of the object.
            uid 4 string -- Identity of the object that is meant.
            apiVersion 5 string -- API version of the object that is meant.
            resourceVersion 6 string -- Version of the object.
            fieldPath 7 string -- The part of the object that is meant.

        type ConfigMap -- Settings for pods: text by key.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            immutable 4 bool? -- Whether the data can no longer be changed.
            data 2 {string} -- Text by key.
            binaryData 3 {bytes} -- Bytes by key.

        type Secret -- Data that is shown to few.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            immutable 5 bool? -- Whether the data can no longer be changed.
            data 2 {bytes} -- Bytes by key.
            stringData 4 {string} -- Text by key; written into data, and never read back.
            type 3 string -- What the keys are for; Opaque by default.

        type ServiceAccount -- An identity for pods.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            secrets 2 [ObjectReference] map=name merge=name -- Secrets that its pods may use; deprecated.
            imagePullSecrets 3 [LocalObjectReference] atomic -- Secrets with the credentials of image registries.
            automountServiceAccountToken 4 bool? -- Whether pods get the token of the service account mounted.

        type Event -- Something that happened to an object.
            metadata 1 ObjectMeta! -- Standard metadata of the event.
            involvedObject 2 ObjectReference! -- The object that the event is about.
            reason 3 string -- A short cause in one word, for programs.
            message 4 string -- What happened, for people.
            source 5 EventSource -- Who reports it.
            firstTimestamp 6 time -- When it happened first.
            lastTimestamp 7 time -- When it happened last.
            count 8 int32 -- How often it happened.
            type 9 string -- Normal or Warning.
            eventTime 10 microTime -- When it happened.
            series 11 EventSeries? -- What is known when the event happens again and again.
            action 12 string -- What was done, or failed.
            related 13 ObjectReference? -- A second object that has to do with it.
            reportingComponent 14 string -- Name of the controller that reports it.
            reportingInstance 15 string -- Instance of the controller that reports it.

        type EventSource -- Who reports an event.
            component 1 string -- Name of the component.
            host 2 string -- Name of the node.

        type EventSeries -- An event that happens again and again.
            count 1 int32 -- How often it happened.
            lastObservedTime 2 microTime -- When it happened last.

        type ResourceQuota -- A limit to what a namespace uses.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 ResourceQuotaSpec -- What is asked for.
            status 3 ResourceQuotaStatus -- What was observed last; written by the system.

        type ResourceQuotaSpec -- What limits hold.
            hard 1 {quantity} -- The limits, by resource.
            scopes 2 [ResourceQuotaScope] atomic -- Which objects count; all when empty.
            scopeSelector 3 ScopeSelector? -- Which objects count, by scopes and values.
        enum ResourceQuotaScope Terminating NotTerminating BestEffort NotBestEffort PriorityClass \
              CrossNamespacePodAffinity VolumeAttributesClass

        type ScopeSelector atomic -- Scopes that must all hold.
            matchExpressions 1 [ScopedResourceSelectorRequirement] atomic -- Requirements that must all hold.

        type ScopedResourceSelectorRequirement -- A requirement to a scope.
            scopeName 1 ResourceQuotaScope! -- Name of the scope.
            operator 2 ScopeSelectorOperator! -- How the key is compared with the values.
            values 3 [string] atomic -- What the key is compared with.
        enum ScopeSelectorOperator In NotIn Exists DoesNotExist

        type ResourceQuotaStatus -- What was observed of a quota.
            hard 1 {quantity} -- The limits that are in force.
            used 2 {quantity} -- What is used.

        type LimitRange -- Limits and defaults of the resources of single objects.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 LimitRangeSpec -- What is asked for.

        type LimitRangeSpec -- The limits.
            limits 1 [LimitRangeItem]! atomic -- The most that may be used, by resource.

        type LimitRangeItem -- Limits of one type of object.
            type 1 string! -- Container, Pod or PersistentVolumeClaim.
            max 2 {quantity} -- The most that is allowed, by resource.
            min 3 {quantity} -- The least that is allowed, by resource.
            default 4 {quantity} -- Limits of containers that name none.
            defaultRequest 5 {quantity} -- Requests of containers that name none.
            maxLimitRequestRatio 6 {quantity} -- How many times the request the limit may be.

        type ReplicationController -- Keeps a number of equal pods; ReplicaSet has replaced it.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 ReplicationControllerSpec -- What is asked for.
            status 3 ReplicationControllerStatus -- What was observed last; written by the system.

        type ReplicationControllerSpec -- What a replication controller keeps.
            replicas 1 int32? default=1 -- How many pods there shall be, or are.
            minReadySeconds 4 int32 -- How long a new pod must be ready before it counts as available.
            selector 2 {string} atomic -- Which pods belong to it, by their labels.
            template 3 PodTemplateSpec? -- The pods that are made.

        type ReplicationControllerStatus -- What was observed of a replication controller.
            replicas 1 int32! -- How many pods there shall be, or are.
            fullyLabeledReplicas 2 int32 -- How many pods have all labels of the template.
            readyReplicas 4 int32 -- How many pods are ready.
            availableReplicas 5 int32 -- How many pods have been ready for minReadySeconds.
            observedGeneration 3 int64 -- The generation that the status was made from.
            conditions 6 [ReplicationControllerCondition] map=type merge=type -- What is known about the state, \
                  one entry for each type of condition.

        type ReplicationControllerCondition -- What is known about a replication controller.
            type 1 string! -- Which type it is.
            status 2 string! -- What was observed last; written by the system.
            lastTransitionTime 3 time -- When the status changed last.
            reason 4 string -- A short cause in one word, for programs.
            message 5 string -- What happened, for people.
        """
}
