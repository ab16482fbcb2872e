import JSON
package import KubeObjects
import KubeSchema
package import KubeStore
package import Linux

/// Runs pods of Jobs until enough of them have succeeded.
///
/// Invariants
/// 1. Never more than `parallelism` pods are wanted.
///    (test: `a job never runs more pods than its parallelism, and completes exactly`)
/// 2. Each pod that ended is counted once, whatever fails in between: it is noted as uncounted, then loses its finalizer,
///    then is counted. (the same)
/// 3. An index has one pod at a time, and none after it succeeded. (test: `every index succeeds once`)
/// 4. A job that has ended changes no more. (test: `a job that has ended stays as it is`)
/// 5. A suspended job has no pods, and its deadline counts from when it is resumed.
///    (test: `a suspended job has no pods, and its deadline counts from when it is resumed`)
package struct JobController: Controller {
    package init() {}

    package var name: String { "job-controller" }
    package var resources: [Resource] { [.jobs, .pods] }

    package func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
        guard change.resource == .pods else { return [change.key] }
        return Owners.concerned(by: change, .jobs, in: view) { Owners.selector($0) }
    }

    package func decide(_ key: ObjectKey, in view: any ObjectView, now: Linux.Timestamp) -> Decision {
        let pods = view.objects(.pods, namespace: key.namespace).map { KubeObject($0) }
        let job = view.get(.jobs, namespace: key.namespace, key.name).map { KubeObject($0) }
        if let job, JobSpec(job).isManagedElsewhere { return Decision() }
        // Pods of a job that is gone, or has ended, wait for nobody.
        let orphans = pods.filter { pod in
            guard pod.isTracked, Owners.manager(of: pod, .jobs) == key else { return false }
            return job.map { pod.metadata.controller?.uid != $0.uid || $0.jobEnd != nil } ?? true
        }
        let releases = orphans.map { ObjectAction.update(.pods, $0.untracked) }
        guard let job, job.jobEnd == nil else { return Decision(releases) }
        var step = JobStep(of: job, pods, now)
        step.run()
        return Decision(releases + step.actions, again: step.again)
    }

    package func failed(
        _ action: ObjectAction, _ failure: APIFailure, about key: ObjectKey, in view: any ObjectView,
        now: Linux.Timestamp
    ) -> [ObjectAction] {
        guard let job = view.get(.jobs, namespace: key.namespace, key.name).map({ KubeObject($0) }),
            !failure.isNamespaceTerminating
        else { return [] }
        switch action {
        case .create:
            return [
                .event(
                    job, .jobs, type: "Warning", reason: "FailedCreate", message: "Error creating: \(failure.message)")
            ]
        case .delete:
            return [
                .event(
                    job, .jobs, type: "Warning", reason: "FailedDelete", message: "Error deleting: \(failure.message)")
            ]
        default: return []
        }
    }
}
