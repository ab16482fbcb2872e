import ArgumentParser
import Deploying
import JSON
import Lambda

/// `forkless fn publish`
struct FnPublishCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "publish", abstract: "Keeps the function as it is now as a version, and prints its number.")

    @Option(name: .customLong("description"), help: ArgumentHelp("A sentence for lists.", valueName: "text"))
    var description: String?

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The function, by name.") var name: String

    func run() async throws {
        try await withLambda(node) { client in
            let body: JSONObject = description.map { ["Description": .string($0)] } ?? [:]
            let version = try await client.call(LambdaRequest("POST", LambdaPaths.function(name, "/versions"), json: body))
            switch output.output {
            case .json: try StandardStreams.write(version)
            case .text: try StandardStreams.write((version["Version"]?.string ?? "") + "\n")
            }
        }
    }
}

/// `forkless fn alias`
struct FnAliasCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "alias", abstract: "Leads a name to a version; without one: shows where it leads.",
        discussion: "forkless fn alias scorer live 7 --weight 8=0.1")

    @Option(name: .customLong("weight"), help: ArgumentHelp("Lead a part of the calls to another version.", valueName: "version=part"))
    var weight: String?

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The function, by name.") var name: String
    @Argument(help: "The alias.") var alias: String
    @Argument(help: "The version's number, or $LATEST.") var version: String?

    func run() async throws {
        let routing = try routing()
        if weight != nil, version == nil { throw FlagError("--weight", weight, "it needs the version that gets the rest") }
        let path = LambdaPaths.function(name, "/aliases/\(PathText.encoded(alias))")
        try await withLambda(node) { client in
            var answer: JSONValue
            if let version {
                var body: JSONObject = ["FunctionVersion": .string(version), "RoutingConfig": .object(routing)]
                do throws(LambdaFailure) { answer = try await client.call(LambdaRequest("PUT", path, json: body)) } catch {
                    guard error.status == 404 else { throw error }
                    body["Name"] = .string(alias)
                    answer = try await client.call(LambdaRequest("POST", LambdaPaths.function(name, "/aliases"), json: body))
                }
            } else {
                answer = try await client.call(LambdaRequest("GET", path))
            }
            switch output.output {
            case .json: try StandardStreams.write(answer)
            case .text: try StandardStreams.write(Self.text(answer))
            }
        }
    }

    private static func text(_ alias: JSONValue) -> String {
        let others = alias["RoutingConfig"]?["AdditionalVersionWeights"]?.object?.members ?? []
        let parts = others.map { ", \($0.key) for \($0.value) of the calls" }.joined()
        return "\(alias["Name"]?.string ?? ""): version \(alias["FunctionVersion"]?.string ?? "")\(parts)\n"
    }

    private func routing() throws(FlagError) -> JSONObject {
        guard let weight else { return ["AdditionalVersionWeights": [:]] }
        let pairs = try NameValueFlag.pairs([weight], flag: "--weight")
        guard let pair = pairs.first, let part = Double(pair.value), (0...1).contains(part) else {
            throw FlagError("--weight", weight, "not VERSION=PART", advice: "The part is from 0 to 1: 8=0.1.")
        }
        var weights = JSONObject()
        weights[pair.key] = .number(JSONNumber(part))
        return ["AdditionalVersionWeights": .object(weights)]
    }
}

/// `forkless fn rm`
struct FnRemoveCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Removes functions with their event sources; what they wrote stays.", aliases: ["remove"])

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The functions, by name.") var names: [String]

    func run() async throws {
        try await withLambda(node) { client in
            try await EachContainer(names, output.output).report { name in
                do throws(LambdaFailure) {
                    let mappings = try await client.list(
                        "\(LambdaPaths.mappings)?FunctionName=\(PathText.encoded(name))", "EventSourceMappings")
                    for id in mappings.compactMap({ $0["UUID"]?.string }) {
                        _ = try await client.call(LambdaRequest("DELETE", "\(LambdaPaths.mappings)/\(PathText.encoded(id))"))
                    }
                    _ = try await client.call(LambdaRequest("DELETE", LambdaPaths.function(name)))
                } catch { throw CommandFailure(error.sentence) }
                return .null
            }
        }
    }
}
