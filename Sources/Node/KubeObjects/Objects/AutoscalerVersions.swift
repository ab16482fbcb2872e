package import JSON

/// Between the two versions of autoscalers (pkg/apis/autoscaling/v1/conversion.go): v1 has one target, the pods' CPU, and
/// carries everything else of v2 as JSON in annotations. Stored is v2.
///
/// Invariant: an autoscaler of v2 that went through v1 is the same. (test: `an autoscaler survives both versions`)
package enum AutoscalerVersions {
    private static let metricsAnnotation = "autoscaling.alpha.kubernetes.io/metrics"
    private static let statusesAnnotation = "autoscaling.alpha.kubernetes.io/current-metrics"
    private static let conditionsAnnotation = "autoscaling.alpha.kubernetes.io/conditions"
    private static let behaviorAnnotation = "autoscaling.alpha.kubernetes.io/behavior"

    package static func isOlder(_ resource: Resource) -> Bool {
        resource.group == "autoscaling" && resource.version == "v1" && resource.plural == "horizontalpodautoscalers"
    }

    // MARK: v2 as v1

    package static func older(_ object: JSONValue) -> JSONValue {
        var result = object
        result["apiVersion"] = "autoscaling/v1"
        let spec = object["spec"] ?? [:]
        let status = object["status"] ?? [:]
        let metrics = spec["metrics"]?.array ?? []
        let measured = status["currentMetrics"]?.array ?? []
        var annotations = object["metadata"]?["annotations"]?.object ?? [:]
        let others = metrics.filter { targetPercent($0) == nil }
        write(others.map(MetricForms.older), metricsAnnotation, &annotations)
        // Kept whole, for the CPU's raw value is nowhere else.
        write(measured.map(MetricForms.older), statusesAnnotation, &annotations)
        write(status["conditions"]?.array ?? [], conditionsAnnotation, &annotations)
        if let behavior = spec["behavior"], !behavior.isNull {
            annotations[behaviorAnnotation] = .string(JSONWriter.text(behavior))
        }
        var metadata = object["metadata"] ?? [:]
        metadata["annotations"] = annotations.isEmpty ? nil : .object(annotations)
        result["metadata"] = metadata
        var oldSpec = part(spec, ["scaleTargetRef", "minReplicas", "maxReplicas"])
        if let percent = metrics.lazy.compactMap(targetPercent).first {
            oldSpec["targetCPUUtilizationPercentage"] = percent
        }
        result["spec"] = oldSpec
        guard object["status"] != nil else { return result }
        var oldStatus = part(status, ["observedGeneration", "lastScaleTime", "currentReplicas", "desiredReplicas"])
        if let percent = measured.lazy.compactMap(currentPercent).first {
            oldStatus["currentCPUUtilizationPercentage"] = percent
        }
        result["status"] = oldStatus
        return result
    }

    private static func part(_ object: JSONValue, _ names: [String]) -> JSONValue {
        var result: JSONValue = [:]
        for name in names { if let value = object[name] { result[name] = value } }
        return result
    }

    private static func write(_ list: [JSONValue], _ name: String, _ annotations: inout JSONObject) {
        if !list.isEmpty { annotations[name] = .string(JSONWriter.text(.array(list))) }
    }

    private static func targetPercent(_ metric: JSONValue) -> JSONValue? {
        guard metric["type"] == "Resource", metric["resource"]?["name"] == "cpu" else { return nil }
        return metric["resource"]?["target"]?["averageUtilization"]
    }

    private static func currentPercent(_ metric: JSONValue) -> JSONValue? {
        guard metric["type"] == "Resource", metric["resource"]?["name"] == "cpu" else { return nil }
        return metric["resource"]?["current"]?["averageUtilization"]
    }

    // MARK: v1 as v2

    /// What an annotation says that cannot be read counts for nothing, as in Kubernetes.
    package static func newer(_ object: JSONValue) -> JSONValue {
        var result = object
        result["apiVersion"] = "autoscaling/v2"
        let (spec, status) = (object["spec"] ?? [:], object["status"] ?? [:])
        var annotations = object["metadata"]?["annotations"]?.object ?? [:]
        func take(_ name: String) -> JSONValue? {
            defer { annotations[name] = nil }
            return annotations[name]?.string.flatMap { try? JSONParser.parse($0) }
        }
        var metrics = (take(metricsAnnotation)?.array ?? []).map(MetricForms.newer)
        if let percent = spec["targetCPUUtilizationPercentage"], !percent.isNull {
            metrics.append([
                "type": "Resource",
                "resource": ["name": "cpu", "target": ["type": "Utilization", "averageUtilization": percent]],
            ])
        }
        var newSpec = part(spec, ["scaleTargetRef", "minReplicas", "maxReplicas"])
        if !metrics.isEmpty { newSpec["metrics"] = .array(metrics) }
        if let behavior = take(behaviorAnnotation), behavior.object != nil { newSpec["behavior"] = behavior }
        var newStatus = part(status, ["observedGeneration", "lastScaleTime", "currentReplicas", "desiredReplicas"])
        if let statuses = take(statusesAnnotation)?.array {
            newStatus["currentMetrics"] = .array(statuses.map(MetricForms.newer))
        } else if let percent = status["currentCPUUtilizationPercentage"], !percent.isNull {
            newStatus["currentMetrics"] = [
                ["type": "Resource", "resource": ["name": "cpu", "current": ["averageUtilization": percent]]]
            ]
        }
        if let conditions = take(conditionsAnnotation), conditions.array != nil { newStatus["conditions"] = conditions }
        var metadata = object["metadata"] ?? [:]
        metadata["annotations"] = annotations.isEmpty ? nil : .object(annotations)
        result["metadata"] = metadata
        result["spec"] = newSpec
        if object["status"] != nil { result["status"] = newStatus }
        return result
    }
}

/// Metrics as the annotations of v1 write them: names and values flat, where v2 has identifiers and targets
/// (autoscaling/v1.MetricSpec and MetricStatus). Sources and measured values differ by the prefix of their numbers alone.
private enum MetricForms {
    private static let members = [
        "Resource": "resource", "ContainerResource": "containerResource", "Pods": "pods", "Object": "object",
        "External": "external",
    ]

    static func older(_ metric: JSONValue) -> JSONValue {
        guard let member = metric["type"]?.string.flatMap({ members[$0] }), let source = metric[member] else {
            return metric
        }
        var flat: JSONValue = [:]
        for name in ["name", "container"] { if let value = source[name] { flat[name] = value } }
        if let object = source["describedObject"] { flat["target"] = object }
        if let name = source["metric"]?["name"] { flat["metricName"] = name }
        if let selector = source["metric"]?["selector"] {
            flat[member == "external" ? "metricSelector" : "selector"] = selector
        }
        let isTarget = source["target"] != nil
        for number in (isTarget ? source["target"] : source["current"])?.object?.members ?? []
        where number.key != "type" { flat[flatName(number.key, member, isTarget)] = number.value }
        return ["type": metric["type"] ?? "", member: flat]
    }

    static func newer(_ metric: JSONValue) -> JSONValue {
        guard let member = metric["type"]?.string.flatMap({ members[$0] }), let flat = metric[member] else {
            return metric
        }
        var source: JSONValue = [:]
        var numbers: JSONValue = [:]
        var isTarget = true
        for name in ["value", "averageValue", "averageUtilization"] {
            if let value = flat[flatName(name, member, true)], !value.isNull { numbers[name] = value }
            if let value = flat[flatName(name, member, false)], !value.isNull, flatName(name, member, false) != name {
                numbers[name] = value
                isTarget = false
            }
        }
        for name in ["name", "container"] { if let value = flat[name] { source[name] = value } }
        if let object = flat["target"] { source["describedObject"] = object }
        if let name = flat["metricName"] {
            var identifier: JSONValue = ["name": name]
            if let selector = flat["selector"] ?? flat["metricSelector"] { identifier["selector"] = selector }
            source["metric"] = identifier
        }
        if isTarget {
            let type =
                numbers["averageUtilization"] != nil
                ? "Utilization" : numbers["averageValue"] != nil ? "AverageValue" : "Value"
            var target: JSONValue = ["type": .string(type)]
            for number in numbers.object?.members ?? [] { target[number.key] = number.value }
            source["target"] = target
        } else {
            source["current"] = numbers
        }
        return ["type": metric["type"] ?? "", member: source]
    }

    /// An object's average has no prefix in either.
    private static func flatName(_ name: String, _ member: String, _ isTarget: Bool) -> String {
        if member == "object", name == "averageValue" { return name }
        return (isTarget ? "target" : "current") + name.prefix(1).uppercased() + name.dropFirst()
    }
}
