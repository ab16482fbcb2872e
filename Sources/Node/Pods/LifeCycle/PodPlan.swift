import JSON
package import KubeObjects
import Linux

/// When a container that ended is started again: core/v1.RestartPolicy.
package enum RestartPolicy: String, Hashable, Sendable {
    case always = "Always"
    case onFailure = "OnFailure"
    case never = "Never"
}

/// What of a pod's spec decides its life: which containers there are, in which order, and what holds for each.
package struct PodPlan: Hashable, Sendable {
    package var namespace: String
    package var name: String
    package var uid: String
    package var generation: Int64?
    /// In the order of their starts: init containers, and sidecars among them.
    package var initial: [ContainerPlan]
    package var main: [ContainerPlan]
    package var ephemeral: [ContainerPlan]
    /// Seconds between the request to end and the end by force.
    package var graceSeconds: Int
    package var activeDeadlineSeconds: Int?
    /// Types of conditions that others set.
    package var readinessGates: [String]

    /// Reads a pod; what has not the type that the schema says counts as missing.
    package init(_ pod: KubeObject) {
        namespace = pod.namespace ?? "default"
        name = pod.name
        uid = pod.uid
        generation = pod.metadata.generation
        let spec = pod.spec
        let policy = spec["restartPolicy"]?.string.flatMap(RestartPolicy.init) ?? .always
        initial = (spec["initContainers"]?.array ?? []).map { ContainerPlan($0, isInitial: true, podPolicy: policy) }
        main = (spec["containers"]?.array ?? []).map { ContainerPlan($0, isInitial: false, podPolicy: policy) }
        ephemeral = (spec["ephemeralContainers"]?.array ?? []).map { container in
            var plan = ContainerPlan(container, isInitial: false, podPolicy: .never)
            plan.role = .ephemeral
            plan.restart = .never
            return plan
        }
        graceSeconds = Self.bounded(spec["terminationGracePeriodSeconds"]?.integer, default: 30, 0...Self.longest)
        activeDeadlineSeconds = spec["activeDeadlineSeconds"]?.integer.map {
            Self.bounded($0, default: 1, 1...Self.longest)
        }
        readinessGates = (spec["readinessGates"]?.array ?? []).compactMap { $0["conditionType"]?.string }
    }

    /// All containers, in the order of their starts.
    package var all: [ContainerPlan] { initial + main + ephemeral }

    /// The longest time that anything here is waited for, in seconds: a century and a bit.
    static let longest = 1 << 32

    static func bounded(_ value: Int64?, default fallback: Int, _ range: ClosedRange<Int>) -> Int {
        min(max(value.map { Int(clamping: $0) } ?? fallback, range.lowerBound), range.upperBound)
    }
}

/// One container, as its life needs it.
package struct ContainerPlan: Hashable, Sendable {
    package enum Role: Hashable, Sendable {
        /// Runs to its end before the next one starts.
        case initial
        /// An init container that stays: the next one starts when it has started.
        case sidecar
        case main
        /// Added later, for debugging.
        case ephemeral
    }

    /// What to do for which exit codes, before the policy is asked: core/v1.ContainerRestartRule.
    package struct Rule: Hashable, Sendable {
        var codes: Set<Int64>
        var isNegated: Bool
    }

    package var name: String
    package var image: String
    package var role: Role
    package var restart: RestartPolicy
    package var rules: [Rule]
    package var startup: ProbePlan?
    package var liveness: ProbePlan?
    package var readiness: ProbePlan?
    package var hasPostStart: Bool
    package var hasPreStop: Bool
    /// `lifecycle.stopSignal`; nil: the image's, else SIGTERM.
    package var stopSignal: Int32?

    init(_ json: JSONValue, isInitial: Bool, podPolicy: RestartPolicy) {
        name = json["name"]?.string ?? ""
        image = json["image"]?.string ?? ""
        let own = json["restartPolicy"]?.string.flatMap(RestartPolicy.init)
        role = !isInitial ? .main : own == .always ? .sidecar : .initial
        // An init container of a pod that is always kept up is run again until it succeeds, and no more.
        restart = own ?? podPolicy
        if role == .initial, restart == .always { restart = .onFailure }
        rules = (json["restartPolicyRules"]?.array ?? []).compactMap { rule in
            guard rule["action"]?.string == "Restart", let codes = rule["exitCodes"] else { return nil }
            return Rule(
                codes: Set((codes["values"]?.array ?? []).compactMap(\.integer)),
                isNegated: codes["operator"]?.string == "NotIn")
        }
        startup = json["startupProbe"].map { ProbePlan($0, .startup) }
        liveness = json["livenessProbe"].map { ProbePlan($0, .liveness) }
        readiness = json["readinessProbe"].map { ProbePlan($0, .readiness) }
        hasPostStart = json["lifecycle", "postStart"]?.object != nil
        hasPreStop = json["lifecycle", "preStop"]?.object != nil
        stopSignal = json["lifecycle", "stopSignal"]?.string.flatMap(StopSignal.number(of:))
    }

    /// Whether it is started again after an end with this exit code.
    package func restarts(after exitCode: Int32) -> Bool {
        for rule in rules where rule.codes.contains(Int64(exitCode)) != rule.isNegated { return true }
        switch restart {
        case .always: return true
        case .onFailure: return exitCode != 0
        case .never: return false
        }
    }

    func probe(_ kind: ProbeKind) -> ProbePlan? {
        switch kind {
        case .startup: startup
        case .liveness: liveness
        case .readiness: readiness
        }
    }
}
