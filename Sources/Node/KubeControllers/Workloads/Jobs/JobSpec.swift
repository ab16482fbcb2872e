import JSON
import KubeObjects
import Linux

/// What is read from a Job's spec.
struct JobSpec {
    static let finalizer = "batch.kubernetes.io/job-tracking"
    static let indexAnnotation = "batch.kubernetes.io/job-completion-index"
    static let failuresAnnotation = "batch.kubernetes.io/job-index-failure-count"
    static let controllerName = "kubernetes.io/job-controller"

    let json: JSONValue

    init(_ job: KubeObject) { json = job.spec }

    var parallelism: Int64 { json["parallelism"]?.integer ?? 1 }
    /// nil: any number; one success ends the job.
    var completions: Int64? { json["completions"]?.integer }
    var isIndexed: Bool { json["completionMode"]?.string == "Indexed" }
    var isSuspended: Bool { json["suspend"]?.bool ?? false }
    var backoffLimit: Int64 { json["backoffLimit"]?.integer ?? 6 }
    /// Failures that each index may have; nil: they are counted for the whole.
    var backoffLimitPerIndex: Int64? { isIndexed ? json["backoffLimitPerIndex"]?.integer : nil }
    var maxFailedIndexes: Int64? { json["maxFailedIndexes"]?.integer }
    var activeDeadlineSeconds: Int64? { json["activeDeadlineSeconds"]?.integer }
    var failurePolicy: JSONValue? { json["podFailurePolicy"] }
    var successPolicy: JSONValue? { json["successPolicy"] }
    /// Whether a pod is replaced only when it has failed, not already while it is being deleted.
    var replacesOnlyFailed: Bool { failurePolicy != nil || json["podReplacementPolicy"]?.string == "Failed" }
    var restartsContainers: Bool { json["template", "spec", "restartPolicy"]?.string == "OnFailure" }

    /// Somebody else runs it.
    var isManagedElsewhere: Bool { json["managedBy"]?.string.map { $0 != Self.controllerName } ?? false }
}

// What a Job's controller reads from its pods.
extension KubeObject {
    var isTracked: Bool { metadata.finalizers.contains(JobSpec.finalizer) }

    var untracked: KubeObject {
        var pod = self
        pod.metadata.finalizers.removeAll { $0 == JobSpec.finalizer }
        return pod
    }

    /// Below the number of completions; nil when the pod has none.
    var completionIndex: Int64? {
        annotation(JobSpec.indexAnnotation).flatMap { Int64($0) }.flatMap { $0 >= 0 ? $0 : nil }
    }

    /// How many pods of its index failed before it.
    var earlierFailures: Int64 { annotation(JobSpec.failuresAnnotation).flatMap { Int64($0) } ?? 0 }

    func hasFailed(_ spec: JobSpec) -> Bool {
        if phase == "Failed" { return true }
        // Pods that are deleted may never come to tell of their failure.
        return !spec.replacesOnlyFailed && isBeingDeleted && phase != "Succeeded"
    }

    /// When its last container ended; else since when it has not been ready, or when its deletion was asked for.
    func ended(_ now: Timestamp) -> Timestamp {
        let statuses = status["containerStatuses"]?.array ?? []
        let ends = statuses.compactMap { $0["state", "terminated", "finishedAt"]?.string.flatMap { Timestamp($0) } }
        if ends.count == statuses.count, let last = ends.max() { return last }
        if let ready = condition("Ready"), ready["status"]?.string == "False",
            let time = ready["lastTransitionTime"]?.string.flatMap({ Timestamp($0) })
        {
            return min(now, time)
        }
        // The time that a deletion names is when its grace is over.
        let grace = max(0, metadata.deletionGracePeriodSeconds ?? 0)
        let asked = metadata.deletionTimestamp.flatMap { Timestamp($0) }?.adding(seconds: -grace)
        return min(now, asked ?? created ?? now)
    }

    /// "Complete" or "Failed" of a job that has ended.
    var jobEnd: JSONValue? {
        for type in ["Complete", "Failed"] {
            if let condition = condition(type), condition["status"]?.string == "True" { return condition }
        }
        return nil
    }
}
