import ArgumentParser
import Engine
import Linux
import Networking
import OCI

/// The flags of `run` and `create` about ports, names and addresses. Forms and meanings are Docker's.
struct NetworkFlags: ParsableArguments {
    @Option(
        name: [.customShort("p", allowingJoined: true), .customLong("publish")], parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Make a port reachable from outside.", valueName: "[address:][port:]port[/udp]"))
    var ports: [String] = []

    @Flag(name: [.customShort("P"), .customLong("publish-all")], help: "Publish every exposed port at a free one.")
    var publishesAll = false

    @Option(name: .customLong("expose"), help: ArgumentHelp("A port that the program serves.", valueName: "port[-port][/udp]"))
    var exposed: [String] = []

    @Option(
        name: [.customLong("network-alias"), .customLong("net-alias")],
        help: ArgumentHelp("A further name in the (first) network.", valueName: "name"))
    var aliases: [String] = []

    @Option(name: .customLong("ip"), help: ArgumentHelp("The address in the (first) network.", valueName: "address"))
    var ipv4: String?

    @Option(name: .customLong("ip6"), help: ArgumentHelp("The IPv6 address there.", valueName: "address"))
    var ipv6: String?

    @Option(name: .customLong("dns"), help: ArgumentHelp("Ask this name server instead of the machine's.", valueName: "address"))
    var nameServers: [String] = []

    @Option(name: .customLong("dns-search"), help: ArgumentHelp("Search names in this domain; \".\" for none.", valueName: "domain"))
    var searchDomains: [String] = []

    @Option(
        name: [.customLong("dns-option"), .customLong("dns-opt")],
        help: ArgumentHelp("An option of resolv.conf(5).", valueName: "option"))
    var resolverOptions: [String] = []

    @Option(
        name: .customLong("add-host"),
        help: ArgumentHelp("A line for /etc/hosts; \"host-gateway\" is this machine.", valueName: "name:address"))
    var extraHosts: [String] = []

    /// Writes what the flags say into a spec that has its network already.
    ///
    /// - Throws: `FlagError` for the first flag that cannot be used.
    func write(to spec: inout ContainerSpec) throws(FlagError) {
        for text in ports {
            do throws(NetworkFailure) { spec.ports += try PublishedPort.parse(text) } catch {
                throw FlagError("-p", text, error.description)
            }
        }
        spec.publishesExposedPorts = publishesAll
        for text in exposed { spec.exposedPorts += try ExposeFlag.parse(text) }
        for text in nameServers { spec.nameServers.append(try AddressFlag.parse(text, flag: "--dns")) }
        if !searchDomains.isEmpty { spec.searchDomains = searchDomains.filter { $0 != "." } }
        if !resolverOptions.isEmpty { spec.resolverOptions = resolverOptions }
        for text in extraHosts { spec.extraHosts.append(try ExtraHostFlag.parse(text)) }
        try writeFirstNetwork(to: &spec)
    }

    private func writeFirstNetwork(to spec: inout ContainerSpec) throws(FlagError) {
        guard !aliases.isEmpty || ipv4 != nil || ipv6 != nil else { return }
        let flag = !aliases.isEmpty ? "--network-alias" : ipv4 != nil ? "--ip" : "--ip6"
        var networks: [NetworkAttachment.Joining]
        switch spec.network {
        case nil: networks = [.init(network: NetworkDefinition.defaultName)]
        case .joined(let named): networks = named
        case .isolated, .host, .container, .pod:
            throw FlagError(
                flag, nil, "names and addresses are had in networks of the node only",
                advice: "Name one with --network NAME, or leave \(flag) out.")
        }
        let hasOwn = !networks[0].aliases.isEmpty || networks[0].ipv4 != nil || networks[0].ipv6 != nil
        guard !hasOwn else {
            throw FlagError(
                flag, nil, "--network name=\(networks[0].network) says such things, too", advice: "Say it in one place.")
        }
        networks[0].aliases = aliases
        if let ipv4 { networks[0].ipv4 = try AddressFlag.parse(ipv4, flag: "--ip", isIPv6: false) }
        if let ipv6 { networks[0].ipv6 = try AddressFlag.parse(ipv6, flag: "--ip6", isIPv6: true) }
        spec.network = .joined(networks)
    }
}

/// `--network`, given once or several times.
enum NetworkFlag {
    /// none, host, container:NAME, NAME, or name=NAME,alias=...,ip=...,ip6=...; nil: nothing was said.
    static func choice(_ texts: [String]) throws(FlagError) -> ContainerNetwork? {
        guard let first = texts.first else { return nil }
        switch first {
        case "none" where texts.count == 1: return .isolated
        case "host" where texts.count == 1: return .host
        default: break
        }
        if texts.count == 1, first.hasPrefix("container:") {
            let container = String(first.dropFirst("container:".count))
            guard !container.isEmpty else {
                throw FlagError("--network", first, "no container is named", advice: "Write container:NAME.")
            }
            return .container(container)
        }
        var networks: [NetworkAttachment.Joining] = []
        for text in texts {
            guard text != "none", text != "host", !text.hasPrefix("container:") else {
                throw FlagError("--network", text, "it goes with no other network", advice: "Give it alone, or only networks of the node.")
            }
            networks.append(try joining(text))
        }
        return .joined(networks)
    }

    private static func joining(_ text: String) throws(FlagError) -> NetworkAttachment.Joining {
        let advice = "Write NAME, or name=NAME,alias=...,ip=...,ip6=...: see `forkless network ls`."
        guard text.contains("=") else {
            guard !text.isEmpty else { throw FlagError("--network", text, "no network is named", advice: advice) }
            return .init(network: text == "default" ? NetworkDefinition.defaultName : text)
        }
        var joining = NetworkAttachment.Joining(network: "")
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard pair.count == 2, !pair[1].isEmpty else { throw FlagError("--network", text, "\"\(part)\" has no value", advice: advice) }
            switch pair[0] {
            case "name": joining.network = pair[1]
            case "alias": joining.aliases.append(pair[1])
            case "ip": joining.ipv4 = try AddressFlag.parse(pair[1], flag: "--network ip", isIPv6: false)
            case "ip6": joining.ipv6 = try AddressFlag.parse(pair[1], flag: "--network ip6", isIPv6: true)
            default: throw FlagError("--network", text, "unknown key \"\(pair[0])\"", advice: advice)
            }
        }
        guard !joining.network.isEmpty else { throw FlagError("--network", text, "no network is named", advice: advice) }
        return joining
    }
}

/// An address.
enum AddressFlag {
    /// - Parameter isIPv6: which kind it has to be; nil: either.
    static func parse(_ text: String, flag: String, isIPv6: Bool? = nil) throws(FlagError) -> IPAddress {
        guard let address = IPAddress(text) else {
            throw FlagError(flag, text, "it is no address", advice: "Write one such as 10.9.0.2 or fd00::2.")
        }
        if let isIPv6, address.isIPv6 != isIPv6 {
            throw FlagError(flag, text, isIPv6 ? "it is an IPv4 address" : "it is an IPv6 address")
        }
        return address
    }
}

/// `--expose PORT[-PORT][/tcp|udp|sctp]`
enum ExposeFlag {
    static func parse(_ text: String) throws(FlagError) -> [ContainerPort] {
        func wrong() -> FlagError {
            FlagError("--expose", text, "it is no port", advice: "Write PORT, PORT-PORT, PORT/udp; ports are 1 to 65535.")
        }
        let halves = text.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count <= 2,
            let transport = ContainerPort.TransportProtocol(rawValue: halves.count == 2 ? halves[1].lowercased() : "tcp")
        else { throw wrong() }
        let ends = halves[0].split(separator: "-", omittingEmptySubsequences: false).map { end in
            end.utf8.allSatisfy { (48...57).contains($0) } ? UInt16(end) : nil
        }
        guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1], first > 0, first <= last,
            last - first < PublishedPort.rangeLimit
        else { throw wrong() }
        return (first...last).compactMap { ContainerPort($0, transport) }
    }
}

/// `--add-host NAME:ADDRESS`, also `NAME=ADDRESS`; the address may be `host-gateway` or in brackets.
enum ExtraHostFlag {
    static func parse(_ text: String) throws(FlagError) -> NetworkAttachment.ExtraHost {
        func wrong(_ problem: String) -> FlagError {
            FlagError("--add-host", text, problem, advice: "Write NAME:ADDRESS, or NAME:host-gateway for this machine.")
        }
        guard let sign = text.firstIndex(where: { $0 == "=" || $0 == ":" }) else { throw wrong("there is no address") }
        let name = String(text[..<sign])
        var rest = text[text.index(after: sign)...]
        guard !name.isEmpty, DNSName.isHostName(name) else { throw wrong("\"\(name)\" is no host name") }
        if rest == "host-gateway" { return .init(name: name, address: nil) }
        if rest.hasPrefix("["), rest.hasSuffix("]") { rest = rest.dropFirst().dropLast() }
        guard let address = IPAddress(rest) else { throw wrong("\"\(rest)\" is no address") }
        return .init(name: name, address: address)
    }
}
