import JSON

/// Rules for label selectors in objects (`ValidateLabelSelector`).
enum SelectorRules {
    static func check(_ selector: Located, _ causes: inout Causes) {
        MetadataRules.labels(selector["matchLabels"], &causes)
        for requirement in selector["matchExpressions"].elements {
            let values = requirement["values"]
            switch requirement["operator"].text {
            case "In", "NotIn":
                if values.isEmpty { causes.required(values, "must be specified when `operator` is 'In' or 'NotIn'") }
            case "Exists", "DoesNotExist":
                if !values.isEmpty {
                    causes.forbidden(values, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
                }
            default:
                causes.invalid(
                    requirement["operator"], "not a valid selector operator",
                    value: .string(requirement["operator"].text))
            }
            causes.invalid(
                requirement["key"], Names.labelKey(requirement["key"].text), value: .string(requirement["key"].text))
            for value in values.elements { causes.invalid(value, Names.labelValue(value.text)) }
        }
    }

    /// A selector of a workload: it must be there, say something, and hold for the pods that are made.
    static func checkWorkload(_ spec: Located, _ what: String, _ causes: inout Causes) {
        let selector = spec["selector"]
        guard selector.exists else { return causes.required(selector) }
        check(selector, &causes)
        if selector["matchLabels"].isEmpty, selector["matchExpressions"].isEmpty {
            return causes.invalid(selector, "empty selector is invalid for \(what)", value: [:])
        }
        checkMatch(selector, spec["template"], &causes)
    }

    static func checkMatch(_ selector: Located, _ template: Located, _ causes: inout Causes) {
        guard let parsed = try? LabelSelector(object: selector.json) else { return }
        let labels = template["metadata"]["labels"]
        guard !parsed.matches(labels.json) else { return }
        causes.invalid(labels, "`selector` does not match template `labels`", value: labels.json ?? .null)
    }
}
