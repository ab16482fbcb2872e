internal import JSON
internal import KubeObjects
internal import KubeStore
internal import Linux

/// What one decision of the scheduler does, pod by pod.
struct SchedulingPlan {
    private let view: any ObjectView
    private let rules: PlacementRules
    private let now: Timestamp
    private let node: String
    private var leaving: Set<String> = []
    private(set) var actions: [ObjectAction] = []

    init(view: any ObjectView, now: Timestamp, node: String) {
        self.view = view
        self.now = now
        self.node = node
        rules = PlacementRules(view: view)
    }

    /// Binds a pod, or says why it waits, and keeps its place when that is being cleared.
    mutating func place(_ pod: SchedulingPod, _ room: inout NodeRoom) {
        let verdict = rules.verdict(pod, room)
        switch verdict {
        case .fits:
            room.add(pod)
            bind(pod)
        case .waitsForVolumes:
            room.add(pod)
            for var claim in ClaimRules(view: view).unselected(pod, node: node) {
                claim.metadata.annotations[ClaimRules.selectedNode] = node
                actions.append(.update(.persistentVolumeClaims, claim))
            }
        case .refused(_, isHopeless: false): preempt(pod, &room, verdict)
        case .refused, .impossible:
            report(pod, (verdict.message ?? "") + " preemption: " + verdict.preemptionMessage)
        }
    }

    private mutating func bind(_ pod: SchedulingPod) {
        // The server writes the node and the condition PodScheduled at once, if the pod is on no node yet.
        var bound = pod.object
        bound.spec["nodeName"] = .string(node)
        actions.append(.update(.pods, bound, subresource: "binding"))
        let message = "Successfully assigned \(pod.namespace)/\(pod.name) to \(node)"
        actions.append(.event(pod.object, .pods, type: "Normal", reason: "Scheduled", message: message))
    }

    private mutating func preempt(_ pod: SchedulingPod, _ room: inout NodeRoom, _ verdict: PlacementVerdict) {
        let message = verdict.message ?? ""
        guard pod.object.spec["preemptionPolicy"]?.string != "Never" else {
            return report(pod, message + " preemption: not eligible due to preemptionPolicy=Never.")
        }
        let isNominated = pod.object.status["nominatedNodeName"]?.string == node
        if isNominated, room.pods.values.contains(where: { isBeingCleared($0, for: pod) }) {
            // It was told what it waits for when the others were.
            room.add(pod, isExpected: true)
            return
        }
        guard let victims = Preemption(view: view, rules: rules).victims(for: pod, in: room) else {
            return report(pod, message + " preemption: " + verdict.preemptionMessage)
        }
        for victim in victims { driveOut(victim, for: pod) }
        room.add(pod, isExpected: true)
        report(pod, message, nominated: true)
    }

    private func isBeingCleared(_ victim: SchedulingPod, for pod: SchedulingPod) -> Bool {
        let condition = victim.object.condition("DisruptionTarget")
        return victim.isTerminating && victim.priority < pod.priority && condition?["status"]?.string == "True"
            && condition?["reason"]?.string == "PreemptionByScheduler"
    }

    /// The victim ends as when it is deleted: in its grace period.
    private mutating func driveOut(_ victim: SchedulingPod, for pod: SchedulingPod) {
        guard !victim.isTerminating, leaving.insert(victim.uid).inserted else { return }
        var object = victim.object
        let isChanged = object.setCondition(
            "DisruptionTarget", true, reason: "PreemptionByScheduler",
            message: "default-scheduler: preempting to accommodate a higher priority pod", now: now,
            withGeneration: true)
        if isChanged { actions.append(.update(.pods, object, subresource: "status")) }
        actions.append(
            .delete(.pods, namespace: victim.namespace, name: victim.name, DeletionOptions(uid: victim.uid)))
        let message = "Preempted by pod \(pod.uid) on node \(node)"
        actions.append(.event(victim.object, .pods, type: "Normal", reason: "Preempted", message: message))
    }

    /// Writes why a pod waits into its condition, and tells it, when that is news.
    mutating func report(_ pod: SchedulingPod, _ message: String, nominated: Bool = false) {
        var object = pod.object
        var isChanged = object.setCondition(
            "PodScheduled", false, reason: "Unschedulable", message: message, now: now, withGeneration: true)
        let isNews = isChanged
        let wanted: JSONValue? = nominated ? .string(node) : nil
        if object.status["nominatedNodeName"] != wanted {
            var status = object.status
            status["nominatedNodeName"] = wanted
            object.status = status
            isChanged = true
        }
        guard isChanged else { return }
        actions.append(.update(.pods, object, subresource: "status"))
        guard isNews else { return }
        actions.append(.event(pod.object, .pods, type: "Warning", reason: "FailedScheduling", message: message))
    }
}
