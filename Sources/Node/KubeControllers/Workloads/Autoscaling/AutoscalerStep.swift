import JSON
import KubeObjects
import KubeSchema
import KubeStore
import Linux

/// One look of an autoscaler: what it has to do now.
struct AutoscalerStep {
    let autoscaler: KubeObject
    let view: any ObjectView
    let kinds: (any KindCatalog)?
    let source: any MetricsSource
    let memory: AutoscalerMemory
    let now: Linux.Timestamp
    var status: JSONValue
    var conditions: Conditions
    var actions: [ObjectAction] = []

    init(
        of autoscaler: KubeObject, in view: any ObjectView, _ kinds: (any KindCatalog)?, _ source: any MetricsSource,
        _ memory: AutoscalerMemory, _ now: Linux.Timestamp
    ) {
        self.autoscaler = autoscaler
        self.view = view
        self.kinds = kinds
        self.source = source
        self.memory = memory
        self.now = now
        status = autoscaler.status
        conditions = Conditions(autoscaler.status)
    }

    private var least: Int64 { max(0, autoscaler.spec["minReplicas"]?.integer ?? 1) }
    private var most: Int64 { max(0, autoscaler.spec["maxReplicas"]?.integer ?? 1) }

    mutating func run() {
        status["observedGeneration"] = .integer(autoscaler.metadata.generation ?? 0)
        guard let target = self.target() else { return write() }
        set("AbleToScale", "True", "SucceededGetScale", "the HPA controller was able to get the target's current scale")
        let current = target.wanted
        status["currentReplicas"] = .integer(target.current)
        guard let (size, reason) = self.size(target, current) else { return write() }
        status["desiredReplicas"] = .integer(size)
        if size != current { rescale(target, from: current, to: size, reason) }
        write()
    }

    private mutating func set(_ type: String, _ status: String, _ reason: String, _ message: String) {
        let current = conditions[type]
        if current?["status"]?.string == status, current?["reason"]?.string == reason,
            current?["message"]?.string == message
        {
            return
        }
        conditions.put(type, status, reason, message, now)
    }

    private mutating func say(_ reason: String, _ message: String, type: String = "Normal") {
        actions.append(.event(autoscaler, .horizontalPodAutoscalers, type: type, reason: reason, message: message))
    }

    // MARK: The target

    private mutating func target() -> ScaleTarget? {
        let reference = autoscaler.spec["scaleTargetRef"]
        let (kind, name) = (reference?["kind"]?.string ?? "", reference?["name"]?.string ?? "")
        let found = ScaleTarget.find(reference, namespace: autoscaler.namespace, in: view, kinds)
        if let target = found.target { return target }
        let why =
            found.resource.map { "\($0) \"\(name)\" not found" }
            ?? "no kind \"\(kind)\" that can be scaled is served here"
        set(
            "AbleToScale", "False", "FailedGetScale",
            "the HPA controller was unable to get the target's current scale: \(why)")
        say("FailedGetScale", why, type: "Warning")
        return nil
    }

    private func pods(_ target: ScaleTarget, _ selector: LabelSelector) -> [KubeObject] {
        view.objects(.pods, namespace: target.object.namespace).map { KubeObject($0) }
            .filter { selector.matches($0.json["metadata", "labels"]) }.sorted { $0.name < $1.name }
    }

    // MARK: The size

    private mutating func size(_ target: ScaleTarget, _ current: Int64) -> (Int64, String)? {
        if current == 0, least != 0 {
            set(
                "ScalingActive", "False", "ScalingDisabled",
                "scaling is disabled since the replica count of the target is zero")
            return (0, "")
        }
        if current > most { return (most, "Current number of replicas above Spec.MaxReplicas") }
        if current < least { return (least, "Current number of replicas below Spec.MinReplicas") }
        let behavior = ScalingBehavior(autoscaler.spec, least: least, most: most)
        guard let (wanted, metric) = self.wanted(target, current, behavior) else { return nil }
        let record = memory.record(autoscaler.uid, now)
        memory.recommend(autoscaler.uid, wanted, now)
        let outcome = behavior.apply(wanted, current: current, record, now)
        tell(outcome, wanted)
        return (outcome.replicas, outcome.replicas > current ? "\(metric) above target" : "All metrics below target")
    }

    /// The largest number that a metric asks for; nil when none can be counted on.
    private mutating func wanted(
        _ target: ScaleTarget, _ current: Int64, _ behavior: ScalingBehavior
    ) -> (Int64, String)? {
        guard let selector = target.selector else {
            let message = "the HPA target's scale is missing a selector"
            set("ScalingActive", "False", "InvalidSelector", message)
            say("SelectorRequired", "selector is required", type: "Warning")
            return nil
        }
        let pods = self.pods(target, selector)
        let tolerated = max(0, 1 - behavior.tolerance(behavior.down))...(1 + behavior.tolerance(behavior.up))
        var best: MetricReading.Proposal?
        var failure: MetricFailure?
        var statuses: [JSONValue] = []
        for metric in autoscaler.spec["metrics"]?.array ?? [] {
            let reading = MetricReading(
                spec: metric, pods: pods, namespace: autoscaler.namespace ?? "default", current: current,
                source: source,
                tolerated: tolerated, now: now)
            do throws(MetricFailure) {
                let proposal = try reading.proposal()
                statuses.append(proposal.status)
                if proposal.replicas > best?.replicas ?? -1 { best = proposal }
            } catch { failure = failure ?? error }
        }
        status["currentMetrics"] = statuses.isEmpty ? nil : .array(statuses)
        // With one metric missing only growing is safe.
        if let failure, best.map({ $0.replicas <= current }) ?? true {
            set(
                "ScalingActive", "False", failure.reason,
                "the HPA was unable to compute the replica count: \(failure.message)")
            say(failure.reason, failure.message, type: "Warning")
            return nil
        }
        guard let best else { return nil }
        set(
            "ScalingActive", "True", "ValidMetricFound",
            "the HPA was able to successfully calculate a replica count from \(best.name)")
        return (best.replicas, best.name)
    }

    private mutating func tell(_ outcome: ScalingBehavior.Outcome, _ wanted: Int64) {
        if let (reason, message) = outcome.stabilized {
            set("AbleToScale", "True", reason, message)
        } else {
            set("AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size")
        }
        if let (reason, message) = outcome.limited {
            set("ScalingLimited", "True", reason, message)
        } else {
            set("ScalingLimited", "False", "DesiredWithinRange", "the desired count is within the acceptable range")
        }
    }

    private mutating func rescale(
        _ target: ScaleTarget, from current: Int64, to size: Int64, _ reason: String
    ) {
        actions.append(.update(target.resource, target.scaled(to: size)))
        say("SuccessfulRescale", "New size: \(size); reason: \(reason)")
        memory.change(autoscaler.uid, by: size - current, now)
        set(
            "AbleToScale", "True", "SucceededRescale",
            "the HPA controller was able to update the target scale to \(size)")
        status["lastScaleTime"] = .string(now.kubeTime)
    }

    private mutating func write() {
        conditions.write(to: &status)
        guard status != autoscaler.status else { return }
        var changed = autoscaler
        changed.status = status
        actions.append(.update(.horizontalPodAutoscalers, changed, subresource: "status"))
    }
}
