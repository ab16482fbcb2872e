import JSON
import KubeObjects

/// Which pods of a Job have ended and how far they are on the way to being counted.
struct JobTracking {
    /// By uid: noted in the status, and not yet counted.
    var uncountedSucceeded: Set<String>
    var uncountedFailed: Set<String>
    /// Indexes that have succeeded, and that have failed for good.
    var succeeded: CompletionIndexes
    var failed: CompletionIndexes
    /// Pods that are ready to be let go, when the status has noted them.
    private(set) var ended: [KubeObject] = []
    /// Whether there are more than fit into one step.
    private(set) var isCut = false
    private let keptPerIndex: Set<String>
    private let tracked: Set<String>

    init(_ pods: [KubeObject], _ spec: JobSpec, _ status: JSONValue) {
        let uncounted = status["uncountedTerminatedPods"]
        uncountedSucceeded = Set((uncounted?["succeeded"]?.array ?? []).compactMap(\.string))
        uncountedFailed = Set((uncounted?["failed"]?.array ?? []).compactMap(\.string))
        let completions = spec.completions ?? 0
        succeeded =
            spec.isIndexed ? CompletionIndexes(status["completedIndexes"]?.string ?? "", below: completions) : .init()
        failed =
            spec.backoffLimitPerIndex == nil
            ? .init() : CompletionIndexes(status["failedIndexes"]?.string ?? "", below: completions)
        if spec.isIndexed { succeeded.insert(Self.newlySucceeded(pods, completions)) }
        if let limit = spec.backoffLimitPerIndex {
            let done = succeeded
            failed.insert(
                Self.newlyFailed(pods, spec, limit, completions).filter { !done.contains($0) })
            keptPerIndex = Self.latestFailures(pods, spec, done, failed)
        } else {
            keptPerIndex = []
        }
        tracked = Set(pods.filter(\.isTracked).map(\.uid))
        for pod in pods where pod.isTracked && !keptPerIndex.contains(pod.uid) {
            if pod.phase == "Succeeded" {
                take(pod, hasFailed: false, counts: !spec.isIndexed)
            } else if pod.hasFailed(spec) {
                take(pod, hasFailed: true, counts: Self.counts(pod, spec))
            }
        }
    }

    /// What remains noted when the pods that have ended are let go: those that something else still holds.
    var held: (succeeded: Set<String>, failed: Set<String>) {
        let left = tracked.subtracting(ended.map(\.uid))
        return (uncountedSucceeded.intersection(left), uncountedFailed.intersection(left))
    }

    private static func counts(_ pod: KubeObject, _ spec: JobSpec) -> Bool {
        PodFailureMeaning(pod, spec.failurePolicy) != .ignore
    }

    private mutating func take(_ pod: KubeObject, hasFailed: Bool, counts: Bool) {
        guard ended.count < JobStep.limit else {
            isCut = true
            return
        }
        ended.append(pod)
        // A pod that was noted as the one thing does not become the other.
        guard counts, !uncountedSucceeded.contains(pod.uid), !uncountedFailed.contains(pod.uid) else { return }
        if hasFailed { uncountedFailed.insert(pod.uid) } else { uncountedSucceeded.insert(pod.uid) }
    }

    /// The job ends: what is left is let go. When it has failed, pods that still run count as failed.
    mutating func end(_ pods: [KubeObject], _ spec: JobSpec, _ verdict: JobVerdict) {
        let known = Set(ended.map(\.uid))
        for pod in pods where pod.isTracked && !known.contains(pod.uid) {
            if pod.hasFailed(spec) || !pod.hasEnded && !verdict.isSuccess {
                take(pod, hasFailed: true, counts: Self.counts(pod, spec))
            }
        }
    }

    /// As `uncountedTerminatedPods` has them.
    static func list(_ succeeded: Set<String>, _ failed: Set<String>) -> JSONValue {
        func list(_ uids: Set<String>) -> JSONValue? {
            uids.isEmpty ? nil : .array(uids.sorted().map { .string($0) })
        }
        var value: JSONValue = [:]
        value["succeeded"] = list(succeeded)
        value["failed"] = list(failed)
        return value
    }

    private static func newlySucceeded(_ pods: [KubeObject], _ completions: Int64) -> [Int64] {
        pods.filter { $0.phase == "Succeeded" }.compactMap(\.completionIndex).filter { $0 < completions }
    }

    private static func newlyFailed(
        _ pods: [KubeObject], _ spec: JobSpec, _ limit: Int64, _ completions: Int64
    ) -> [Int64] {
        pods.compactMap { pod in
            guard pod.hasFailed(spec), let index = pod.completionIndex, index < completions else { return nil }
            switch PodFailureMeaning(pod, spec.failurePolicy) {
            case .failIndex: return index
            case .count: return pod.earlierFailures >= limit ? index : nil
            case .ignore, .failJob: return nil
            }
        }
    }

    /// The pod of each index that failed last stays until the next one has taken over its number of failures.
    private static func latestFailures(
        _ pods: [KubeObject], _ spec: JobSpec, _ succeeded: CompletionIndexes, _ failed: CompletionIndexes
    ) -> Set<String> {
        var latest: [Int64: KubeObject] = [:]
        for pod in pods {
            guard let index = pod.completionIndex, !succeeded.contains(index), !failed.contains(index) else { continue }
            if let other = latest[index], other.earlierFailures > pod.earlierFailures { continue }
            // Of two with the same number the one that lives has taken over.
            if let other = latest[index], other.earlierFailures == pod.earlierFailures, !other.hasFailed(spec) {
                continue
            }
            latest[index] = pod
        }
        return Set(latest.values.filter { $0.hasFailed(spec) }.map(\.uid))
    }
}
