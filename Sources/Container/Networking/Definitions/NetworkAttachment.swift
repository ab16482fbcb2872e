package import Linux

/// What a container wants of networks when it starts.
package struct NetworkAttachment: Hashable, Sendable {
    /// One network to join.
    package struct Joining: Hashable, Sendable {
        package var network: String
        /// Further names under which others in this network find it.
        package var aliases: [String]
        /// Addresses that it must have; nil: any.
        package var ipv4: IPAddress?
        package var ipv6: IPAddress?

        package init(network: String, aliases: [String] = [], ipv4: IPAddress? = nil, ipv6: IPAddress? = nil) {
            self.network = network
            self.aliases = aliases
            self.ipv4 = ipv4
            self.ipv6 = ipv6
        }
    }

    package var containerID: String
    package var containerName: String
    package var hostname: String
    /// The first that leads out has the default route. Empty: a namespace with loopback only.
    package var networks: [Joining]
    package var ports: [PublishedPort]
    /// Instead of the machine's own name servers.
    package var nameServers: [IPAddress]
    /// Instead of the machine's own; nil keeps those.
    package var searchDomains: [String]?
    package var resolverOptions: [String]?
    /// Lines for /etc/hosts: name and address; the address "host-gateway" is the machine as the container sees it.
    package var extraHosts: [ExtraHost]

    /// `--add-host NAME:ADDRESS`
    package struct ExtraHost: Hashable, Sendable {
        package var name: String
        /// nil: "host-gateway"
        package var address: IPAddress?

        package init(name: String, address: IPAddress?) {
            self.name = name
            self.address = address
        }
    }

    package init(
        containerID: String, containerName: String, hostname: String,
        networks: [Joining] = [Joining(network: NetworkDefinition.defaultName)], ports: [PublishedPort] = [],
        nameServers: [IPAddress] = [], searchDomains: [String]? = nil, resolverOptions: [String]? = nil,
        extraHosts: [ExtraHost] = []
    ) {
        self.containerID = containerID
        self.containerName = containerName
        self.hostname = hostname
        self.networks = networks
        self.ports = ports
        self.nameServers = nameServers
        self.searchDomains = searchDomains
        self.resolverOptions = resolverOptions
        self.extraHosts = extraHosts
    }
}

/// A container's place in one network.
package struct NetworkEndpoint: Hashable, Sendable {
    package var network: String
    package var networkID: String
    /// Its name inside: "eth0".
    package var interface: String
    /// The other end, a port of the bridge.
    package var hostLink: String
    package var ipv4: IPAddress
    package var ipv6: IPAddress?
    package var aliases: [String]

    package var addresses: [IPAddress] { [ipv4] + (ipv6.map { [$0] } ?? []) }

    /// "02:42:10.201.0.2": locally administered, and the same whenever the address is, so that what neighbours
    /// remember stays right.
    package var hardwareAddress: [UInt8] { [0x02, 0x42] + ipv4.bytes }
}

/// A network namespace ready for a container, with what its files should say.
package struct AttachedNetwork: Sendable {
    /// What the container's first process joins. Keep it open until that process has.
    package var namespace: SharedFD
    package var endpoints: [NetworkEndpoint]
    /// Of the default routes; empty when no network leads out.
    package var gateways: [IPAddress]
    /// With the host ports that were chosen.
    package var ports: [PublishedPort]
    package var hostname: String
    /// For /etc/hosts.
    package var hosts: String
    /// For /etc/resolv.conf.
    package var resolvConf: String
}
