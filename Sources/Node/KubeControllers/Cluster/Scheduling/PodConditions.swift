import JSON
package import KubeObjects
package import Linux

extension KubeObject {
    /// Sets a condition; the time of its last change stays when the status does.
    /// - Parameter withGeneration: pods say which generation a condition is about.
    /// - Returns: whether something changed.
    @discardableResult
    package mutating func setCondition(
        _ type: String, _ value: Bool, reason: String, message: String, now: Timestamp, withGeneration: Bool = false
    ) -> Bool {
        setCondition(
            type, status: value ? "True" : "False", reason: reason, message: message, now: now,
            withGeneration: withGeneration)
    }

    @discardableResult
    package mutating func setCondition(
        _ type: String, status state: String, reason: String, message: String, now: Timestamp,
        withGeneration: Bool = false
    ) -> Bool {
        var conditions = status["conditions"]?.array ?? []
        let index = conditions.firstIndex { $0["type"]?.string == type }
        var condition = index.map { conditions[$0] } ?? ["type": .string(type)]
        let before = condition
        if condition["status"]?.string != state {
            condition["status"] = .string(state)
            condition["lastTransitionTime"] = .string(now.kubeTime)
        }
        condition["reason"] = reason.isEmpty ? nil : .string(reason)
        condition["message"] = message.isEmpty ? nil : .string(message)
        if withGeneration, let generation = metadata.generation {
            condition["observedGeneration"] = .integer(generation)
        }
        guard condition != before else { return false }
        if let index { conditions[index] = condition } else { conditions.append(condition) }
        var changed = status
        changed["conditions"] = .array(conditions)
        status = changed
        return true
    }
}
