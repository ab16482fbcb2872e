extension KubernetesKinds {
    /// Jobs.
    static let batch = """
        package batch/v1 batch
        kind Job jobs categories=all subresources=status
        column Name string name -- Name of the job.
        column Status string -- How far it is.
        column Completions string -- How many pods have succeeded, of how many.
        column Duration string -- How long it has run.
        column Age string -- Since when it exists.
        column Containers string wide -- Names of the containers.
        column Images string wide -- Images of the containers.
        column Selector string wide -- Labels of its pods.
        kind CronJob cronjobs cj categories=all subresources=status
        column Name string name -- Name of the cron job.
        column Schedule string -- When jobs are made.
        column Timezone string -- The zone of the schedule.
        column Suspend boolean -- Whether it is held back.
        column Active integer -- How many jobs run.
        column Last_Schedule string -- When a job was made last.
        column Age string -- Since when it exists.
        column Containers string wide -- Names of the containers.
        column Images string wide -- Images of the containers.
        column Selector string wide -- Labels of its pods.

        type Job -- Runs pods until enough of them have succeeded.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 JobSpec -- What is asked for.
            status 3 JobStatus -- What was observed last; written by the system.

        type JobSpec -- What a job runs.
            parallelism 1 int32? -- How many pods may run at once.
            completions 2 int32? -- How many pods must succeed; any number when empty.
            activeDeadlineSeconds 3 int64? -- How long the job may be active.
            podFailurePolicy 11 PodFailurePolicy? -- What a pod's failure means.
            successPolicy 16 SuccessPolicy? -- When the job has succeeded before all completions.
            backoffLimit 7 int32? -- How many failures are tolerated; 6 by default.
            backoffLimitPerIndex 12 int32? -- How many failures of an index are tolerated.
            maxFailedIndexes 13 int32? -- How many indexes may fail.
            selector 4 LabelSelector? -- Which pods belong to it, by their labels.
            manualSelector 5 bool? -- Whether the selector is the user's own.
            template 6 PodTemplateSpec! -- The pods that are made.
            ttlSecondsAfterFinished 8 int32? -- How long after its end the job is removed.
            completionMode 9 CompletionMode? -- NonIndexed, or Indexed: each pod has its number.
            suspend 10 bool? -- Whether it is held back for now.
            podReplacementPolicy 14 PodReplacementPolicy? -- When a failed pod is replaced.
            managedBy 15 string? -- Who runs the job, when it is not the built-in controller.

        type PodFailurePolicy -- What a pod's failure means: the first rule that holds.
            rules 1 [PodFailurePolicyRule]! atomic -- The rules.

        type PodFailurePolicyRule -- What a pod's failure means.
            action 1 PodFailurePolicyAction! -- What was done, or failed.
            onExitCodes 2 PodFailurePolicyOnExitCodesRequirement? -- For which exit codes.
            onPodConditions 3 [PodFailurePolicyOnPodConditionsPattern] atomic -- For which conditions of the pod.
        enum PodFailurePolicyAction FailJob FailIndex Ignore Count

        type PodFailurePolicyOnExitCodesRequirement -- Exit codes that a rule is for.
            containerName 1 string? -- The container; every one when empty.
            operator 2 PodFailurePolicyOnExitCodesOperator! -- How the key is compared with the values.
            values 3 [int32]! set -- What the key is compared with.
        enum PodFailurePolicyOnExitCodesOperator In NotIn

        type PodFailurePolicyOnPodConditionsPattern -- A condition that a rule is for.
            type 1 string! -- Which type it is.
            status 2 string -- True, False or Unknown.

        type SuccessPolicy -- When a job has succeeded: one rule must hold.
            rules 1 [SuccessPolicyRule]! atomic -- The rules.

        type SuccessPolicyRule -- When a job has succeeded.
            succeededIndexes 1 string? -- Indexes that must have succeeded, such as 1,3-5.
            succeededCount 2 int32? -- How many indexes must have succeeded.
        enum CompletionMode NonIndexed Indexed
        enum PodReplacementPolicy TerminatingOrFailed Failed

        type JobStatus -- What was observed of a job.
            conditions 1 [JobCondition] atomic merge=type -- What is known about the state, one entry for each \
                  type of condition.
            startTime 2 time? -- When the job was started.
            completionTime 3 time? -- When the job was complete.
            active 4 int32 -- How many pods are active.
            succeeded 5 int32 -- How many pods have succeeded.
            failed 6 int32 -- How many pods have failed.
            terminating 11 int32? -- How many pods are being deleted.
            completedIndexes 7 string -- Indexes that have succeeded.
            failedIndexes 10 string? -- Indexes that have failed.
            uncountedTerminatedPods 8 UncountedTerminatedPods? -- Pods that have ended and are not counted yet.
            ready 9 int32? -- How many pods are ready.

        type JobCondition -- What is known about a job.
            type 1 string! -- Which type it is.
            status 2 string! -- What was observed last; written by the system.
            lastProbeTime 3 time -- When the condition was checked last.
            lastTransitionTime 4 time -- When the status changed last.
            reason 5 string -- A short cause in one word, for programs.
            message 6 string -- What happened, for people.

        type UncountedTerminatedPods -- Pods that have ended and are not counted yet.
            succeeded 1 [string] set -- Pods that have succeeded.
            failed 2 [string] set -- Pods that have failed.

        type CronJob -- Makes a job at times of a schedule.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 CronJobSpec -- What is asked for.
            status 3 CronJobStatus -- What was observed last; written by the system.

        type CronJobSpec -- What is run, and when.
            schedule 1 string! -- When, as five fields of cron.
            timeZone 8 string? -- The zone that the schedule is meant in; the node's when empty.
            startingDeadlineSeconds 2 int64? -- How late a job may be started.
            concurrencyPolicy 3 ConcurrencyPolicy -- What to do when the last job still runs.
            suspend 4 bool? -- Whether it is held back for now.
            jobTemplate 5 JobTemplateSpec! -- The jobs that are made.
            successfulJobsHistoryLimit 6 int32? -- How many jobs that succeeded are kept; 3 by default.
            failedJobsHistoryLimit 7 int32? -- How many jobs that failed are kept; 1 by default.
        enum ConcurrencyPolicy Allow Forbid Replace

        type JobTemplateSpec -- What jobs are made like.
            metadata 1 ObjectMeta -- Labels and annotations of the jobs.
            spec 2 JobSpec -- What the jobs run.

        type CronJobStatus -- What was observed of a cron job.
            active 1 [ObjectReference] atomic -- Jobs that run.
            lastScheduleTime 4 time? -- When a job was made last.
            lastSuccessfulTime 5 time? -- When a job succeeded last.
        """
}
