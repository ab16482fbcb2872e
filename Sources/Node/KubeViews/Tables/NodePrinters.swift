import JSON

/// Nodes and namespaces.
enum NodePrinters {
    static let all: [String: Printer] = ["Node": node, "Namespace": namespace]

    private static let namespace = Printer(["status.phase"]) { subject in
        [subject.name, .string(subject.status.text("phase")), subject.age]
    }

    private static let node = Printer(
        [
            "metadata.labels", "spec.unschedulable", "status.conditions.type", "status.conditions.status",
            "status.addresses", "status.nodeInfo",
        ]
    ) { subject in
        let system = subject.status["nodeInfo"] ?? .null
        return [
            subject.name, .string(state(subject)), .string(roles(subject)), subject.age,
            .string(system.text("kubeletVersion")), .string(address("InternalIP", subject)),
            .string(address("ExternalIP", subject)), .string(system.text("osImage", or: TableSubject.unknown)),
            .string(system.text("kernelVersion", or: TableSubject.unknown)),
            .string(system.text("containerRuntimeVersion", or: TableSubject.unknown)),
        ]
    }

    private static func state(_ subject: TableSubject) -> String {
        let ready = subject.status.condition("Ready").map { $0["status"]?.string == "True" ? "Ready" : "NotReady" }
        return (ready ?? "Unknown") + (subject.spec["unschedulable"]?.bool == true ? ",SchedulingDisabled" : "")
    }

    private static func address(_ type: String, _ subject: TableSubject) -> String {
        subject.status.list("addresses").first { $0["type"]?.string == type }?.text("address") ?? TableSubject.none
    }

    private static func roles(_ subject: TableSubject) -> String {
        let prefix = "node-role.kubernetes.io/"
        var roles: Set<String> = []
        for label in subject.json["metadata", "labels"]?.object?.members ?? [] {
            if label.key.hasPrefix(prefix) {
                roles.insert(String(label.key.dropFirst(prefix.count)))
            } else if label.key == "kubernetes.io/role", let role = label.value.string {
                roles.insert(role)
            }
        }
        roles.remove("")
        return roles.isEmpty ? TableSubject.none : roles.sorted().joined(separator: ",")
    }
}
