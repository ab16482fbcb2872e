import ArgumentParser
import Engine
import JSON
import Linux
import Networking

/// `forkless network connect`
struct NetworkConnectCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "connect", abstract: "Puts a container into one more network, at once if it runs.")

    @Option(name: .customLong("alias"), help: ArgumentHelp("A further name in this network.", valueName: "name"))
    var aliases: [String] = []

    @Option(name: .customLong("ip"), help: ArgumentHelp("Its address there.", valueName: "address"))
    var ipv4: String?

    @Option(name: .customLong("ip6"), help: ArgumentHelp("Its IPv6 address there.", valueName: "address"))
    var ipv6: String?

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The network, by name or id.") var network: String
    @Argument(help: "The container, by name or id.") var container: String

    func run() async throws {
        var joining = NetworkAttachment.Joining(network: network, aliases: aliases)
        if let ipv4 { joining.ipv4 = try AddressFlag.parse(ipv4, flag: "--ip", isIPv6: false) }
        if let ipv6 { joining.ipv6 = try AddressFlag.parse(ipv6, flag: "--ip6", isIPv6: true) }
        let answer = try await node.connect().call(ConnectNetwork(container: container, joining: joining))
        if output.output == .json { try StandardStreams.write(answer.json) }
    }
}

/// `forkless network disconnect`
struct NetworkDisconnectCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "disconnect", abstract: "Takes a container out of a network, at once if it runs.")

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The network, by name or id.") var network: String
    @Argument(help: "The container, by name or id.") var container: String

    func run() async throws {
        let answer = try await node.connect().call(DisconnectNetwork(network: network, container: container))
        if output.output == .json { try StandardStreams.write(answer.json) }
    }
}
