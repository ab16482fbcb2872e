import JSON

/// What a role allows (rbac/v1.PolicyRule, `RuleAllows` of the RBAC authorizer).
struct PolicyRule: Hashable, Sendable {
    var verbs: [String]
    var groups: [String] = []
    var resources: [String] = []
    var names: [String] = []
    var paths: [String] = []

    init(verbs: [String], groups: [String] = [], resources: [String] = [], names: [String] = [], paths: [String] = []) {
        self.verbs = verbs
        self.groups = groups
        self.resources = resources
        self.names = names
        self.paths = paths
    }

    init(_ json: JSONValue) {
        func texts(_ name: String) -> [String] { (json[name]?.array ?? []).compactMap(\.string) }
        verbs = texts("verbs")
        groups = texts("apiGroups")
        resources = texts("resources")
        names = texts("resourceNames")
        paths = texts("nonResourceURLs")
    }

    var json: JSONValue {
        var json: JSONValue = ["verbs": Self.list(verbs)]
        if !groups.isEmpty { json["apiGroups"] = Self.list(groups) }
        if !resources.isEmpty { json["resources"] = Self.list(resources) }
        if !names.isEmpty { json["resourceNames"] = Self.list(names) }
        if !paths.isEmpty { json["nonResourceURLs"] = Self.list(paths) }
        return json
    }

    private static func list(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }

    func allows(_ wanted: AccessAttributes) -> Bool {
        guard verbs.contains("*") || verbs.contains(wanted.verb) else { return false }
        switch wanted.subject {
        case .path(let path): return Self.allows(path, paths)
        case .resource(let target):
            return (groups.contains("*") || groups.contains(target.group)) && allows(target)
                && (names.isEmpty || target.name.map(names.contains) ?? false)
        }
    }

    private func allows(_ target: AccessAttributes.Target) -> Bool {
        resources.contains { resource in
            if resource == "*" || resource == target.resource { return true }
            guard let subresource = target.subresource, resource.hasPrefix("*/") else { return false }
            return resource.dropFirst(2) == subresource
        }
    }

    private static func allows(_ path: String, _ patterns: [String]) -> Bool {
        patterns.contains { pattern in
            pattern == "*" || pattern == path || pattern.hasSuffix("*") && path.hasPrefix(pattern.dropLast())
        }
    }

    // MARK: Covering

    /// The rule as rules of one verb, group, resource and name each.
    var single: [PolicyRule] {
        var result: [PolicyRule] = []
        for verb in verbs {
            for path in paths { result.append(PolicyRule(verbs: [verb], paths: [path])) }
            for group in groups {
                for resource in resources {
                    for name in names.isEmpty ? [nil] : names.map(Optional.some) {
                        result.append(
                            PolicyRule(
                                verbs: [verb], groups: [group], resources: [resource],
                                names: name.map { [$0] } ?? []))
                    }
                }
            }
        }
        return result
    }

    /// Whether it allows all that a rule of one verb, group, resource and name does.
    func covers(_ one: PolicyRule) -> Bool {
        func has(_ own: [String], _ wanted: [String]) -> Bool { own.contains("*") || wanted.allSatisfy(own.contains) }
        guard has(verbs, one.verbs) else { return false }
        if !one.paths.isEmpty {
            return one.paths.allSatisfy { path in
                paths.contains { $0 == "*" || $0 == path || $0.hasSuffix("*") && path.hasPrefix($0.dropLast()) }
            }
        }
        let coversResources = one.resources.allSatisfy { resource in
            if resources.contains("*") || resources.contains(resource) { return true }
            guard let slash = resource.firstIndex(of: "/") else { return false }
            return resources.contains("*" + resource[slash...])
        }
        let coversNames = names.isEmpty || !one.names.isEmpty && one.names.allSatisfy(names.contains)
        return has(groups, one.groups) && coversResources && coversNames
    }

    /// `{APIGroups:["apps"], Resources:["deployments"], Verbs:["get" "list"]}`
    var text: String {
        func list(_ texts: [String]) -> String { "[" + texts.map(\.goQuoted).joined(separator: " ") + "]" }
        let parts = [
            ("APIGroups", groups), ("Resources", resources), ("NonResourceURLs", paths), ("ResourceNames", names),
            ("Verbs", verbs),
        ]
        return "{" + parts.filter { !$0.1.isEmpty }.map { "\($0.0):\(list($0.1))" }.joined(separator: ", ") + "}"
    }
}
