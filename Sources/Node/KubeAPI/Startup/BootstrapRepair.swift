import JSON

/// Gives roles and bindings of the first start back what they lack: what somebody took away, and what a newer server needs
/// (`reconciliation` of the RBAC bootstrap policy). What was added stays. Pure.
///
/// Invariant: what says `rbac.authorization.kubernetes.io/autoupdate: "false"` is left alone.
/// (test: `roles of the first start are repaired unless they say not to be`)
enum BootstrapRepair {
    static let annotation = "rbac.authorization.kubernetes.io/autoupdate"

    /// - Returns: what it should be; nil when nothing is missing.
    static func repaired(_ stored: JSONValue, by wanted: JSONValue) -> JSONValue? {
        guard stored["metadata", "annotations", annotation] == "true" else { return nil }
        var result = stored
        if wanted["aggregationRule"] != nil {
            // Its rules are those of the roles that it selects.
            result["aggregationRule"] = wanted["aggregationRule"]
        } else if wanted["rules"] != nil {
            let held = (stored["rules"]?.array ?? []).map(PolicyRule.init)
            let missing = (wanted["rules"]?.array ?? []).filter { rule in
                !PolicyRule(rule).single.allSatisfy { one in held.contains { $0.covers(one) } }
            }
            if !missing.isEmpty { result["rules"] = .array((stored["rules"]?.array ?? []) + missing) }
        }
        let subjects = stored["subjects"]?.array ?? []
        let absent = (wanted["subjects"]?.array ?? []).filter { !subjects.contains($0) }
        if !absent.isEmpty { result["subjects"] = .array(subjects + absent) }
        for label in wanted["metadata", "labels"]?.object?.members ?? [] {
            result["metadata", "labels", label.key] = label.value
        }
        guard result != stored else { return nil }
        return result
    }
}
