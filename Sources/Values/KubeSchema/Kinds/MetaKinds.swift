extension KubernetesKinds {
    /// What all objects have in common.
    static let meta = """
        package meta/v1

        type TypeMeta -- Kind and version of an object.
            apiVersion - string -- Group and version of the kind.
            kind - string -- Kind of the object.

        type ObjectMeta -- What every object has: names, labels, owners, versions.
            name 1 string -- Name of the object in its namespace; it cannot be changed.
            generateName 2 string -- Beginning of a name that the server completes when there is no name.
            namespace 3 string -- The namespace; empty for kinds of the whole cluster.
            selfLink 4 string -- No longer filled in.
            uid 5 string -- Identity of the object in time and space; given by the server.
            resourceVersion 6 string -- Version of the object; an update that names an old one is refused.
            generation 7 int64 -- Counts the changes of what is asked for.
            creationTimestamp 8 time -- When the object was made.
            deletionTimestamp 9 time? -- When the object will be gone; set when it is deleted gracefully.
            deletionGracePeriodSeconds 10 int64? -- How long a graceful deletion takes.
            labels 11 {string} -- Names and values by which objects are selected.
            annotations 12 {string} -- Names and values that nobody selects by.
            ownerReferences 13 [OwnerReference] map=uid merge=uid -- Objects that this one depends on; it goes \
                  when all are gone.
            finalizers 14 [string] set merge -- What must be done before the object is removed; it stays until \
                  the list is empty.
            managedFields 17 [ManagedFieldsEntry] atomic -- Which manager owns which fields.

        type OwnerReference atomic -- An object that another one depends on.
            apiVersion 5 string! -- API version of the object that is meant.
            kind 1 string! -- Kind of the object that is meant.
            name 3 string! -- Name of the object that is meant.
            uid 4 string! -- Identity of the object that is meant.
            controller 6 bool? -- Whether it is the controller of the object.
            blockOwnerDeletion 7 bool? -- Whether the owner stays, when deleted in the foreground, until this \
                  object is gone.

        type ManagedFieldsEntry -- The fields that a manager owns.
            manager 1 string -- Name of the manager.
            operation 2 string -- Apply or Update.
            apiVersion 3 string -- Version that the fields are named in.
            time 4 time? -- When the fields were changed last.
            fieldsType 6 string -- FieldsV1.
            fieldsV1 7 any? -- The fields.
            subresource 8 string -- The subresource through which they were written.

        type LabelSelector atomic -- Labels that objects must have; an empty one holds for all objects.
            matchLabels 1 {string} -- Labels with these values.
            matchExpressions 2 [LabelSelectorRequirement] atomic -- Requirements that must hold too.

        type LabelSelectorRequirement -- A requirement to a label.
            key 1 string! -- Key of the label.
            operator 2 string! -- In, NotIn, Exists or DoesNotExist.
            values 3 [string] atomic -- Values of the label, for In and NotIn.

        type Condition -- What is known about an object.
            type 1 string! -- Which type it is.
            status 2 string! -- True, False or Unknown.
            observedGeneration 3 int64 -- The generation that the status was made from.
            lastTransitionTime 4 time! -- When the status changed last.
            reason 5 string! -- A short cause in one word, for programs.
            message 6 string! -- What happened, for people.

        type DeleteOptions -- How an object is to be deleted.
            gracePeriodSeconds 1 int64? -- How long a graceful deletion may take; 0 for at once.
            preconditions 2 Preconditions? -- What must hold of the object.
            orphanDependents 3 bool? -- Old form of propagationPolicy.
            propagationPolicy 4 string? -- Orphan, Background or Foreground: what becomes of dependents.
            dryRun 5 [string] atomic -- All when nothing is to be stored.
            ignoreStoreReadErrorWithClusterBreakingPotential 6 bool? -- Deletes also what can no longer be read.

        type Preconditions -- What must hold of an object that is deleted.
            uid 1 string? -- Identity of the object that is meant.
            resourceVersion 2 string? -- Version of the object.

        type FieldSelectorRequirement -- A requirement to a field.
            key 1 string! -- The field.
            operator 2 string! -- In, NotIn, Exists or DoesNotExist.
            values 3 [string] atomic -- What the key is compared with.

        type Status -- The outcome of a request that has no other answer.
            metadata 1 ListMeta -- Standard metadata of the object.
            status 2 string -- Success or Failure.
            message 3 string -- What happened, for people.
            reason 4 string -- A short cause in one word, for programs.
            details 5 StatusDetails? -- What is known about a failure.
            code 6 int32 -- The code of the HTTP answer.

        type ListMeta -- What every list has.
            selfLink 1 string -- No longer filled in.
            resourceVersion 2 string -- Version of the object.
            continue 3 string -- Where the next page begins.
            remainingItemCount 4 int64? -- How many objects come after this page.

        type StatusDetails -- What is known about a failure.
            name 1 string -- Name of the object.
            group 2 string -- API group of the object.
            kind 3 string -- Kind of the object that is meant.
            uid 6 string -- Identity of the object that is meant.
            causes 4 [StatusCause] atomic -- The causes.
            retryAfterSeconds 5 int32 -- When to try again.

        type StatusCause -- A cause of a failure.
            reason 1 string -- A short cause in one word, for programs.
            message 2 string -- What happened, for people.
            field 3 string -- Path of the field.
        """
}
