package import Linux

/// Bridges and links in the kernel. Every function blocks shortly and runs in the machine's namespace.
package enum NamespaceMaking {
    /// Makes a network's bridge unless it is there, with its addresses.
    ///
    /// - Returns: the link's number, and whether it was made now.
    static func makeBridge(of network: NetworkDefinition) throws(SystemError) -> (index: Int32, isNew: Bool) {
        let socket = try NetlinkSocket()
        if let link = try socket.links().first(where: { $0.name == network.bridge }) { return (link.index, false) }
        // An address of the bridge's own: it would otherwise change with every link that joins.
        let address: [UInt8] = [0x02, 0x42] + network.ipv4.gateway.bytes
        try socket.perform(.makeBridge(network.bridge, hardwareAddress: address, mtu: network.mtu))
        do throws(SystemError) {
            guard let index = try socket.links().first(where: { $0.name == network.bridge })?.index else {
                throw SystemError("find the bridge", network.bridge, code: .noSuchDevice)
            }
            try socket.perform(.keepWithoutOwnAddresses(network.bridge))
            try socket.perform(.bringUp(network.bridge))
            for range in network.ranges {
                try socket.perform(.addAddress(range.gateway, prefix: range.subnet.prefix, link: index))
            }
            if network.ipv6 != nil { try addLinkLocal(address, index, socket) }
            try Files.writeText("1", to: "/proc/sys/net/ipv4/conf/\(network.bridge)/route_localnet")
            return (index, true)
        } catch {
            try? socket.perform(.removeLink(network.bridge))
            throw error
        }
    }

    /// Removes links; one that is gone already is fine.
    static func remove(links: [String]) throws(SystemError) {
        let socket = try NetlinkSocket()
        for link in links {
            do throws(SystemError) { try socket.perform(.removeLink(link)) } catch {
                guard error.code == .noSuchDevice else { throw error }
            }
        }
    }

    /// A new namespace whose loopback is up and that has a link for each endpoint.
    package static func make(_ places: [Place]) throws(SystemError) -> SharedFD {
        let namespace = try NetworkNamespace.make()
        try NetworkNamespace.visit(namespace) { () throws(SystemError) in
            try closeToStrangers()
            try NetlinkSocket().perform(.bringUp("lo"))
        }
        do throws(SystemError) {
            for place in places { try connect(namespace, place) }
        } catch {
            try? remove(links: places.map(\.endpoint.hostLink))
            throw error
        }
        return namespace
    }

    /// A container in two networks is no way from one to the other (a new namespace has the machine's own switch). And
    /// routes are what we set: neither a router's advertisement (CVE-2020-13401) nor a redirect changes them, and so the
    /// next container in the namespace finds nothing of the kind either. Links made later inherit this.
    private static func closeToStrangers() throws(SystemError) {
        for (file, text) in [
            // The first: it resets others.
            ("ipv4/ip_forward", "0"), ("ipv6/conf/all/forwarding", "0"), ("ipv6/conf/default/accept_ra", "0"), ("ipv6/conf/default/accept_redirects", "0"),
            ("ipv4/conf/all/accept_redirects", "0"), ("ipv4/conf/default/accept_redirects", "0"),
        ] {
            do throws(SystemError) { try Files.writeText(text, to: "/proc/sys/net/\(file)") } catch {
                // A kernel without IPv6 has nothing to be closed.
                guard error.code == .noEntry else { throw error }
            }
        }
    }

    /// What the kernel has learnt of ways and packet sizes (ICMP), which a program may have forged, is forgotten.
    static func forgetRoutes(in namespace: SharedFD) throws(SystemError) {
        try NetworkNamespace.visit(namespace) { () throws(SystemError) in
            for family in ["ipv4", "ipv6"] {
                do throws(SystemError) { try Files.writeText("1", to: "/proc/sys/net/\(family)/route/flush") } catch {
                    guard error.code == .noEntry else { throw error }
                }
            }
        }
    }

    /// An endpoint with what has to be known of its network.
    package struct Place: Sendable {
        package var endpoint: NetworkEndpoint
        package var network: NetworkDefinition
        /// The bridge's number.
        package var bridge: Int32
        package var hasDefaultRoute: Bool

        package init(endpoint: NetworkEndpoint, network: NetworkDefinition, bridge: Int32, hasDefaultRoute: Bool) {
            self.endpoint = endpoint
            self.network = network
            self.bridge = bridge
            self.hasDefaultRoute = hasDefaultRoute
        }
    }

    /// Puts a link between a bridge and a namespace, with address and routes.
    static func connect(_ namespace: SharedFD, _ place: Place) throws(SystemError) {
        let endpoint = place.endpoint
        let socket = try NetlinkSocket()
        try withExtendedLifetime(namespace) { () throws(SystemError) in
            try socket.perform(
                .makePair(
                    endpoint.hostLink, bridge: place.bridge, mtu: place.network.mtu,
                    peer: NetlinkRequest.Peer(
                        name: endpoint.interface, hardwareAddress: endpoint.hardwareAddress, namespace: namespace.raw)))
        }
        do throws(SystemError) {
            try socket.perform(.keepWithoutOwnAddresses(endpoint.hostLink))
            try socket.perform(.allowReturn(endpoint.hostLink))
            try socket.perform(.bringUp(endpoint.hostLink))
            try NetworkNamespace.visit(namespace) { () throws(SystemError) in try address(place) }
        } catch {
            try? socket.perform(.removeLink(endpoint.hostLink))
            throw error
        }
    }

    private static func address(_ place: Place) throws(SystemError) {
        let socket = try NetlinkSocket()
        let link = try number(of: place.endpoint.interface, socket)
        try socket.perform(.keepWithoutOwnAddresses(place.endpoint.interface))
        try socket.perform(.bringUp(place.endpoint.interface))
        for address in place.endpoint.addresses {
            let range = address.isIPv6 ? place.network.ipv6! : place.network.ipv4
            try socket.perform(.addAddress(address, prefix: range.subnet.prefix, link: link))
            if place.hasDefaultRoute { try socket.perform(.addDefaultRoute(by: range.gateway, link: link)) }
        }
        if place.network.ipv6 != nil { try addLinkLocal(place.endpoint.hardwareAddress, link, socket) }
    }

    /// Where there is IPv6, neighbours are looked for from such an address when a packet comes from elsewhere (RFC 4861
    /// 7.2.2). Given by us and not by the kernel, which would first wait a second for duplicates.
    private static func addLinkLocal(
        _ hardwareAddress: [UInt8], _ link: Int32, _ socket: borrowing NetlinkSocket
    ) throws(SystemError) {
        try socket.perform(.addAddress(IPAddress(linkLocalOf: hardwareAddress), prefix: 64, link: link))
    }

    /// Lets everything that is not near go through one of a namespace's links.
    static func addDefaultRoutes(
        in namespace: SharedFD, by gateways: [IPAddress], through interface: String
    ) throws(SystemError) {
        try NetworkNamespace.visit(namespace) { () throws(SystemError) in
            let socket = try NetlinkSocket()
            let link = try number(of: interface, socket)
            for gateway in gateways { try socket.perform(.addDefaultRoute(by: gateway, link: link)) }
        }
    }

    /// The kernel chooses the number: that of a link which has left is not used again.
    private static func number(of interface: String, _ socket: borrowing NetlinkSocket) throws(SystemError) -> Int32 {
        guard let link = try socket.links().first(where: { $0.name == interface }) else {
            throw SystemError("find the link", interface, code: .noSuchDevice)
        }
        return link.index
    }
}
