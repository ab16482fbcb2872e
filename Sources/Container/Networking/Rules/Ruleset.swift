package import Linux

/// The packet rules of one node: what nftables is to do for its networks and published ports. A pure value.
///
/// Everything that comes and goes is an element of a set or a map, so that the chains never change and a
/// difference is a few elements, whatever else there is.
package struct Ruleset: Hashable, Sendable {
    /// A bridge and what may pass it.
    package struct Bridge: Hashable, Sendable {
        package var name: String
        package var subnets: [Subnet]
        /// Nothing passes between it and anything else.
        package var isInternal: Bool

        package init(name: String, subnets: [Subnet], isInternal: Bool) {
            self.name = name
            self.subnets = subnets
            self.isInternal = isInternal
        }
    }

    /// A published port and where it leads.
    package struct Port: Hashable, Sendable {
        package var published: PublishedPort
        package var target: IPAddress

        package init(_ published: PublishedPort, target: IPAddress) {
            self.published = published
            self.target = target
        }
    }

    package var bridges: [Bridge]
    package var ports: [Port]
    /// Whether packets between interfaces that are nobody's bridges are dropped: the machine did not route before its
    /// networks needed it, and does not become a router for its neighbours by them.
    package var refusesTransit: Bool

    package init(bridges: [Bridge] = [], ports: [Port] = [], refusesTransit: Bool = false) {
        self.bridges = bridges
        self.ports = ports
        self.refusesTransit = refusesTransit
    }

    /// The elements of every set and map, by its name; all of them are there, also empty ones.
    var elements: [String: Set<String>] {
        var elements = Dictionary(uniqueKeysWithValues: RulesetText.collections.map { ($0.name, Set<String>()) })
        for bridge in bridges {
            let name = "\"\(bridge.name)\""
            elements["bridges"]!.insert(name)
            elements["same"]!.insert("\(name) . \(name)")
            if bridge.isInternal { elements["inside"]!.insert(name) }
            for subnet in bridge.subnets { elements[subnet.isIPv6 ? "subnets6" : "subnets4"]!.insert("\(subnet)") }
        }
        for port in ports {
            let published = port.published
            let key = "\(published.transport.rawValue) . \(published.hostPort)"
            let target = "\(port.target) . \(published.containerPort)"
            let family = published.hostAddress.isIPv6 ? "6" : "4"
            if published.hostAddress.isUnspecified {
                elements["any\(family)"]!.insert("\(key) : \(target)")
            } else {
                elements["at\(family)"]!.insert("\(published.hostAddress) . \(key) : \(target)")
            }
        }
        return elements
    }
}
