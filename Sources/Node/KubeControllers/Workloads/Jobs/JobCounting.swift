import JSON
import KubeObjects
import KubeStore
import Linux

// How a Job's pods get into its status.
extension JobStep {
    /// First the status notes which pods have ended, and that the job ends, if it does; then the pods are let go.
    mutating func noteEnded(_ verdict: JobVerdict?) {
        if let verdict { set(verdict.interim, "True", verdict.reason, verdict.message) }
        var noted = status
        noted["uncountedTerminatedPods"] = JobTracking.list(tracking.uncountedSucceeded, tracking.uncountedFailed)
        noteIndexes(&noted)
        conditions.write(to: &noted)
        status = noted
        guard !tracking.ended.isEmpty else { return }
        if noted != job.status { write(noted) }
        for pod in tracking.ended { actions.append(.update(.pods, pod.untracked)) }
    }

    private func noteIndexes(_ status: inout JSONValue) {
        guard spec.isIndexed else { return }
        status["completedIndexes"] = tracking.succeeded.isEmpty ? nil : .string(tracking.succeeded.text)
        if spec.backoffLimitPerIndex != nil { status["failedIndexes"] = .string(tracking.failed.text) }
    }

    /// Counts what was noted, now that nothing holds the pods any more, and ends the job when nothing runs.
    mutating func count(_ verdict: JobVerdict?) {
        let held = tracking.held
        let succeeded = spec.isIndexed ? succeededCount : succeededCount - Int64(held.succeeded.count)
        status.set("succeeded", count: succeeded)
        status.set("failed", count: failedCount - Int64(held.failed.count))
        status["uncountedTerminatedPods"] = JobTracking.list(held.succeeded, held.failed)
        let isCounted = held.succeeded.isEmpty && held.failed.isEmpty && !tracking.isCut
        let terminating = Int64(pods.count { $0.isTerminatingPod || deleted.contains($0.uid) })
        status.set("active", count: active)
        status["terminating"] = .integer(terminating)
        status["ready"] = .integer(Int64(activePods.count { $0.isReadyPod }))
        if let verdict, active == 0, terminating == 0, isCounted { finish(verdict) }
        conditions.write(to: &status)
        if status != job.status || actions.contains(where: \.isStatusOfJob) { write(status) }
        announce(verdict)
    }

    private mutating func finish(_ verdict: JobVerdict) {
        set(verdict.final, "True", verdict.reason, verdict.message)
        if verdict.isSuccess { status["completionTime"] = .string(now.kubeTime) }
    }

    private mutating func announce(_ verdict: JobVerdict?) {
        guard let verdict, conditions[verdict.final] != nil else { return }
        if verdict.isSuccess {
            say("Completed", "Job completed")
        } else {
            say(verdict.reason, verdict.message, type: "Warning")
        }
    }
}

extension ObjectAction {
    fileprivate var isStatusOfJob: Bool {
        if case .update(.jobs, _, "status") = self { true } else { false }
    }
}
