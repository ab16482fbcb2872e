/// The resources of a template on their way into a plan.
struct TemplateReading {
    var scope: TemplateScope
    let place: DeploymentPlace
    var plan = DeploymentPlan()
    /// ARNs of the template's directories by their paths.
    var directories: [String: String] = [:]
    private var names: [String: String] = [:]

    init(scope: TemplateScope, place: DeploymentPlace) {
        self.scope = scope
        self.place = place
    }

    static let types = [
        "AWS::Serverless::Function", "AWS::Serverless::LayerVersion", "AWS::SQS::Queue", "AWS::Lambda::EventSourceMapping",
        "Forkless::Directory",
    ]

    private struct Resource {
        var id: String
        var type: String
        var path: String
        var properties: TemplateNode
    }

    mutating func read(_ node: TemplateNode, globals: TemplateNode?) throws(TemplateFailure) {
        let resources = try list(node)
        let shared = try Globals(globals)
        for resource in resources { try declare(resource) }
        for resource in resources {
            let properties = resource.path + ".Properties"
            let merged = resource.type == "AWS::Serverless::Function" ? shared.merged(into: resource.properties) : resource.properties
            guard let resolved = try scope.resolve(merged, properties) else { continue }
            var object = try TemplateObject(resolved, properties)
            switch resource.type {
            case "AWS::Serverless::Function": try readFunction(name(of: resource), &object)
            case "AWS::Serverless::LayerVersion": try readLayer(name(of: resource), &object)
            case "AWS::SQS::Queue": try readQueue(name(of: resource), &object)
            case "AWS::Lambda::EventSourceMapping": try readMapping(&object)
            default: try readDirectory(&object)
            }
            try object.refuseUnknown()
        }
    }

    private func name(of resource: Resource) -> String { names[resource.id] ?? resource.id }

    private func list(_ node: TemplateNode) throws(TemplateFailure) -> [Resource] {
        var root = try TemplateObject(node, "Resources")
        guard !root.names.isEmpty else { throw TemplateFailure("Resources", line: node.line, "there are none: there is nothing to deploy") }
        var resources: [Resource] = []
        for id in root.names {
            guard !id.isEmpty, id.utf8.count <= 255, id.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) }) else {
                throw root.failure(id, "a resource's name has only letters and digits")
            }
            guard var object = try root.object(id) else { throw root.failure(id, "expected names with values, found nothing") }
            guard let type = try object.string("Type") else { throw object.failure("Type", "a resource has a Type") }
            guard Self.types.contains(type) else { throw object.failure("Type", Self.refusal(of: type)) }
            try object.refuse("DependsOn", "the order follows from what refers to what")
            try object.refuse("Condition", "there are no conditions here")
            try object.refuse("Metadata", "it tells how to build, and nothing is built here: point at what is built")
            let properties = object.node("Properties") ?? TemplateNode(.map([]), line: object.line)
            try object.refuseUnknown()
            resources.append(Resource(id: id, type: type, path: root.path(of: id), properties: properties))
        }
        return resources
    }

    private static func refusal(of type: String) -> String {
        let list = "supported are \(types.joined(separator: ", "))"
        switch type {
        case "AWS::Serverless::Api", "AWS::Serverless::HttpApi":
            return "\(type) is not supported: there is no router. Give the function a FunctionUrlConfig; \(list)"
        case "AWS::Lambda::Function":
            return "\(type) is not supported: write AWS::Serverless::Function; \(list)"
        case "AWS::S3::Bucket":
            return "\(type) is not supported: files arrive in a Forkless::Directory; \(list)"
        default: return "\(type) is not supported; \(list)"
        }
    }

    /// Finds the names that others refer to. They may be made of parameters, not of other resources.
    private mutating func declare(_ resource: Resource) throws(TemplateFailure) {
        let key = [
            "AWS::Serverless::Function": "FunctionName", "AWS::Serverless::LayerVersion": "LayerName",
            "AWS::SQS::Queue": "QueueName", "Forkless::Directory": "Path",
        ][resource.type]
        guard let key else {
            scope.refusals[resource.id] = "a mapping has no name that others could use"
            return
        }
        let given = try given(key, resource)
        switch resource.type {
        case "AWS::Serverless::Function": try declareFunction(resource, given ?? resource.id)
        case "AWS::Serverless::LayerVersion":
            let name = given ?? resource.id
            names[resource.id] = name
            scope.references[resource.id] = TemplateText(.layerVersion(name))
            scope.attributes[resource.id] = [:]
        case "AWS::SQS::Queue":
            let isFIFO = try self.given("FifoQueue", resource) == "true"
            let name = given ?? resource.id + (isFIFO ? ".fifo" : "")
            names[resource.id] = name
            scope.references[resource.id] = TemplateText(.queueURL(name))
            scope.attributes[resource.id] = [
                "Arn": TemplateText(place.queueARN(name)), "QueueName": TemplateText(name), "QueueUrl": TemplateText(.queueURL(name)),
            ]
        default:
            guard let given else { throw TemplateFailure("\(resource.path).Properties.Path", line: resource.properties.line, "a directory has a Path") }
            let path = place.absolute(given)
            directories[path] = place.directoryARN(path)
            scope.references[resource.id] = TemplateText(path)
            scope.attributes[resource.id] = ["Arn": TemplateText(place.directoryARN(path)), "Path": TemplateText(path)]
        }
    }

    private mutating func declareFunction(_ resource: Resource, _ name: String) throws(TemplateFailure) {
        names[resource.id] = name
        let arn = place.functionARN(name)
        scope.references[resource.id] = TemplateText(name)
        scope.attributes[resource.id] = ["Arn": TemplateText(arn)]
        scope.references["\(resource.id)Url"] = nil
        scope.attributes["\(resource.id)Url"] = ["FunctionUrl": TemplateText(.functionURL(name))]
        // SAM's own: "!Ref Function.Alias" is the ARN with the alias.
        if let alias = try given("AutoPublishAlias", resource) {
            scope.references["\(resource.id).Alias"] = TemplateText("\(arn):\(alias)")
        }
    }

    /// A property that is needed before anything can be referred to.
    private mutating func given(_ key: String, _ resource: Resource) throws(TemplateFailure) -> String? {
        guard case .map(let members) = resource.properties.value, let member = members.first(where: { $0.name == key }) else {
            return nil
        }
        var early = TemplateScope(values: scope.values)
        early.refusals = scope.references.mapValues { _ in "a name is made of parameters only" }
        let path = "\(resource.path).Properties.\(key)"
        guard let node = try early.resolve(member.value, path), node.value != .null else { return nil }
        guard case .text(let text) = node.value, let literal = text.literal else {
            throw TemplateFailure(path, line: member.value.line, "expected a text, found \(node.kindName)")
        }
        return literal
    }

    mutating func read(outputs node: TemplateNode?) throws(TemplateFailure) {
        guard let node else { return }
        guard let resolved = try scope.resolve(node, "Outputs") else { return }
        var outputs = try TemplateObject(resolved, "Outputs")
        for name in outputs.names {
            guard var output = try outputs.object(name), let value = try output.text("Value") else {
                throw outputs.failure(name, "an output has a Value")
            }
            let description = try output.string("Description")
            try output.refuse("Export", "there are no other stacks that could import it")
            try output.refuseUnknown()
            plan.outputs.append(OutputDeclaration(name: name, value: value, description: description))
        }
    }

    /// The plan, with queues in an order in which each one's dead-letter queue comes first.
    func finish() throws(TemplateFailure) -> DeploymentPlan {
        var plan = plan
        var placed: Set<String> = []
        var ordered: [QueueDeclaration] = []
        var rest = plan.queues
        while !rest.isEmpty {
            let names = Set(rest.map(\.name))
            let ready = rest.filter { queue in queue.redrivesTo.map { placed.contains($0) || !names.contains($0) } ?? true }
            guard !ready.isEmpty else {
                throw TemplateFailure("Resources", "the queues \(names.sorted().joined(separator: ", ")) redrive in a circle")
            }
            ordered += ready
            placed.formUnion(ready.map(\.name))
            rest.removeAll { placed.contains($0.name) }
        }
        plan.queues = ordered
        for kind in [plan.functions.map(\.name), plan.queues.map(\.name), plan.layers.map(\.name)] {
            if let twice = Dictionary(grouping: kind, by: \.self).filter({ $1.count > 1 }).keys.min() {
                throw TemplateFailure("Resources", "two resources have the name \"\(twice)\"")
            }
        }
        return plan
    }
}
