import ArgumentParser
import Engine
import JSON
import Linux
import Networking

/// `forkless network create`
struct NetworkCreateCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Makes a network, whose bridge comes with its first container.")

    @Option(
        name: .customLong("subnet"),
        help: ArgumentHelp("Its addresses, for IPv4 and for IPv6; by default some that are free.", valueName: "subnet"))
    var subnets: [String] = []

    @Option(name: .customLong("gateway"), help: ArgumentHelp("The machine's own address in it.", valueName: "address"))
    var gateways: [String] = []

    @Option(
        name: .customLong("ip-range"),
        help: ArgumentHelp("The part of the subnet where containers get theirs.", valueName: "subnet"))
    var ranges: [String] = []

    @Flag(name: .customLong("internal"), help: "Nothing leads out of it or into it.")
    var isInternal = false

    @Flag(name: .customLong("ipv6"), help: "Also IPv6.")
    var wantsIPv6 = false

    @Option(name: .customLong("label"), help: ArgumentHelp("Attach a label.", valueName: "name=value"))
    var labels: [String] = []

    @Option(
        name: [.customShort("o"), .customLong("opt")],
        help: ArgumentHelp("mtu=BYTES, or com.docker.network.driver.mtu=BYTES.", valueName: "name=value"))
    var options: [String] = []

    @Option(name: [.customShort("d"), .customLong("driver")], help: ArgumentHelp("\"bridge\", the only one.", valueName: "driver"))
    var driver: String?

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "Its name.") var name: String

    func run() async throws {
        let made = try await node.connect().call(CreateNetwork(try wish()))
        switch output.output {
        case .json: try StandardStreams.write(made.json)
        case .text: try StandardStreams.write(made.id + "\n")
        }
    }

    func wish() throws(FlagError) -> NetworkService.Wish {
        if let driver, driver != NetworkDefinition.driver {
            throw FlagError("--driver", driver, "there is no such driver", advice: "The only one is \(NetworkDefinition.driver).")
        }
        var wish = NetworkService.Wish(name: name)
        for text in subnets { wish.subnets.append(try Self.subnet(text, "--subnet")) }
        for text in ranges { wish.choices.append(try Self.subnet(text, "--ip-range")) }
        for text in gateways { wish.gateways.append(try AddressFlag.parse(text, flag: "--gateway")) }
        wish.isInternal = isInternal
        wish.wantsIPv6 = wantsIPv6
        wish.labels = try LabelFlags.labels(labels)
        for text in options {
            let pair = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard pair.count == 2, ["mtu", "com.docker.network.driver.mtu"].contains(pair[0]) else {
                throw FlagError("--opt", text, "there is no such option", advice: "There is mtu=BYTES.")
            }
            guard let mtu = UInt32(pair[1]) else { throw FlagError("--opt", text, "it is no number of bytes") }
            wish.mtu = mtu
        }
        return wish
    }

    private static func subnet(_ text: String, _ flag: String) throws(FlagError) -> Subnet {
        if let subnet = Subnet(text) { return subnet }
        throw FlagError(
            flag, text, "it is no subnet", advice: "Write its first address and how many bits are common, such as 10.9.0.0/16.")
    }
}
