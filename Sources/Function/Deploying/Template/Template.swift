/// A template in the form of AWS SAM, read strictly into a plan: what is not supported is a failure that names the path
/// in the template and says what is supported.
///
/// Invariants
/// 1. The same text, parameters and place give the same plan. Nothing is read but the text: paths are looked at when the
///    plan is carried out. (test: `a template gives a plan`)
/// 2. Every member of the template is read, or refused. (test: `what is not known is refused with its path`)
package enum Template {
    /// Reads a template.
    ///
    /// - Parameters:
    ///   - overrides: values of parameters, which come before their defaults.
    package static func plan(
        _ bytes: [UInt8], at place: DeploymentPlace, overrides: [String: String] = [:]
    ) throws(TemplateFailure) -> DeploymentPlan {
        var root = try TemplateObject(try TemplateYAML.read(bytes), "")
        try readHead(&root)
        let parameters = try TemplateParameters.values(root.node("Parameters"), overrides, place)
        let globals = root.node("Globals")
        guard let resources = root.node("Resources") else {
            throw TemplateFailure("Resources", line: nil, "the template has none: there is nothing to deploy")
        }
        let outputs = root.node("Outputs")
        for (name, why) in [
            ("Conditions", "write what is meant, or use parameters"), ("Mappings", "use parameters"), ("Rules", "use AllowedValues"),
        ] { try root.refuse(name, why) }
        try root.refuseUnknown()
        var reading = TemplateReading(scope: TemplateScope(values: parameters), place: place)
        try reading.read(resources, globals: globals)
        try reading.read(outputs: outputs)
        return try reading.finish()
    }

    private static func readHead(_ root: inout TemplateObject) throws(TemplateFailure) {
        if let version = try root.string("AWSTemplateFormatVersion"), version != "2010-09-09" {
            throw root.failure("AWSTemplateFormatVersion", "there is only 2010-09-09")
        }
        let transform: [String]?
        if case .list = root.node("Transform")?.value {
            transform = try root.strings("Transform")
        } else {
            transform = try root.string("Transform").map { [$0] }
        }
        guard transform == ["AWS::Serverless-2016-10-31"] else {
            throw root.failure("Transform", "expected AWS::Serverless-2016-10-31, and nothing else: this reads templates of AWS SAM")
        }
        _ = try root.string("Description")
        // Notes for other tools: nothing that could change what is deployed.
        _ = root.node("Metadata")
    }
}

/// `Parameters`: texts and numbers with defaults.
enum TemplateParameters {
    static func values(
        _ node: TemplateNode?, _ overrides: [String: String], _ place: DeploymentPlace
    ) throws(TemplateFailure) -> [String: TemplateText] {
        var values = [
            "AWS::Region": TemplateText(place.region), "AWS::AccountId": TemplateText(place.account),
            "AWS::Partition": TemplateText("aws"),
        ]
        var parameters = try node.map { node throws(TemplateFailure) in try TemplateObject(node, "Parameters") }
        for name in parameters?.names ?? [] {
            guard var parameter = try parameters?.object(name) else {
                throw TemplateFailure("Parameters.\(name)", line: node?.line, "expected names with values, found nothing")
            }
            values[name] = TemplateText(try value(of: name, &parameter, overrides[name]))
        }
        if let stranger = overrides.keys.sorted().first(where: { parameters?.names.contains($0) != true }) {
            let names = (parameters?.names ?? []).sorted().joined(separator: ", ")
            throw TemplateFailure("Parameters", "there is no parameter \"\(stranger)\"; there are \(names.isEmpty ? "none" : names)")
        }
        return values
    }

    private static func value(
        of name: String, _ parameter: inout TemplateObject, _ override: String?
    ) throws(TemplateFailure) -> String {
        let kind = try parameter.string("Type") ?? ""
        guard ["String", "Number"].contains(kind) else {
            throw parameter.failure("Type", "parameters are of type String or Number here, not \"\(kind)\"")
        }
        _ = try parameter.string("Description")
        _ = try parameter.boolean("NoEcho")
        let usual = try parameter.string("Default")
        let allowed = try parameter.strings("AllowedValues")
        try parameter.refuseUnknown()
        guard let value = override ?? usual else {
            throw TemplateFailure(
                parameter.path, line: parameter.line,
                "it has no default: give --parameter-overrides \(name)=VALUE")
        }
        if kind == "Number", Double(value) == nil { throw TemplateFailure(parameter.path, line: parameter.line, "\"\(value)\" is no number") }
        if let allowed, !allowed.contains(value) {
            throw TemplateFailure(
                parameter.path, line: parameter.line, "\"\(value)\" is not allowed; allowed are \(allowed.joined(separator: ", "))")
        }
        return value
    }
}
