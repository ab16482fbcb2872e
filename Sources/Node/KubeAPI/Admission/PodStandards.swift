import JSON

/// What of a pod the Pod Security Standards do not allow, in the words of pod-security-admission/policy. Pure.
///
/// Invariant: whatever `baseline` refuses `restricted` refuses too. (test: `the stricter standard refuses more`)
struct PodStandards {
    let spec: JSONValue
    let annotations: JSONValue?
    let containers: [JSONValue]

    init(_ pod: JSONValue) {
        spec = pod["spec"] ?? [:]
        annotations = pod["metadata", "annotations"]
        containers = PodTemplates.containers(spec, ["initContainers", "containers", "ephemeralContainers"])
    }

    struct Problem {
        var id: String
        var reason: String
        var detail: String
    }

    /// Empty when all is allowed: `privileged (container "c" must not set securityContext.privileged=true), ...`
    static func problems(_ pod: JSONValue, _ level: PodSecurity.Level) -> String {
        let standards = PodStandards(pod)
        var problems = standards.baseline
        if level == .restricted {
            let stricter = standards.restricted
            let replaced: Set<String> = ["capabilities_baseline", "hostPathVolumes", "seccompProfile_baseline"]
            problems = (problems.filter { !replaced.contains($0.id) } + stricter)
        }
        guard level != .privileged else { return "" }
        return problems.map { "\($0.reason) (\($0.detail))" }.joined(separator: ", ")
    }

    // MARK: Words

    func names(_ containers: [JSONValue]) -> String {
        let names = containers.map { ($0["name"]?.string ?? "").goQuoted }.joined(separator: ", ")
        return (containers.count == 1 ? "container " : "containers ") + names
    }

    func list(_ texts: [String]) -> String {
        Set(texts).sorted().map(\.goQuoted).joined(separator: ", ")
    }

    func those(_ holds: (JSONValue) -> Bool) -> [JSONValue] { containers.filter(holds) }

    func context(_ container: JSONValue, _ field: String) -> JSONValue? { container["securityContext", field] }
}
