import JSON
import KubeObjects
import Linux

/// That a Job ends, and why.
struct JobVerdict: Equatable {
    var isSuccess: Bool
    var reason: String
    var message: String

    /// The condition that says it while pods still run, and the one that ends the job.
    var interim: String { isSuccess ? "SuccessCriteriaMet" : "FailureTarget" }
    var final: String { isSuccess ? "Complete" : "Failed" }
}

extension JobStep {
    /// Whether the job ends now, or has begun to.
    mutating func verdict() -> JobVerdict? {
        if let begun = begun() { return begun }
        if let failure = failure() { return failure }
        guard spec.isIndexed || spec.completions != nil || isDrained else { return nil }
        let completions = spec.completions ?? 1
        if spec.isIndexed,
            let message = SuccessPolicy.met(spec.successPolicy, tracking.succeeded, completions: completions)
        {
            return JobVerdict(isSuccess: true, reason: "SuccessPolicy", message: message)
        }
        guard succeededCount >= completions else { return nil }
        return JobVerdict(
            isSuccess: true, reason: "CompletionsReached", message: "Reached expected number of succeeded pods")
    }

    var succeededCount: Int64 {
        guard !spec.isIndexed else { return tracking.succeeded.count }
        return job.status.count("succeeded") + Int64(tracking.uncountedSucceeded.count)
    }

    var failedCount: Int64 { job.status.count("failed") + Int64(tracking.uncountedFailed.count) }

    /// Without a number of completions the job is done when one pod has succeeded and none runs.
    private var isDrained: Bool { succeededCount > 0 && active == 0 }

    private func begun() -> JobVerdict? {
        for (type, isSuccess) in [("FailureTarget", false), ("SuccessCriteriaMet", true)] {
            guard let condition = conditions[type], condition["status"]?.string == "True" else { continue }
            return JobVerdict(
                isSuccess: isSuccess, reason: condition["reason"]?.string ?? "",
                message: condition["message"]?.string ?? "")
        }
        return nil
    }

    private mutating func failure() -> JobVerdict? {
        if let message = failJobMessage {
            return JobVerdict(isSuccess: false, reason: "PodFailurePolicy", message: message)
        }
        if failedCount > spec.backoffLimit || hasRestartedTooOften {
            return JobVerdict(
                isSuccess: false, reason: "BackoffLimitExceeded",
                message: "Job has reached the specified backoff limit")
        }
        if let deadline, !spec.isSuspended {
            guard deadline > now else {
                return JobVerdict(
                    isSuccess: false, reason: "DeadlineExceeded",
                    message: "Job was active longer than specified deadline")
            }
            look(at: deadline)
        }
        return indexFailure
    }

    private var failJobMessage: String? {
        guard spec.failurePolicy != nil else { return nil }
        for pod in pods where pod.hasFailed(spec) {
            if case .failJob(let message) = PodFailureMeaning(pod, spec.failurePolicy) { return message }
        }
        return nil
    }

    /// Containers that are started anew in their pods count, too.
    private var hasRestartedTooOften: Bool {
        guard spec.restartsContainers else { return false }
        let restarts = pods.filter { $0.phase == "Running" || $0.phase == "Pending" }.reduce(Int64(0)) { sum, pod in
            let statuses =
                (pod.status["initContainerStatuses"]?.array ?? []) + (pod.status["containerStatuses"]?.array ?? [])
            return statuses.reduce(sum) { $0.addingReportingOverflow($1.count("restartCount")).partialValue }
        }
        return spec.backoffLimit == 0 ? restarts > 0 : restarts >= spec.backoffLimit
    }

    private var deadline: Timestamp? {
        guard let seconds = spec.activeDeadlineSeconds,
            let start = status["startTime"]?.string.flatMap({ Timestamp($0) })
        else { return nil }
        return start.adding(seconds: seconds)
    }

    private var indexFailure: JobVerdict? {
        guard spec.backoffLimitPerIndex != nil, !tracking.failed.isEmpty else { return nil }
        if let most = spec.maxFailedIndexes, tracking.failed.count > most {
            return JobVerdict(
                isSuccess: false, reason: "MaxFailedIndexesExceeded",
                message: "Job has exceeded the specified maximal number of failed indexes")
        }
        guard tracking.succeeded.count + tracking.failed.count >= spec.completions ?? 0 else { return nil }
        return JobVerdict(isSuccess: false, reason: "FailedIndexes", message: "Job has failed indexes")
    }
}
