import JSON
import KubeObjects
import KubeSchema
import Linux

/// The pods of a scale target, sorted by how far their metrics can be counted on.
struct PodGroups {
    static let startPeriod = Duration.seconds(300)
    static let readinessDelay = Duration.seconds(30)

    /// Values of pods that count, in thousandths.
    var counted: [String: Int128] = [:]
    var ready = 0
    /// Just started: what they use says little.
    var unready: [String] = []
    var missing: [String] = []

    /// - Parameters:
    ///   - values: by pod, in thousandths.
    ///   - usage: when they were measured; nil for metrics for which a start is nothing special.
    init(_ pods: [KubeObject], _ values: [String: Int128], usage: [String: PodUsage]?, _ now: Linux.Timestamp) {
        for pod in pods where !pod.isBeingDeleted && pod.phase != "Failed" && pod.phase != "Succeeded" {
            if pod.phase == "Pending" || pod.phase.isEmpty {
                unready.append(pod.name)
            } else if let value = values[pod.name] {
                if let usage, Self.isStarting(pod, usage[pod.name], now) {
                    unready.append(pod.name)
                } else {
                    ready += 1
                    counted[pod.name] = value
                }
            } else {
                missing.append(pod.name)
            }
        }
    }

    private static func isStarting(_ pod: KubeObject, _ usage: PodUsage?, _ now: Linux.Timestamp) -> Bool {
        guard let ready = pod.condition("Ready"), let usage,
            let start = pod.status["startTime"]?.string.flatMap({ Linux.Timestamp($0) })
        else { return true }
        let changed = ready["lastTransitionTime"]?.string.flatMap { Linux.Timestamp($0) } ?? start
        let isReady = ready["status"]?.string == "True"
        if start.adding(startPeriod) > now { return !isReady || usage.measured < changed.adding(usage.window) }
        return !isReady && start.adding(readinessDelay) > changed
    }
}
