import JSON
import KubeObjects
import KubeStore
import Linux

// The pods that a Job makes and deletes.
extension JobStep {
    mutating func changePods() {
        guard !spec.isSuspended else {
            for pod in activePods.prefix(Self.limit) { delete(pod, untrack: true) }
            return
        }
        let surplus = surplusPods()
        guard surplus.isEmpty else {
            for pod in surplus.prefix(Self.limit) { delete(pod, untrack: true) }
            return
        }
        let terminating = Int64(spec.replacesOnlyFailed ? pods.count { $0.isTerminatingPod } : 0)
        let missing = min(wantedPods - terminating - active, Int64(Self.limit))
        guard missing > 0 else { return }
        spec.isIndexed ? makeIndexes(missing) : makePods(missing)
    }

    /// How many pods should be active.
    private var wantedPods: Int64 {
        guard let completions = spec.completions else {
            // After the first success the others finish, and no new ones begin.
            return succeededCount > 0 ? active : spec.parallelism
        }
        return max(0, min(completions - succeededCount, spec.parallelism))
    }

    private func surplusPods() -> [KubeObject] {
        var doomed: [KubeObject] = []
        var kept: [KubeObject] = []
        var seen: Set<Int64> = []
        for pod in PodRanking(now: now).sorted(activePods).reversed() {
            guard spec.isIndexed else {
                kept.append(pod)
                continue
            }
            guard let index = pod.completionIndex, index < spec.completions ?? 0, !tracking.succeeded.contains(index),
                !tracking.failed.contains(index), seen.insert(index).inserted
            else {
                doomed.append(pod)
                continue
            }
            kept.append(pod)
        }
        let excess = Int(max(0, active - wantedPods)) - doomed.count
        return doomed + kept.suffix(max(0, excess)).reversed()
    }

    /// - Parameter untrack: whether it is taken out of the count: it neither succeeded nor failed.
    mutating func delete(_ pod: KubeObject, untrack: Bool) {
        if untrack, pod.isTracked { actions.append(.update(.pods, pod.untracked)) }
        actions.append(.delete(.pods, namespace: pod.namespace, name: pod.name, DeletionOptions(uid: pod.uid)))
        say("SuccessfulDelete", "Deleted pod: \(pod.name)")
        deleted.insert(pod.uid)
        active -= 1
    }

    private mutating func makePods(_ count: Int64) {
        if let next = JobBackoff.next(after: pods, spec, now), next > now { return look(at: next) }
        var names = GeneratedNames(job.name + "-", owner: job, now, taken: names)
        for _ in 0..<count {
            var pod = pod()
            pod.metadata.generateName = names.prefix
            pod.metadata.name = names.next()
            create(pod)
        }
    }

    private mutating func makeIndexes(_ count: Int64) {
        if spec.backoffLimitPerIndex == nil, let next = JobBackoff.next(after: pods, spec, now), next > now {
            return look(at: next)
        }
        var taken = tracking.succeeded
        taken.formUnion(tracking.failed)
        let busy = spec.replacesOnlyFailed ? pods.filter { !$0.hasEnded } : activePods
        taken.insert(busy.compactMap(\.completionIndex))
        var generated = GeneratedNames(job.name + "-", owner: job, now, taken: names)
        let failures = lastFailures()
        var left = count
        // Those that wait for their turn are not missing, and others go before them.
        for index in taken.missing(below: spec.completions ?? 0, count + Int64(failures.count)) where left > 0 {
            if spec.backoffLimitPerIndex != nil, let failure = failures[index] {
                let next = JobBackoff.next(ofIndexAfter: failure, now)
                guard next <= now else {
                    look(at: next)
                    continue
                }
            }
            var pod = indexedPod(index, after: failures[index])
            let prefix = Self.prefix(job.name, index)
            pod.metadata.generateName = prefix
            pod.metadata.name = generated.next(prefix)
            create(pod)
            left -= 1
        }
    }

    private func lastFailures() -> [Int64: KubeObject] {
        guard spec.backoffLimitPerIndex != nil else { return [:] }
        var last: [Int64: KubeObject] = [:]
        for pod in pods where pod.hasFailed(spec) {
            guard let index = pod.completionIndex else { continue }
            if let other = last[index], other.earlierFailures > pod.earlierFailures { continue }
            last[index] = pod
        }
        return last
    }

    private mutating func create(_ pod: KubeObject) {
        actions.append(.create(.pods, pod))
        say("SuccessfulCreate", "Created pod: \(pod.name)")
        active += 1
    }

    private func pod() -> KubeObject {
        var pod = PodTemplate.pod(spec.json["template"], of: job, .jobs)
        if !pod.isTracked { pod.metadata.finalizers.append(JobSpec.finalizer) }
        return pod
    }

    private func indexedPod(_ index: Int64, after failure: KubeObject?) -> KubeObject {
        var pod = pod()
        pod.metadata.annotations[JobSpec.indexAnnotation] = String(index)
        pod.metadata.labels[JobSpec.indexAnnotation] = String(index)
        if spec.backoffLimitPerIndex != nil {
            let isCounted = failure.map { PodFailureMeaning($0, spec.failurePolicy) != .ignore } ?? false
            let failures = failure.map { $0.earlierFailures + (isCounted ? 1 : 0) } ?? 0
            pod.metadata.annotations[JobSpec.failuresAnnotation] = String(failures)
        }
        pod.json["spec", default: [:]]["hostname"] = .string("\(job.name)-\(index)")
        for field in ["containers", "initContainers"] {
            guard let containers = pod.spec[field]?.array else { continue }
            pod.json["spec", default: [:]][field] = .array(containers.map(Self.withIndex))
        }
        return pod
    }

    private static let indexVariable: JSONValue = [
        "name": "JOB_COMPLETION_INDEX",
        "valueFrom": [
            "fieldRef": [
                "fieldPath": .string("metadata.labels['\(JobSpec.indexAnnotation)']")
            ]
        ],
    ]

    private static func withIndex(_ container: JSONValue) -> JSONValue {
        var container = container
        let variables = container["env"]?.array ?? []
        guard !variables.contains(where: { $0["name"]?.string == "JOB_COMPLETION_INDEX" }) else { return container }
        container["env"] = .array(variables + [indexVariable])
        return container
    }

    /// "job-3-", with the name cut so that the index stays.
    private static func prefix(_ name: String, _ index: Int64) -> String {
        let suffix = "-\(index)-"
        return name.prefix(58 - suffix.utf8.count) + suffix
    }
}
