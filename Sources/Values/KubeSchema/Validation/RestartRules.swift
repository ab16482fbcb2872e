import JSON

/// Rules for what a container is started again for (`validateContainerRestartPolicy`), narrowed to what has an effect
/// here: one container is started again, never all of them.
enum RestartRules {
    static let countLimit = 20

    static func check(_ container: Located, _ causes: inout Causes) {
        let rules = container["restartPolicyRules"]
        guard !rules.isEmpty else { return }
        if container["restartPolicy"].isEmpty {
            causes.required(container["restartPolicy"], "must specify restartPolicy when restart rules are used")
        }
        if rules.elements.count > countLimit { causes.tooMany(rules, limit: countLimit) }
        for rule in rules.elements {
            if rule["action"].text != "Restart" { causes.notSupported(rule["action"], ["Restart"]) }
            let codes = rule["exitCodes"]
            if codes.exists { exitCodes(codes, &causes) } else { causes.required(codes, "must be specified") }
        }
    }

    private static func exitCodes(_ codes: Located, _ causes: inout Causes) {
        let (mark, values) = (codes["operator"], codes["values"])
        if mark.text != "In", mark.text != "NotIn" { causes.notSupported(mark, ["In", "NotIn"]) }
        if values.isEmpty { causes.required(values, "must specify at least one value") }
        for value in values.elements { causes.inRange(value, 0...255) }
    }
}
