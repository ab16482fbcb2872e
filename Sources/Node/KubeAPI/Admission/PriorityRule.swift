import JSON
import KubeObjects
import KubeStore

/// Turns the name of a priority class into numbers (plugin/priority).
struct PriorityRule: AdmissionRule {
    func change(_ request: inout AdmissionRequest, _ view: AdmissionView) throws(APIFailure) {
        guard request.operation == .create, request.isFor(.pods) else { return }
        let name = request.object["spec", "priorityClassName"]?.string ?? ""
        var (priority, policy) = (Int64(0), "PreemptLowerPriority")
        let found = name.isEmpty ? usual(view) : view.get(.priorityClasses, name)?.value
        if let found {
            priority = found["value"]?.integer ?? 0
            policy = found["preemptionPolicy"]?.string ?? policy
            if name.isEmpty { request.object["spec", "priorityClassName"] = found["metadata", "name"] }
        } else if !name.isEmpty {
            throw request.forbidden("no PriorityClass with name \(name) was found")
        }
        if let said = request.object["spec", "priority"]?.integer, said != priority {
            throw request.forbidden(
                "the integer value of priority (\(said)) must not be provided in pod spec; priority admission controller "
                    + "computed \(priority) from the given PriorityClass name")
        }
        if let said = request.object["spec", "preemptionPolicy"]?.string, said != policy {
            throw request.forbidden(
                "the string value of PreemptionPolicy (\(said)) must not be provided in pod spec; priority admission "
                    + "controller computed \(policy) from the given PriorityClass name")
        }
        request.object["spec", "priority"] = .integer(priority)
        request.object["spec", "preemptionPolicy"] = .string(policy)
    }

    /// The class of pods that name none: of several the one with the least value.
    private func usual(_ view: AdmissionView) -> JSONValue? {
        view.objects(.priorityClasses).map(\.value).filter { $0["globalDefault"]?.bool == true }
            .min { ($0["value"]?.integer ?? 0) < ($1["value"]?.integer ?? 0) }
    }

    func check(_ request: AdmissionRequest, _ view: AdmissionView) throws(APIFailure) {
        guard request.operation != .delete, request.isFor(.priorityClasses),
            request.object["globalDefault"]?.bool == true
        else { return }
        for other in view.objects(.priorityClasses)
        where other.key.name != request.name && other.value["globalDefault"]?.bool == true {
            throw request.forbidden(
                "PriorityClass \(other.key.name) is already marked as default. Only one default can exist")
        }
    }
}
