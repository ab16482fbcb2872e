import JSON
import KubeObjects
import Linux

/// Conditions of a status: one of each type.
struct Conditions: Equatable {
    var list: [JSONValue]

    init(_ status: JSONValue) { list = status["conditions"]?.array ?? [] }

    subscript(type: String) -> JSONValue? { list.first { $0["type"]?.string == type } }

    mutating func remove(_ type: String) { list.removeAll { $0["type"]?.string == type } }

    /// Puts a condition in unless it is there with the same status and reason. The time of its last transition stays when
    /// the status does.
    /// - Parameter touched: the kind's name for when the condition was written, if it has one: "lastUpdateTime".
    mutating func set(
        _ type: String, _ status: String, _ reason: String, _ message: String, _ now: Timestamp,
        touched: String? = nil
    ) {
        let current = self[type]
        if let current, current["status"]?.string == status, current["reason"]?.string == reason { return }
        put(type, status, reason, message, now, touched: touched)
    }

    /// Puts a condition in, whatever is there.
    mutating func put(
        _ type: String, _ status: String, _ reason: String, _ message: String, _ now: Timestamp,
        touched: String? = nil
    ) {
        let current = self[type]
        let isSame = current?["status"]?.string == status
        var condition: JSONValue = ["type": .string(type), "status": .string(status)]
        if let touched { condition[touched] = .string(now.kubeTime) }
        condition["lastTransitionTime"] =
            (isSame ? current?["lastTransitionTime"] : nil) ?? .string(now.kubeTime)
        condition["reason"] = .string(reason)
        condition["message"] = .string(message)
        remove(type)
        list.append(condition)
    }

    /// Writes them into a status; none leaves no member.
    func write(to status: inout JSONValue) { status["conditions"] = list.isEmpty ? nil : .array(list) }
}

extension JSONValue {
    /// Sets a number that is left out when it is 0, as Go's omitempty does.
    mutating func set(_ key: String, count: Int64) { self[key] = count == 0 ? nil : .integer(count) }

    func count(_ key: String) -> Int64 { self[key]?.integer ?? 0 }
}
