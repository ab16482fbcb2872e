package import JSON

/// What is to be there after a deployment, in the order in which it is made: directories, queues (those that others
/// redrive to first), layers, functions, what belongs to them, mappings.
///
/// A plan says nothing of what there is now: `Deployer` compares.
package struct DeploymentPlan: Hashable, Sendable {
    package var directories: [DirectoryDeclaration] = []
    package var queues: [QueueDeclaration] = []
    package var layers: [LayerDeclaration] = []
    package var functions: [FunctionDeclaration] = []
    package var mappings: [MappingDeclaration] = []
    package var outputs: [OutputDeclaration] = []

    package init() {}
}

/// A directory of this machine that files arrive in; made when it is missing.
package struct DirectoryDeclaration: Hashable, Sendable {
    package var path: String
    /// Permissions of one that is made.
    package var mode: UInt32
}

/// A queue. Attributes are SQS's own, with values as its API takes them.
package struct QueueDeclaration: Hashable, Sendable {
    package var name: String
    package var attributes: [String: String]
    /// The name of the queue that `RedrivePolicy` leads to, if it is of this plan.
    package var redrivesTo: String?
}

/// A layer, of which a version is published when its content is another than the last one's.
package struct LayerDeclaration: Hashable, Sendable {
    package var name: String
    package var content: CodeSource
    package var description: String?
    package var runtimes: [String]
    package var license: String?
}

/// Where code comes from.
package enum CodeSource: Hashable, Sendable {
    /// A directory to pack, or a zip, or a single file; which, shows when it is read.
    case path(String)
    /// One file with this text.
    case inline(name: String, text: String)
    /// An image of the node.
    case image(String)
}

/// A function as it is to be. What is nil stays as it is (of a new function: becomes Lambda's default).
package struct FunctionDeclaration: Hashable, Sendable {
    package var name: String
    package var code: CodeSource?
    /// Fields of UpdateFunctionConfiguration but for `Environment` and `Layers`, as JSON.
    package var configuration = JSONObject()
    /// "Zip" or "Image"; only a new function has a choice.
    package var architectures: [String]?
    package var environment: [String: TemplateText]?
    package var layers: [TemplateText]?
    /// All tags; with `keepsOtherTags` only those that are set.
    package var tags: [String: String]?
    package var keepsOtherTags = false
    package var reserved: Setting<Int>?
    package var alias: AliasDeclaration?
    /// Fields of PutFunctionEventInvokeConfig; `.absent` removes it.
    package var eventInvoke: Setting<JSONObject>?
    /// Fields of CreateFunctionUrlConfig; `.absent` removes it.
    package var url: Setting<JSONObject>?

    package init(name: String) { self.name = name }

    /// Something that is to have a value or is not to be there.
    package enum Setting<Value: Hashable & Sendable>: Hashable, Sendable {
        case value(Value)
        case absent
    }
}

/// `AutoPublishAlias`: changes are published as a version, to which the alias leads.
package struct AliasDeclaration: Hashable, Sendable {
    package var name: String
    /// Instances that are kept warm for it; `.absent`: none are.
    package var provisioned: FunctionDeclaration.Setting<Int>
}

/// An event source mapping; one for each function (with qualifier) and source.
package struct MappingDeclaration: Hashable, Sendable {
    /// Where it stands in the template, for errors.
    package var path: String
    /// Name or ARN, with the qualifier.
    package var function: String
    package var source: String
    /// Fields of CreateEventSourceMapping but for these two.
    package var fields: JSONObject
}

/// An entry of `Outputs`: shown after the deployment.
package struct OutputDeclaration: Hashable, Sendable {
    package var name: String
    package var value: TemplateText
    package var description: String?
}

/// Where a deployment goes: what ARNs say, and where relative paths start.
package struct DeploymentPlace: Hashable, Sendable {
    package var region: String
    package var account: String
    /// The directory of the template.
    package var directory: String

    package init(region: String, account: String = "000000000000", directory: String) {
        self.region = region
        self.account = account
        self.directory = directory
    }

    func functionARN(_ name: String) -> String { "arn:aws:lambda:\(region):\(account):function:\(name)" }
    func queueARN(_ name: String) -> String { "arn:aws:sqs:\(region):\(account):\(name)" }
    func directoryARN(_ path: String) -> String { "arn:forkless:directory:\(region):\(account):\(path)" }
    func scheduleARN(_ expression: String) -> String { "arn:forkless:schedule:\(region):\(account):\(expression)" }

    func absolute(_ path: String) -> String {
        let whole = path.hasPrefix("/") ? path : directory + "/" + path
        var parts: [Substring] = []
        for part in whole.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}
