package import Linux

/// What a network is: a name, subnets, and whether it leads out of the machine.
///
/// Invariants
/// 1. A definition that `check` accepts can be made on a machine where nothing else has its subnets.
///    (test: `a definition that makes no sense is refused with its reason`)
package struct NetworkDefinition: Hashable, Sendable {
    /// A subnet with the address that the bridge has in it, which is the containers' gateway and name server.
    package struct Range: Hashable, Sendable {
        package var subnet: Subnet
        package var gateway: IPAddress
        /// The part of the subnet in which containers get their addresses; nil: all of it.
        package var choice: Subnet?

        package init(subnet: Subnet, gateway: IPAddress, choice: Subnet? = nil) {
            self.subnet = subnet
            self.gateway = gateway
            self.choice = choice
        }
    }

    /// Twelve hexadecimal digits, chosen at random; the bridge is called after it.
    package var id: String
    package var name: String
    package var ipv4: Range
    package var ipv6: Range?
    /// No way out of it and none into it, not even for published ports; names outside are not resolved.
    package var isInternal: Bool
    /// Bytes; nil is the kernel's default.
    package var mtu: UInt32?
    package var labels: [String: String]
    package var createdAt: Timestamp

    /// The network that containers join unless they say otherwise, made on first use.
    package static let defaultName = "bridge"
    /// What makes networks: there is one way.
    package static let driver = "bridge"
    /// Names that mean something else in `--network`.
    package static let reservedNames: Set<String> = ["host", "none", "default", "container"]

    package init(
        id: String, name: String, ipv4: Range, ipv6: Range? = nil, isInternal: Bool = false, mtu: UInt32? = nil,
        labels: [String: String] = [:], createdAt: Timestamp
    ) {
        self.id = id
        self.name = name
        self.ipv4 = ipv4
        self.ipv6 = ipv6
        self.isInternal = isInternal
        self.mtu = mtu
        self.labels = labels
        self.createdAt = createdAt
    }

    package var ranges: [Range] { [ipv4] + (ipv6.map { [$0] } ?? []) }

    /// The bridge's name: within the kernel's 15 bytes, and told from other programs' bridges by its beginning.
    package var bridge: String { "fk" + id }

    /// - Throws: `NetworkFailure` that says which value is wrong and what is possible.
    package func check() throws(NetworkFailure) {
        try Self.check(name: name)
        guard id.utf8.count == 12, id.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else {
            throw NetworkFailure(.invalid, "network \(name): its id \"\(id)\" is not twelve hexadecimal digits")
        }
        if let mtu, !(1280...65535).contains(mtu) {
            throw NetworkFailure(.invalid, "network \(name): an MTU of \(mtu) is not possible; it is 1280 to 65535 bytes")
        }
        guard !ipv4.subnet.isIPv6, ipv6?.subnet.isIPv6 ?? true else {
            throw NetworkFailure(.invalid, "network \(name): an IPv4 and an IPv6 subnet are mixed up")
        }
        for range in ranges { try Self.check(range, of: name) }
    }

    /// A name begins with a letter or digit and goes on with those, "_", "." and "-": it becomes a file name.
    package static func check(name: String) throws(NetworkFailure) {
        let bytes = Array(name.utf8)
        func isWord(_ byte: UInt8) -> Bool {
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        }
        guard let first = bytes.first, bytes.count <= 63, isWord(first),
            bytes.allSatisfy({ isWord($0) || [UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-")].contains($0) })
        else {
            throw NetworkFailure(
                .invalid,
                "\"\(name)\" is no name for a network: it has up to 63 letters, digits, \"_\", \".\" and \"-\", a letter or digit first")
        }
        guard !reservedNames.contains(name) else {
            throw NetworkFailure(.invalid, "a network cannot be called \(name), which means something else: choose another name")
        }
    }

    private static func check(_ range: Range, of name: String) throws(NetworkFailure) {
        let subnet = range.subnet
        guard subnet.hostBits >= 2, subnet.hostBits <= (subnet.isIPv6 ? 96 : 24) else {
            throw NetworkFailure(
                .invalid,
                "network \(name): \(subnet) has no room or too much; a prefix is /8 to /30 for IPv4, /32 to /126 for IPv6")
        }
        let base = subnet.base
        guard !base.isMulticast, !base.isLoopback, base.bytes[0] != 0 || subnet.isIPv6, base.bytes[0] != 127 || subnet.isIPv6,
            !(subnet.isIPv6 && base.bytes[0] == 0xfe)
        else { throw NetworkFailure(.invalid, "network \(name): \(subnet) is not for hosts; private ranges are in 10.0.0.0/8 or fd00::/8") }
        guard AddressBook(range).canBeHost(range.gateway) else {
            throw NetworkFailure(.invalid, "network \(name): the gateway \(range.gateway) is no host address of \(subnet)")
        }
        if let choice = range.choice, choice.prefix < subnet.prefix || !subnet.contains(choice.base) {
            throw NetworkFailure(.invalid, "network \(name): the range \(choice) is no part of \(subnet)")
        }
    }
}
