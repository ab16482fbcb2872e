import JSON
import KubeObjects
import KubeSchema
import KubeStore
import Linux

/// One step of a Job: what it has to do now.
///
/// The order of the actions is what keeps the count right: first the status notes which pods have ended, then these lose
/// their finalizers, then pods are deleted and made, and last the status counts.
struct JobStep {
    /// So many pods are made, deleted or counted in one step.
    static let limit = 500

    let job: KubeObject
    let spec: JobSpec
    let now: Linux.Timestamp
    /// The job's own, with those that it adopts.
    let pods: [KubeObject]
    let names: [String]
    var tracking: JobTracking
    var status: JSONValue
    var conditions: Conditions
    var actions: [ObjectAction]
    var again: Linux.Timestamp?
    /// Active pods after this step.
    var active: Int64
    /// Pods that are deleted in this step.
    var deleted: Set<String> = []

    init(of job: KubeObject, _ all: [KubeObject], _ now: Linux.Timestamp) {
        self.job = job
        self.now = now
        let spec = JobSpec(job)
        self.spec = spec
        names = all.map(\.name)
        let claim = Claim(all, .pods, by: job, .jobs, Owners.selector(job))
        // Those that are adopted are tracked from now on, and those let go no longer.
        actions = claim.actions.map { action in
            guard case .update(let resource, var pod, nil) = action else { return action }
            let isOurs = pod.metadata.controller?.uid == job.uid
            if isOurs, !pod.isTracked { pod.metadata.finalizers.append(JobSpec.finalizer) }
            return .update(resource, isOurs ? pod : pod.untracked)
        }
        let adopted = Set(claim.actions.compactMap { if case .update(_, let pod, _) = $0 { pod.uid } else { nil } })
        pods = claim.owned.map { pod in
            var pod = pod
            if adopted.contains(pod.uid), !pod.isTracked { pod.metadata.finalizers.append(JobSpec.finalizer) }
            return pod
        }.sorted { $0.name < $1.name }
        status = job.status
        conditions = Conditions(job.status)
        tracking = JobTracking(pods, spec, job.status)
        active = Int64(pods.count { $0.isActivePod })
    }

    var activePods: [KubeObject] { pods.filter { $0.isActivePod && !deleted.contains($0.uid) } }

    mutating func run() {
        // The deadline counts from the start, and anew from when the job is resumed.
        if !spec.isSuspended, status["startTime"] == nil || wasSuspended { status["startTime"] = .string(now.kubeTime) }
        let verdict = verdict()
        if let verdict { tracking.end(pods, spec, verdict) }
        noteEnded(verdict)
        if verdict != nil {
            for pod in activePods.prefix(Self.limit) { delete(pod, untrack: false) }
        } else if !job.isBeingDeleted {
            changePods()
            noteSuspension()
        }
        count(verdict)
    }

    mutating func say(_ reason: String, _ message: String, type: String = "Normal") {
        actions.append(.event(job, .jobs, type: type, reason: reason, message: message))
    }

    mutating func look(at moment: Linux.Timestamp) { again = again.map { min($0, moment) } ?? moment }

    mutating func set(_ type: String, _ status: String, _ reason: String, _ message: String) {
        conditions.set(type, status, reason, message, now, touched: "lastProbeTime")
    }

    mutating func write(_ status: JSONValue) {
        var changed = job
        changed.status = status
        actions.append(.update(.jobs, changed, subresource: "status"))
    }

    private var wasSuspended: Bool { conditions["Suspended"]?["status"]?.string == "True" }

    private mutating func noteSuspension() {
        if spec.isSuspended, !wasSuspended {
            set("Suspended", "True", "JobSuspended", "Job suspended")
            say("Suspended", "Job suspended")
        } else if !spec.isSuspended, wasSuspended {
            set("Suspended", "False", "JobResumed", "Job resumed")
            say("Resumed", "Job resumed")
        }
    }
}
