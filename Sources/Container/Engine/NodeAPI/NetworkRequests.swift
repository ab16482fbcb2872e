package import Linux
package import Networking

// In every request `network` is a name, an id or an unambiguous beginning of one.

/// Makes a network: `networks.create`.
package struct CreateNetwork: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = NetworkCreated
    package static let operation = NodeOperation.createNetwork

    package var wish: NetworkService.Wish

    package init(_ wish: NetworkService.Wish) { self.wish = wish }
}

package struct NetworkCreated: NodeValue {
    package var id: String
    package var name: String

    package init(id: String, name: String) {
        self.id = id
        self.name = name
    }
}

/// Which networks there are: `networks.list`.
package struct ListNetworks: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = NetworkList
    package static let operation = NodeOperation.listNetworks

    /// "name=PART", "id=PART", "label=KEY[=VALUE]", "driver=bridge", "dangling=true|false".
    package var filters: [String]

    package init(filters: [String] = []) { self.filters = filters }
}

package struct NetworkList: NodeValue {
    /// By name.
    package var networks: [NetworkDetails]

    package init(networks: [NetworkDetails]) { self.networks = networks }
}

/// Everything about one network: `networks.inspect`.
package struct InspectNetwork: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = NetworkDetails
    package static let operation = NodeOperation.inspectNetwork

    package var network: String

    package init(network: String) { self.network = network }
}

/// A network and who is in it.
package struct NetworkDetails: NodeValue {
    /// A container in this network.
    package struct Member: NodeValue {
        package var id: String
        package var name: String
        package var ipv4: IPAddress
        package var ipv6: IPAddress?
        /// Of its link, "02:42:0a:c9:00:02".
        package var hardwareAddress: String
        package var aliases: [String]

        package init(
            id: String, name: String, ipv4: IPAddress, ipv6: IPAddress?, hardwareAddress: String, aliases: [String]
        ) {
            self.id = id
            self.name = name
            self.ipv4 = ipv4
            self.ipv6 = ipv6
            self.hardwareAddress = hardwareAddress
            self.aliases = aliases
        }
    }

    package var definition: NetworkDefinition
    /// Containers that run in it, by address.
    package var members: [Member]

    package init(definition: NetworkDefinition, members: [Member]) {
        self.definition = definition
        self.members = members
    }
}

/// Removes a network that no container is in: `networks.remove`.
package struct RemoveNetwork: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = NoValue
    package static let operation = NodeOperation.removeNetwork

    package var network: String

    package init(network: String) { self.network = network }
}

/// Removes every network that no container is in, the default network left out: `networks.prune`.
package struct PruneNetworks: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = NetworksPruned
    package static let operation = NodeOperation.pruneNetworks

    /// "label=KEY[=VALUE]", "label!=KEY[=VALUE]", "until=TIME".
    package var filters: [String]

    package init(filters: [String] = []) { self.filters = filters }
}

package struct NetworksPruned: NodeValue {
    package var networks: [String]

    package init(networks: [String]) { self.networks = networks }
}

/// Puts a container into one more network, at once if it runs: `networks.connect`.
package struct ConnectNetwork: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = NoValue
    package static let operation = NodeOperation.connectNetwork

    package var container: String
    package var joining: NetworkAttachment.Joining

    package init(container: String, joining: NetworkAttachment.Joining) {
        self.container = container
        self.joining = joining
    }
}

/// Takes a container out of a network, at once if it runs: `networks.disconnect`.
package struct DisconnectNetwork: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = NoValue
    package static let operation = NodeOperation.disconnectNetwork

    package var network: String
    package var container: String

    package init(network: String, container: String) {
        self.network = network
        self.container = container
    }
}
