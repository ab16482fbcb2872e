package import Linux

/// Which addresses of a subnet are taken. Pure.
///
/// Invariants
/// 1. An address is given out once until it is given back; gateway, network and broadcast address never are.
///    (test: `every address of a small subnet is given out once`)
/// 2. An address that came back is given out again as late as possible: what peers remember of it has faded.
///    (test: `an address that came back is the last to be given out again`)
package struct AddressBook: Hashable, Sendable {
    package let subnet: Subnet
    package let gateway: IPAddress
    /// Where addresses are chosen: the whole subnet or a part of it.
    private let choice: Subnet
    private var taken: Set<IPAddress> = []
    /// Offset from the choice's base at which the next search begins.
    private var next: UInt64 = 0

    package init(_ range: NetworkDefinition.Range) {
        subnet = range.subnet
        gateway = range.gateway
        choice = range.choice ?? range.subnet
    }

    /// How many addresses are given out.
    package var count: Int { taken.count }

    /// The highest offset. Of IPv6 subnets the first 2^32 addresses are used: enough, and countable.
    private var lastOffset: UInt64 { (1 << UInt64(min(choice.hostBits, 32))) - 1 }

    /// Whether an address could belong to a host of this subnet, the gateway included.
    package func canBeHost(_ address: IPAddress) -> Bool {
        guard subnet.contains(address), address != subnet.base else { return false }
        return subnet.isIPv6 || address != subnet.base.advanced(by: (1 << UInt64(subnet.hostBits)) - 1)
    }

    /// The next free address; nil when there is none.
    package mutating func take() -> IPAddress? {
        // One more look than addresses are taken or never given out (base, broadcast, gateway) finds a free one.
        let looks = min(lastOffset + 1, UInt64(taken.count) + 4)
        for _ in 0..<looks {
            if next > lastOffset { next = 0 }
            let address = choice.base.advanced(by: next)!
            next += 1
            if address != gateway, canBeHost(address), taken.insert(address).inserted { return address }
        }
        return nil
    }

    /// This address, if it can be had.
    package mutating func take(_ address: IPAddress) throws(NetworkFailure) {
        guard canBeHost(address), address != gateway else {
            throw NetworkFailure(.invalid, "\(address) is not for a container in \(subnet), whose gateway is \(gateway)")
        }
        guard taken.insert(address).inserted else {
            throw NetworkFailure(.conflict, "\(address) belongs to another container already")
        }
    }

    /// Gives an address back that was taken.
    package mutating func giveBack(_ address: IPAddress) { taken.remove(address) }
}

/// Chooses subnets that nothing else on the machine uses. Pure.
package enum SubnetChoice {
    /// 10.201.0.0/16 and the next fifty: where neither Docker (172.17 to 172.31, 192.168) nor most routers are.
    private static let candidates = (201...251).map { Subnet(containing: IPAddress(bytes: [10, UInt8($0), 0, 0]), prefix: 16) }

    /// The first that overlaps with none of those in use.
    package static func ipv4(avoiding used: [Subnet]) -> Subnet? {
        candidates.first { candidate in !used.contains { $0.overlaps(candidate) } }
    }

    /// A unique local /64, RFC 4193: forty random bits make it differ from everybody else's.
    package static func ipv6(random: UInt64) -> Subnet {
        var bytes = [UInt8](repeating: 0, count: 16)
        bytes[0] = 0xfd
        for index in 1...7 { bytes[index] = UInt8(truncatingIfNeeded: random >> UInt64(8 * index)) }
        return Subnet(containing: IPAddress(bytes: bytes), prefix: 64)
    }

    /// The gateway unless the user says otherwise: the first host address.
    package static func gateway(of subnet: Subnet) -> IPAddress { subnet.base.advanced(by: 1)! }
}
