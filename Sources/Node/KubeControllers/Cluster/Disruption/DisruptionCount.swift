internal import JSON
internal import KubeObjects
internal import KubeSchema
internal import KubeStore
internal import Linux

/// What a disruption budget comes to with the pods there are (policy/v1.PodDisruptionBudgetStatus).
struct DisruptionCount {
    private var expected: Int64 = 0
    private var desired: Int64 = 0
    private var healthy: Int64 = 0
    private var disrupted: [String: JSONValue] = [:]
    private var failure: String?
    private var unmanaged: [String] = []
    private let hasPods: Bool
    /// When an eviction that did not happen is to be forgotten.
    private(set) var recheck: Linux.Timestamp?

    init(_ budget: KubeObject, _ pods: [KubeObject], view: any ObjectView, now: Linux.Timestamp) {
        hasPods = !pods.isEmpty
        expect(budget, pods, view)
        for pod in pods where !pod.isBeingDeleted {
            if let text = budget.status["disruptedPods"]?[pod.name]?.string, let time = Linux.Timestamp(text) {
                let end = time.later(bySeconds: DisruptionController.deletionTimeout)
                if end > now {
                    disrupted[pod.name] = .string(text)
                    recheck = recheck.map { min($0, end) } ?? end
                    continue
                }
            }
            if ServicePods.isReady(pod.json) { healthy += 1 }
        }
    }

    private mutating func expect(_ budget: KubeObject, _ pods: [KubeObject], _ view: any ObjectView) {
        let (most, least) = (budget.spec["maxUnavailable"], budget.spec["minAvailable"])
        if let least = least?.integer, most?.isNull ?? true {
            (desired, expected) = (least, Int64(pods.count))
            return
        }
        let scale = ExpectedPods(of: pods, in: view)
        (expected, unmanaged, failure) = (scale.count, scale.unmanaged, scale.failure)
        if let most, !most.isNull {
            guard let allowed = Self.scaled(most, of: expected) else { return fail("maxUnavailable") }
            desired = max(0, expected.addingClamped(-max(0, allowed)))
        } else if let least, !least.isNull {
            guard let wanted = Self.scaled(least, of: expected) else { return fail("minAvailable") }
            desired = wanted
        }
    }

    private mutating func fail(_ field: String) { failure = failure ?? "\(field) is neither a number nor a percentage" }

    /// A number, or a part of all rounded up.
    private static func scaled(_ value: JSONValue, of all: Int64) -> Int64? {
        if let number = value.integer { return number }
        guard let text = value.string, text.hasSuffix("%"), let percent = Int64(text.dropLast()), percent >= 0,
            percent <= 1_000_000
        else { return nil }
        let (product, overflow) = percent.multipliedReportingOverflow(by: all)
        return overflow ? nil : (product.addingClamped(99)) / 100
    }

    private var allowed: Int64 { failure != nil || expected <= 0 ? 0 : max(0, healthy - desired) }

    func status(of budget: KubeObject, now: Linux.Timestamp) -> JSONValue {
        var object = budget
        var status = budget.status
        if let failure {
            // The counts stay as they were known last.
            status["disruptionsAllowed"] = 0
            object.status = status
            set(&object, "False", "SyncFailed", failure, now)
            return object.status
        }
        status["observedGeneration"] = budget.metadata.generation.map { .integer($0) }
        // A plain nil would be JSON's null here.
        status["disruptedPods"] = disrupted.isEmpty ? Optional.none : disrupted.json
        status["disruptionsAllowed"] = .integer(allowed)
        status["currentHealthy"] = .integer(healthy)
        status["desiredHealthy"] = .integer(desired)
        status["expectedPods"] = .integer(expected)
        object.status = status
        set(&object, allowed > 0 ? "True" : "False", allowed > 0 ? "SufficientPods" : "InsufficientPods", "", now)
        return object.status
    }

    /// metav1.Condition always has a message.
    private func set(
        _ object: inout KubeObject, _ state: String, _ reason: String, _ message: String, _ now: Linux.Timestamp
    ) {
        let type = "DisruptionAllowed"
        let before = object.condition(type)
        var condition: JSONValue = ["type": .string(type), "status": .string(state)]
        condition["observedGeneration"] = object.metadata.generation.map { .integer($0) }
        condition["lastTransitionTime"] =
            (before?["status"]?.string == state ? before?["lastTransitionTime"] : nil) ?? .string(now.kubeTime)
        condition["reason"] = .string(reason)
        condition["message"] = .string(message)
        var others = (object.status["conditions"]?.array ?? []).filter { $0["type"]?.string != type }
        others.append(condition)
        var status = object.status
        status["conditions"] = .array(others)
        object.status = status
    }

    /// Type, reason and message.
    func events(_ budget: KubeObject) -> [(String, String, String)] {
        var events: [(String, String, String)] = []
        if !hasPods { events.append(("Normal", "NoPods", "No matching pods found")) }
        if let failure {
            events.append(
                (
                    "Warning", "CalculateExpectedPodCountFailed",
                    "Failed to calculate the number of expected pods: \(failure)"
                ))
        }
        if !unmanaged.isEmpty {
            let selector = (try? LabelSelector(object: budget.spec["selector"]))?.description ?? ""
            events.append(
                (
                    "Warning", "UnmanagedPods",
                    "Pods selected by this PodDisruptionBudget (selector: \(selector)) were found to be unmanaged. As a "
                        + "result, the status of the PDB cannot be calculated correctly, which may result in undefined "
                        + "behavior. To account for these pods please set \".spec.minAvailable\" field of the PDB to an "
                        + "integer value."
                ))
        }
        return events
    }
}
