import ArgumentParser
import Deploying
import JSON

/// `forkless fn scale`
struct FnScaleCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "scale", abstract: "Keeps instances ready, and says how many there may be; without flags: shows it.",
        discussion: """
            forkless fn scale scorer --reserved 10
            forkless fn scale scorer --qualifier live --provisioned 2

            Instances start when calls come and end when they are idle. Provisioned ones are ready before; they belong \
            to a version or an alias.
            """)

    @Option(name: .customLong("provisioned"), help: ArgumentHelp("Instances that are kept ready; 0: none.", valueName: "n"))
    var provisioned: Int?

    @Option(name: [.customShort("q"), .customLong("qualifier")], help: ArgumentHelp("Of --provisioned: a version or an alias.", valueName: "name"))
    var qualifier: String?

    @Option(name: .customLong("reserved"), help: ArgumentHelp("Instances that are this function's alone, and its most.", valueName: "n|none"))
    var reserved: String?

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The function, by name.") var name: String

    func run() async throws {
        let reserve = try reserved.map { text throws(FlagError) in try ReservedFlag.parse(text) }
        if provisioned != nil, qualifier == nil {
            throw FlagError("--provisioned", nil, "instances are kept ready for a version or an alias", advice: "Give --qualifier.")
        }
        try await withLambda(node) { client in
            switch reserve {
            case .value(let count):
                let body: JSONObject = ["ReservedConcurrentExecutions": .integer(Int64(count))]
                _ = try await client.call(LambdaRequest("PUT", LambdaPaths.concurrency(name), json: body))
            case .absent: _ = try await client.call(LambdaRequest("DELETE", LambdaPaths.concurrency(name)))
            case nil: break
            }
            if let provisioned, let qualifier {
                let path = LambdaPaths.provisioned(name, qualifier)
                let request =
                    provisioned == 0
                    ? LambdaRequest("DELETE", path)
                    : LambdaRequest("PUT", path, json: ["ProvisionedConcurrentExecutions": .integer(Int64(provisioned))])
                _ = try await client.call(request)
            }
            try await show(client)
        }
    }

    private func show(_ client: LambdaClient) async throws {
        let reserved = try await client.call(LambdaRequest("GET", LambdaPaths.reserved(name)))["ReservedConcurrentExecutions"]
        let target = "/2019-09-30/functions/\(PathText.encoded(name))/provisioned-concurrency?List=ALL"
        let configs = try await client.list(target, "ProvisionedConcurrencyConfigs")
        if output.output == .json {
            return try StandardStreams.write(["reserved": reserved ?? .null, "provisioned": .array(configs)])
        }
        var text = "reserved: \(reserved?.integer.map { "\($0)" } ?? "none")\n"
        for config in configs {
            let qualifier = config["FunctionArn"]?.string?.split(separator: ":").last.map(String.init) ?? ""
            let counts = ["RequestedProvisionedConcurrentExecutions", "AvailableProvisionedConcurrentExecutions"]
                .map { "\(config[$0]?.integer ?? 0)" }
            text += "provisioned for \(qualifier): \(counts[0]), of which \(counts[1]) are ready (\(config["Status"]?.string ?? "?"))\n"
        }
        try StandardStreams.write(text)
    }
}
