import ArgumentParser
import Engine
import JSON
import Linux

/// `forkless network rm`
struct NetworkRemoveCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Removes networks that no container is in.", aliases: ["remove"])

    @Flag(name: [.customShort("f"), .customLong("force")], help: "One that is not there is fine.")
    var force = false

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The networks, by name or id.") var networks: [String]

    func run() async throws {
        let client = try await node.connect()
        let force = force
        try await EachContainer(networks, output.output).report { network in
            do throws(NodeFailure) { return try await client.call(RemoveNetwork(network: network)).json } catch {
                guard force, error.kind == .notFound else { throw error }
                return NoValue().json
            }
        }
    }
}

/// `forkless network prune`
struct NetworkPruneCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Removes every network that no container is in, but for the default one.")

    @Flag(name: [.customShort("f"), .customLong("force")], help: "Do not ask first.")
    var force = false

    @Option(
        name: .customLong("filter"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Only these: label, label!, until (a time, or so long ago).", valueName: "key=value"))
    var filters: [String] = []

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags

    func run() async throws {
        let request = PruneNetworks(filters: try FilterFlags.resolved(filters, now: Clock.now()))
        let warning = "WARNING! This will remove all networks not used by at least one container."
        guard try force || Confirmation.isGiven(to: warning) else { return }
        let answer = try await node.connect().call(request)
        switch output.output {
        case .json: try StandardStreams.write(answer.json)
        case .text:
            guard !answer.networks.isEmpty else { return }
            try StandardStreams.write("Deleted Networks:\n" + answer.networks.map { $0 + "\n" }.joined())
        }
    }
}
