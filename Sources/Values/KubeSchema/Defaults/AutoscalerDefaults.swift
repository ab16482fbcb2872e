import JSON

/// Defaults of autoscalers (`pkg/apis/autoscaling/v2/defaults.go`).
enum AutoscalerDefaults {
    static func autoscaler(_ object: inout JSONValue, _ kind: Kind) {
        object.update("spec") { spec in
            spec.fill("minReplicas", 1)
            // v1 has nothing else; what it stands for in v2 is filled in there.
            guard kind.id.version != "v1" else { return }
            if spec["metrics"]?.array?.isEmpty ?? true { spec["metrics"] = [cpuAt80Percent] }
            // Rules that are not named stay out of the object, unless one of the two is.
            spec.update("behavior") { behavior in
                behavior.fill("scaleUp", [:])
                behavior.update("scaleUp") { rules in
                    rules.fill("stabilizationWindowSeconds", 0)
                    fill(&rules, policies: [policy("Pods", 4), policy("Percent", 100)])
                }
                behavior.fill("scaleDown", [:])
                behavior.update("scaleDown") { fill(&$0, policies: [policy("Percent", 100)]) }
            }
        }
    }

    private static let cpuAt80Percent: JSONValue = [
        "type": "Resource",
        "resource": ["name": "cpu", "target": ["type": "Utilization", "averageUtilization": 80]],
    ]

    private static func policy(_ type: String, _ value: Int64) -> JSONValue {
        ["type": .string(type), "value": .integer(value), "periodSeconds": 15]
    }

    private static func fill(_ rules: inout JSONValue, policies: [JSONValue]) {
        rules.fill("selectPolicy", "Max")
        if rules["policies"]?.array?.isEmpty ?? true { rules["policies"] = .array(policies) }
    }
}
