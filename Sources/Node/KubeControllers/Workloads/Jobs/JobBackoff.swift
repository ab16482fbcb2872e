import KubeObjects
import Linux

/// How long a Job waits after failures: 10 s, doubled with each failure in a row, up to 10 min.
enum JobBackoff {
    static let first = Duration.seconds(10)
    static let longest = Duration.seconds(600)

    static func delay(failures: Int64) -> Duration {
        failures <= 0 ? .zero : min(longest, first * (1 << min(failures - 1, 10)))
    }

    /// When the next pod may be made, by the failures since the last success; nil: at once.
    static func next(after pods: [KubeObject], _ spec: JobSpec, _ now: Timestamp) -> Timestamp? {
        let successes = pods.filter { $0.phase == "Succeeded" }.map { $0.ended(now) }
        let lastSuccess = successes.max()
        // A pod that is deleted without having failed may have been in the way: it counts only while it is counted.
        let failed = pods.filter { $0.phase == "Failed" || $0.isTracked && $0.hasFailed(spec) }
        let failures = failed.filter { PodFailureMeaning($0, spec.failurePolicy) != .ignore }
            .map { $0.ended(now) }.filter { failure in lastSuccess.map { failure > $0 } ?? true }
        guard let last = failures.max() else { return nil }
        return last.adding(delay(failures: Int64(failures.count)))
    }

    /// When the next pod of an index may be made, by the one that failed last.
    static func next(ofIndexAfter pod: KubeObject, _ now: Timestamp) -> Timestamp {
        pod.ended(now).adding(delay(failures: pod.earlierFailures + 1))
    }
}
