package import JSON
package import Lambda
internal import Linux

/// Carries out a plan: looks at what there is, and changes what differs. Carried out twice, the second time changes
/// nothing.
///
/// Invariants
/// 1. A deployment of what is there already sends no request that changes anything. (test: `a second deployment changes nothing`)
/// 2. What others refer to is there before them. (test: `queues come before functions, and functions before mappings`)
package struct Deployer: Sendable {
    let caller: any LambdaCaller
    /// Told of each change, and of what was found as it should be.
    let note: @Sendable (DeploymentChange) -> Void
    private var known: [LaterValue: String] = [:]

    package init(_ caller: any LambdaCaller, note: @escaping @Sendable (DeploymentChange) -> Void) {
        self.caller = caller
        self.note = note
    }

    /// - Returns: the outputs of the plan, with their values.
    package mutating func carryOut(_ plan: DeploymentPlan) async throws(DeploymentFailure) -> [(name: String, value: String)] {
        // Code first: a file that cannot be read is found before anything has changed.
        var layers: [CodePackage] = []
        for layer in plan.layers { layers.append(try await Self.package(layer.content, of: "layer \(layer.name)")) }
        var codes: [CodePackage?] = []
        for function in plan.functions { codes.append(try await Self.package(of: function)) }
        for directory in plan.directories { try await make(directory) }
        for queue in plan.queues { try await deploy(queue) }
        for (layer, package) in zip(plan.layers, layers) { try await deploy(layer, package) }
        for (function, package) in zip(plan.functions, codes) { try await deploy(function, package) }
        // Destinations may be other functions of the plan.
        for function in plan.functions { try await deployBelongings(of: function) }
        for mapping in plan.mappings { try await deploy(mapping) }
        var outputs: [(name: String, value: String)] = []
        for output in plan.outputs { outputs.append((output.name, try resolved(output.value, in: "Outputs.\(output.name)"))) }
        return outputs
    }

    func call(_ request: LambdaRequest, _ what: String) async throws(DeploymentFailure) -> JSONValue {
        do throws(LambdaFailure) { return try await caller.call(request) } catch { throw DeploymentFailure(what, error) }
    }

    func admitEverybody(
        to name: String, query: String?, url: JSONValue, _ what: String
    ) async throws(DeploymentFailure) {
        do throws(LambdaFailure) { try await caller.admitEverybody(to: name, query: query, url: url) } catch {
            throw DeploymentFailure(what, error)
        }
    }

    /// nil when it is not there.
    func find(_ request: LambdaRequest, _ what: String) async throws(DeploymentFailure) -> JSONValue? {
        do throws(LambdaFailure) { return try await caller.call(request) } catch {
            if error.status == 404 || error.name.hasSuffix("NonExistentQueue") || error.name.hasSuffix("QueueDoesNotExist") { return nil }
            throw DeploymentFailure(what, error)
        }
    }

    mutating func learn(_ value: LaterValue, _ text: String) { known[value] = text }

    func resolved(_ text: TemplateText, in place: String) throws(DeploymentFailure) -> String {
        try text.resolved { later throws(DeploymentFailure) in
            guard let value = known[later] else { throw DeploymentFailure(place, sentence: "it names what is not known: \(later)") }
            return value
        }
    }

    private static func package(of function: FunctionDeclaration) async throws(DeploymentFailure) -> CodePackage? {
        guard let code = function.code else { return nil }
        if case .image = code { return nil }
        return try await package(code, of: "function \(function.name)")
    }

    private static func package(_ source: CodeSource, of what: String) async throws(DeploymentFailure) -> CodePackage {
        do {
            return try await BlockingPool.shared.run { () throws(SystemError) -> Result<CodePackage, CodeFailure> in
                Result { () throws(CodeFailure) in try read(source) }
            }.get()
        } catch { throw DeploymentFailure(what, sentence: "\(error)") }
    }

    private static func read(_ source: CodeSource) throws(CodeFailure) -> CodePackage {
        switch source {
        case .path(let path): try CodePacking.read(path)
        case .inline(let name, let text): try CodePacking.inline(name: name, text: text)
        case .image(let image): throw CodeFailure(image, "an image is no zip")
        }
    }

    private func make(_ directory: DirectoryDeclaration) async throws(DeploymentFailure) {
        let path = directory.path
        guard !Files.exists(path) else { return note(DeploymentChange(.unchanged, "directory", path)) }
        do {
            try await BlockingPool.shared.run { () throws(SystemError) in try Files.makeDirectories(path, mode: directory.mode) }
        } catch { throw DeploymentFailure("directory \(path)", sentence: "\(error)") }
        note(DeploymentChange(.created, "directory", path))
    }
}

/// What a deployment did to one thing.
package struct DeploymentChange: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable {
        case created, updated, unchanged, removed
    }

    package var kind: Kind
    /// "function", "queue", ...
    package var what: String
    package var name: String
    /// What differed: "code, MemorySize".
    package var details: String

    package init(_ kind: Kind, _ what: String, _ name: String, details: String = "") {
        self.kind = kind
        self.what = what
        self.name = name
        self.details = details
    }

    package var json: JSONValue {
        var object: JSONObject = ["change": .string(kind.rawValue), "kind": .string(what), "name": .string(name)]
        if !details.isEmpty { object["details"] = .string(details) }
        return .object(object)
    }
}

/// A deployment that stopped: at what, and why. What was done before stays done, and doing it again finds it so.
package struct DeploymentFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package var what: String
    package var sentence: String
    /// The API's error, if it was one.
    package var cause: LambdaFailure?

    package init(_ what: String, _ cause: LambdaFailure) {
        self.what = what
        sentence = "\(cause.name): \(cause.message)"
        self.cause = cause
    }

    package init(_ what: String, sentence: String) {
        self.what = what
        self.sentence = sentence
    }

    package var description: String { "deploy \(what): \(sentence)" }
}
