import JSON
import KubeObjects
import KubeSchema
import KubeStore
import Linux

/// Why a metric gave no number of pods.
struct MetricFailure: Error, Equatable {
    /// Of the condition ScalingActive: "FailedGetResourceMetric".
    var reason: String
    var message: String
}

/// One metric of an autoscaler: how many pods it asks for.
struct MetricReading {
    struct Proposal: Equatable {
        var replicas: Int64
        /// As messages name the metric: "cpu resource utilization (percentage of request)".
        var name: String
        /// The entry of `currentMetrics`.
        var status: JSONValue
    }

    let spec: JSONValue
    let pods: [KubeObject]
    let namespace: String
    let current: Int64
    let source: any MetricsSource
    /// Ratios of usage to target in which nothing changes.
    let tolerated: ClosedRange<Double>
    let now: Linux.Timestamp

    func proposal() throws(MetricFailure) -> Proposal {
        let type = spec["type"]?.string ?? ""
        switch type {
        case "Resource": return try resource(spec["resource"] ?? [:], container: nil, "FailedGetResourceMetric")
        case "ContainerResource":
            let metric = spec["containerResource"] ?? [:]
            return try resource(
                metric, container: metric["container"]?.string ?? "", "FailedGetContainerResourceMetric")
        case "Pods": return try podsMetric(spec["pods"] ?? [:])
        case "Object": return try objectMetric(spec["object"] ?? [:])
        case "External": return try externalMetric(spec["external"] ?? [:])
        default:
            throw MetricFailure(reason: "InvalidMetricSourceType", message: "unknown metric source type \"\(type)\"")
        }
    }

    private func milli(_ quantity: Quantity) -> Int128 { Int128(quantity.milliValue) }

    private func target(_ metric: JSONValue, _ field: String) -> Int128? {
        guard let value = metric["target"]?[field] else { return nil }
        let text = value.string ?? value.integer.map(String.init) ?? ""
        return (try? Quantity(text)).map(milli).flatMap { $0 > 0 ? $0 : nil }
    }

    private func quantity(_ milli: Int128) -> JSONValue {
        .string(Quantity(thousandths: Int64(clamping: milli)).description)
    }

    private func selector(_ metric: JSONValue) -> LabelSelector {
        guard let selector = metric["metric"]?["selector"], !selector.isNull else { return .everything }
        return (try? LabelSelector(object: selector)) ?? .nothing
    }

    // MARK: CPU and memory

    private func resource(
        _ metric: JSONValue, container: String?, _ reason: String
    ) throws(MetricFailure) -> Proposal {
        let name = metric["name"]?.string ?? ""
        let usage = source.usage(namespace: namespace)
        var values: [String: Int128] = [:]
        for pod in pods {
            guard let measured = usage[pod.name] else { continue }
            let amounts = measured.containers.filter { container == nil || $0.key == container }.compactMap {
                $0.value[name]
            }
            guard !amounts.isEmpty else { continue }
            values[pod.name] = amounts.reduce(0) { $0 + milli($1) }
        }
        let groups = PodGroups(pods, values, usage: name == "cpu" ? usage : nil, now)
        guard !groups.counted.isEmpty else {
            throw MetricFailure(
                reason: reason,
                message:
                    "failed to get \(name) utilization: did not receive metrics for targeted pods (pods might be unready)"
            )
        }
        let total = groups.counted.values.reduce(0, +)
        let average = total / Int128(groups.counted.count)
        var found: JSONValue = ["averageValue": quantity(average)]
        var entry: JSONValue = ["name": .string(name)]
        if let container { entry["container"] = .string(container) }
        let replicas: Int64
        let title: String
        let place = container == nil ? "resource" : "container resource"
        if let percent = metric["target", "averageUtilization"]?.integer, percent > 0 {
            let requests = try self.requests(name, container, reason)
            let wanted = groups.counted.keys.reduce(Int128(0)) { $0 + (requests[$1] ?? 0) }
            guard wanted > 0 else {
                throw MetricFailure(reason: reason, message: "no metrics returned matched known pods")
            }
            found["averageUtilization"] = .integer(Int64(clamping: total * 100 / wanted))
            replicas = size(
                groups, target: { requests[$0, default: 0] * Int128(percent) / 100 },
                // One without a metric counts as busy as it should be, when fewer pods are wanted.
                busy: { requests[$0, default: 0] * Int128(max(100, percent)) / 100 })
            title = "\(name) \(place) utilization (percentage of request)"
        } else if let each = target(metric, "averageValue") {
            replicas = size(groups, target: { _ in each }, busy: { _ in each })
            title = "\(name) \(place)"
        } else {
            throw MetricFailure(
                reason: reason,
                message: "invalid resource metric source: neither a utilization target nor a value target was set")
        }
        entry["current"] = found
        let key = container == nil ? "resource" : "containerResource"
        return Proposal(
            replicas: replicas, name: title,
            status: ["type": .string(container == nil ? "Resource" : "ContainerResource"), key: entry])
    }

    private func requests(
        _ name: String, _ container: String?, _ reason: String
    ) throws(MetricFailure) -> [String: Int128] {
        var requests: [String: Int128] = [:]
        for pod in pods {
            var sum: Int128 = 0
            for each in pod.spec["containers"]?.array ?? [] where container == nil || each["name"]?.string == container
            {
                let value = each["resources", "requests"]?[name]
                guard let text = value?.string ?? value?.integer.map(String.init), let amount = try? Quantity(text)
                else {
                    throw MetricFailure(
                        reason: reason,
                        message:
                            "failed to get \(name) utilization: missing request for \(name) in container \(each["name"]?.string ?? "") of Pod \(pod.name)"
                    )
                }
                sum += milli(amount)
            }
            requests[pod.name] = sum
        }
        return requests
    }

    /// How many pods would bring the usage to its target. What is not known is assumed against a change: pods without a
    /// metric are idle when more are wanted, and busy when fewer are.
    private func size(_ groups: PodGroups, target: (String) -> Int128, busy: (String) -> Int128) -> Int64 {
        func ratio(_ values: [String: Int128]) -> Double {
            let wanted = values.keys.reduce(Int128(0)) { $0 + target($1) }
            return wanted > 0 ? Double(values.values.reduce(0, +)) / Double(wanted) : 1
        }
        let first = ratio(groups.counted)
        let startsMatter = !groups.unready.isEmpty && first > 1
        guard startsMatter || !groups.missing.isEmpty else {
            return tolerated.contains(first) ? current : Self.up(first * Double(groups.ready))
        }
        var values = groups.counted
        for pod in groups.missing { values[pod] = first < 1 ? busy(pod) : 0 }
        if startsMatter { for pod in groups.unready { values[pod] = 0 } }
        let second = ratio(values)
        if tolerated.contains(second) || (first < 1) != (second < 1) { return current }
        let replicas = Self.up(second * Double(values.count))
        // The other direction would be a change out of what is not known.
        if second < 1 && replicas > current || second > 1 && replicas < current { return current }
        return replicas
    }

    private static func up(_ value: Double) -> Int64 { Int64(min(max(0, value.rounded(.up)), Double(Int32.max))) }

    // MARK: Other metrics

    private func podsMetric(_ metric: JSONValue) throws(MetricFailure) -> Proposal {
        let name = metric["metric", "name"]?.string ?? ""
        let values = source.podMetric(name, selector: selector(metric), namespace: namespace).mapValues(milli)
        let groups = PodGroups(pods, values, usage: nil, now)
        guard let each = target(metric, "averageValue"), !groups.counted.isEmpty else {
            throw MetricFailure(
                reason: "FailedGetPodsMetric",
                message:
                    "unable to get metric \(name): did not receive metrics for targeted pods (pods might be unready)")
        }
        let average = groups.counted.values.reduce(0, +) / Int128(groups.counted.count)
        let replicas = size(groups, target: { _ in each }, busy: { _ in each })
        return Proposal(
            replicas: replicas, name: "pods metric \(name)",
            status: [
                "type": "Pods",
                "pods": ["metric": metric["metric"] ?? [:], "current": ["averageValue": quantity(average)]],
            ])
    }

    private func objectMetric(_ metric: JSONValue) throws(MetricFailure) -> Proposal {
        let name = metric["metric", "name"]?.string ?? ""
        let object = metric["describedObject"] ?? [:]
        let (kind, objectName) = (object["kind"]?.string ?? "", object["name"]?.string ?? "")
        guard
            let value = source.objectMetric(
                name, selector: selector(metric), kind: kind, object: objectName, namespace: namespace)
        else {
            throw MetricFailure(
                reason: "FailedGetObjectMetric",
                message: "unable to get metric \(name): \(kind) on \(namespace) \(objectName)")
        }
        let (replicas, current) = try total(milli(value), metric, "FailedGetObjectMetric")
        return Proposal(
            replicas: replicas, name: "\(kind) metric \(name)",
            status: [
                "type": "Object",
                "object": ["metric": metric["metric"] ?? [:], "current": current, "describedObject": object],
            ])
    }

    private func externalMetric(_ metric: JSONValue) throws(MetricFailure) -> Proposal {
        let name = metric["metric", "name"]?.string ?? ""
        let values = source.externalMetric(name, selector: selector(metric), namespace: namespace)
        guard !values.isEmpty else {
            throw MetricFailure(
                reason: "FailedGetExternalMetric",
                message:
                    "unable to get external metric \(namespace)/\(name): no metrics returned from external metrics API")
        }
        let (replicas, current) = try total(values.reduce(0) { $0 + milli($1) }, metric, "FailedGetExternalMetric")
        return Proposal(
            replicas: replicas, name: "external metric \(name)",
            status: ["type": "External", "external": ["metric": metric["metric"] ?? [:], "current": current]])
    }

    /// A metric of the whole: also of no pods, so that these can be scaled from and to zero.
    private func total(
        _ usage: Int128, _ metric: JSONValue, _ reason: String
    ) throws(MetricFailure) -> (Int64, JSONValue) {
        if let each = target(metric, "averageValue") {
            let ratio = current > 0 ? Double(usage) / (Double(each) * Double(current)) : .infinity
            let replicas = tolerated.contains(ratio) ? current : Self.up(Double(usage) / Double(each))
            return (replicas, ["averageValue": quantity(usage / Int128(max(1, current)))])
        }
        guard let whole = target(metric, "value") else {
            throw MetricFailure(
                reason: reason,
                message: "invalid metric source: neither a value target nor an average value target was set")
        }
        let ratio = Double(usage) / Double(whole)
        guard current > 0 else { return (Self.up(ratio), ["value": quantity(usage)]) }
        let ready = pods.count { $0.isReadyPod && !$0.isBeingDeleted }
        return (tolerated.contains(ratio) ? current : Self.up(ratio * Double(ready)), ["value": quantity(usage)])
    }
}
