import JSON
import KubeObjects
import KubeSchema
import KubeStore

/// The Pod Security Standards by labels of the namespace (pod-security-admission): `enforce` refuses pods, `warn` and
/// `audit` only tell, of workloads too.
struct PodSecurity: AdmissionRule {
    enum Level: String, Comparable, Sendable {
        case privileged, baseline, restricted

        static func < (a: Level, b: Level) -> Bool { a.rank < b.rank }
        private var rank: Int { self == .privileged ? 0 : self == .baseline ? 1 : 2 }
    }

    private static let prefix = "pod-security.kubernetes.io/"

    func check(_ request: AdmissionRequest, _ view: AdmissionView) throws(APIFailure) {
        guard request.operation == .create || request.operation == .update, let namespace = request.call.namespace,
            request.call.subresource == nil || request.call.subresource == "ephemeralcontainers",
            let pod = PodTemplates.pod(request.object, request.call.kind)
        else { return }
        if let old = request.old, PodTemplates.pod(old, request.call.kind)?["spec"] == pod["spec"] { return }
        let labels = view.get(.namespaces, namespace)?.value["metadata", "labels"]
        let isPod = request.isFor(.pods) || request.call.subresource != nil
        if isPod, let (level, version) = Self.level("enforce", labels) {
            let problems = PodStandards.problems(pod, level)
            if !problems.isEmpty {
                throw request.forbidden("violates PodSecurity \("\(level.rawValue):\(version)".goQuoted): \(problems)")
            }
        }
        if let (level, version) = Self.level("warn", labels) {
            let problems = PodStandards.problems(pod, level)
            if !problems.isEmpty {
                request.call.warnings.add(
                    "would violate PodSecurity \("\(level.rawValue):\(version)".goQuoted): \(problems)")
            }
        }
    }

    /// nil for what refuses nothing.
    private static func level(_ mode: String, _ labels: JSONValue?) -> (Level, version: String)? {
        guard let text = labels?[prefix + mode]?.string else { return nil }
        // A level that does not exist is the strictest one.
        let level = Level(rawValue: text) ?? .restricted
        guard level != .privileged else { return nil }
        return (level, labels?[prefix + mode + "-version"]?.string ?? "latest")
    }
}
