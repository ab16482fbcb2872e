/// `Globals.Function`: properties of every function. As in SAM, a function's own property replaces a text, is added to
/// a list and goes into a map.
struct Globals {
    private var function: TemplateNode?

    /// Properties that SAM takes from Globals and this reads.
    static let properties: Set<String> = [
        "CodeUri", "Handler", "Runtime", "MemorySize", "Timeout", "Environment", "Layers", "Tags", "AutoPublishAlias",
        "ProvisionedConcurrencyConfig", "ReservedConcurrentExecutions", "EventInvokeConfig", "DeadLetterQueue", "FunctionUrlConfig",
        "EphemeralStorage", "FileSystemConfigs", "Architectures", "LoggingConfig", "SnapStart", "Description",
    ]

    init(_ node: TemplateNode?) throws(TemplateFailure) {
        guard let node else { return }
        var globals = try TemplateObject(node, "Globals")
        function = globals.node("Function")
        try globals.refuseUnknown()
        guard let function else { return }
        let object = try TemplateObject(function, "Globals.Function")
        if let stranger = object.names.first(where: { !Self.properties.contains($0) }) {
            throw object.failure(stranger, "not supported here; supported are \(Self.properties.sorted().joined(separator: ", "))")
        }
    }

    func merged(into properties: TemplateNode) -> TemplateNode {
        guard let function else { return properties }
        return Self.merge(function, properties)
    }

    private static func merge(_ shared: TemplateNode, _ own: TemplateNode) -> TemplateNode {
        switch (shared.value, own.value) {
        case (.map(let sharedMembers), .map(let ownMembers)):
            var members = ownMembers
            for member in sharedMembers {
                if let at = members.firstIndex(where: { $0.name == member.name }) {
                    members[at].value = merge(member.value, members[at].value)
                } else {
                    members.append(member)
                }
            }
            return TemplateNode(.map(members), line: own.line)
        case (.list(let sharedList), .list(let ownList)): return TemplateNode(.list(sharedList + ownList), line: own.line)
        default: return own
        }
    }
}
