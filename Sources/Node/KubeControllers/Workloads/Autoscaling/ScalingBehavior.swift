import JSON
import Linux

/// How fast the number of pods may change: stabilisation and policies of both directions.
struct ScalingBehavior {
    struct Outcome: Equatable {
        var replicas: Int64
        /// For the conditions AbleToScale and ScalingLimited; nil when nothing held it back.
        var stabilized: (reason: String, message: String)?
        var limited: (reason: String, message: String)?

        static func == (a: Outcome, b: Outcome) -> Bool {
            a.replicas == b.replicas && a.stabilized?.reason == b.stabilized?.reason
                && a.limited?.reason == b.limited?.reason
        }
    }

    private static let upDefault: JSONValue = [
        "stabilizationWindowSeconds": 0, "selectPolicy": "Max",
        "policies": [
            ["type": "Pods", "value": 4, "periodSeconds": 15], ["type": "Percent", "value": 100, "periodSeconds": 15],
        ],
    ]
    private static let downDefault: JSONValue = [
        "stabilizationWindowSeconds": 300, "selectPolicy": "Max",
        "policies": [["type": "Percent", "value": 100, "periodSeconds": 15]],
    ]

    let up: JSONValue
    let down: JSONValue
    let least: Int64
    let most: Int64

    init(_ spec: JSONValue, least: Int64, most: Int64) {
        up = Self.merged(spec["behavior", "scaleUp"], Self.upDefault)
        down = Self.merged(spec["behavior", "scaleDown"], Self.downDefault)
        self.least = least
        self.most = most
    }

    private static func merged(_ rules: JSONValue?, _ defaults: JSONValue) -> JSONValue {
        var merged = defaults
        for member in rules?.object?.members ?? [] where !member.value.isNull { merged[member.key] = member.value }
        return merged
    }

    /// Of the ratio of usage to target, from 1, in which nothing changes.
    func tolerance(_ rules: JSONValue) -> Double {
        rules["tolerance"]?.string.flatMap { Double($0) } ?? rules["tolerance"]?.double ?? 0.1
    }

    /// - Parameter wanted: by the metrics, of which the memory has the earlier ones.
    func apply(_ wanted: Int64, current: Int64, _ memory: AutoscalerMemory.Record, _ now: Timestamp) -> Outcome {
        var outcome = stabilize(wanted, current, memory, now)
        let stable = outcome.replicas
        if stable > current {
            let (limit, isDisabled) = upLimit(current, memory, now)
            bound(
                &outcome, isDisabled ? current : max(limit, current), rate: "ScaleUpLimit", "increasing", upward: true)
            if outcome.replicas > most {
                outcome.replicas = most
                outcome.limited = (
                    "TooManyReplicas", "the desired replica count is more than the maximum replica count"
                )
            }
        } else if stable < current {
            let (limit, isDisabled) = downLimit(current, memory, now)
            bound(
                &outcome, isDisabled ? current : min(limit, current), rate: "ScaleDownLimit", "decreasing",
                upward: false)
            if outcome.replicas < least {
                outcome.replicas = least
                outcome.limited = ("TooFewReplicas", "the desired replica count is less than the minimum replica count")
            }
        } else {
            if stable > most { outcome.replicas = most }
            if stable < least { outcome.replicas = least }
        }
        return outcome
    }

    private func bound(_ outcome: inout Outcome, _ limit: Int64, rate: String, _ verb: String, upward: Bool) {
        guard upward ? outcome.replicas > limit : outcome.replicas < limit else { return }
        outcome.replicas = limit
        outcome.limited = (rate, "the desired replica count is \(verb) faster than the maximum scale rate")
    }

    private func stabilize(
        _ wanted: Int64, _ current: Int64, _ memory: AutoscalerMemory.Record, _ now: Timestamp
    ) -> Outcome {
        let lowest = recent(up, memory, now).min().map { min($0, wanted) } ?? wanted
        let highest = recent(down, memory, now).max().map { max($0, wanted) } ?? wanted
        var replicas = current
        if replicas < lowest { replicas = lowest }
        if replicas > highest { replicas = highest }
        guard replicas != wanted else { return Outcome(replicas: wanted) }
        let isUp = wanted > replicas
        return Outcome(
            replicas: replicas,
            stabilized: (
                isUp ? "ScaleUpStabilized" : "ScaleDownStabilized",
                isUp
                    ? "recent recommendations were lower than current one, applying the lowest recent recommendation"
                    : "recent recommendations were higher than current one, applying the highest recent recommendation"
            ))
    }

    private func recent(_ rules: JSONValue, _ memory: AutoscalerMemory.Record, _ now: Timestamp) -> [Int64] {
        let border = now.adding(seconds: -(rules["stabilizationWindowSeconds"]?.integer ?? 0))
        return memory.recommendations.filter { $0.at > border }.map(\.replicas)
    }

    private func upLimit(_ current: Int64, _ memory: AutoscalerMemory.Record, _ now: Timestamp) -> (Int64, Bool) {
        limit(up, now, isUp: true) { value, isPercent, border in
            let start = current - memory.changes.filter { $0.at > border && $0.pods > 0 }.reduce(0) { $0 + $1.pods }
            guard isPercent else { return start + value }
            return Int64((Double(start) * (1 + Double(value) / 100)).rounded(.up))
        }
    }

    private func downLimit(_ current: Int64, _ memory: AutoscalerMemory.Record, _ now: Timestamp) -> (Int64, Bool) {
        limit(down, now, isUp: false) { value, isPercent, border in
            let start = current - memory.changes.filter { $0.at > border && $0.pods < 0 }.reduce(0) { $0 + $1.pods }
            guard isPercent else { return start - value }
            return Int64((Double(start) * (1 - Double(value) / 100)).rounded(.down))
        }
    }

    /// What the policies allow; "Max" takes the one that allows the largest change.
    private func limit(
        _ rules: JSONValue, _ now: Timestamp, isUp: Bool, _ size: (Int64, Bool, Timestamp) -> Int64
    ) -> (Int64, isDisabled: Bool) {
        let select = rules["selectPolicy"]?.string ?? "Max"
        guard select != "Disabled" else { return (0, true) }
        let sizes = (rules["policies"]?.array ?? []).map { policy in
            let border = now.adding(seconds: -(policy["periodSeconds"]?.integer ?? 15))
            return size(policy["value"]?.integer ?? 0, policy["type"]?.string == "Percent", border)
        }
        let takesLarger = (select == "Min") != isUp
        return ((takesLarger ? sizes.max() : sizes.min()) ?? (isUp ? Int64(Int32.max) : 0), false)
    }
}
