import ArgumentParser
import Comparison
import Engine
import JSON
import Linux
import Networking

/// `forkless network ls`
struct NetworkListCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "Lists networks.",
        discussion: "The network \"bridge\" is made by the first container that joins it. none and host are no networks of the node.",
        aliases: ["list"])

    @Flag(name: [.customShort("q"), .customLong("quiet")], help: "Only the ids.")
    var isQuiet = false

    // What is shown is whole: the flag is there for who is used to it.
    @Flag(name: .customLong("no-trunc"), help: "Whole ids (they are never shortened).")
    var isWhole = false

    @Option(
        name: [.customShort("f"), .customLong("filter")], parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Only these: name, id, label, driver, dangling.", valueName: "key=value"))
    var filters: [String] = []

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags

    func run() async throws {
        let answer = try await node.connect().call(ListNetworks(filters: filters))
        let definitions = answer.networks.map(\.definition)
        switch (output.output, isQuiet) {
        case (.json, true): try StandardStreams.write(definitions.map(\.id).json)
        case (.json, false): try StandardStreams.write(answer.json)
        case (.text, true): try StandardStreams.write(definitions.map { $0.id + "\n" }.joined())
        case (.text, false): try StandardStreams.write(Self.listing(definitions).text(width: StandardStreams.width))
        }
    }

    static func listing(_ networks: [NetworkDefinition]) -> Listing {
        Listing(
            columns: [.init("NETWORK ID"), .init("NAME"), .init("DRIVER"), .init("SCOPE")],
            rows: networks.map { [$0.id, $0.name, NetworkDefinition.driver, "local"] })
    }
}

/// `forkless network inspect`
struct NetworkInspectCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Shows everything about networks and who is in them, as JSON.")

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The networks, by name or id.") var networks: [String]

    func run() async throws {
        let client = try await node.connect()
        var details: [JSONValue] = []
        for network in networks { details.append(try await client.call(InspectNetwork(network: network)).json) }
        try StandardStreams.write(.array(details))
    }
}
