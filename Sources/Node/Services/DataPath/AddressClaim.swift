import Linux

/// A port of an address outside of the cluster's that a service wants.
struct AddressClaim: Hashable, Sendable {
    var transport: Transport
    var address: IPAddress
    var port: UInt16
    /// Whether the machine has this address: others may listen there.
    var isOfMachine: Bool
    /// Whether only some sources may use it.
    var isGuarded: Bool
}

/// Who has which addresses outside of the cluster's. Pure: the oldest service first.
///
/// Invariants
/// 1. No port of an address has two services. (test: `a port of the machine has one load balancer, the older one`)
/// 2. A load balancer has all its ports, or none. (test: `a load balancer has all its ports or none`)
struct AddressClaims: Hashable, Sendable {
    private(set) var claims: [ServiceName: Set<AddressClaim>] = [:]
    /// Load balancers that have the machine's addresses.
    private(set) var balancers: Set<ServiceName> = []
    /// Load balancers that would have them, were they not somebody else's.
    private(set) var refused: Set<ServiceName> = []

    private struct Place: Hashable {
        var transport: Transport
        var address: IPAddress
        var port: UInt16
    }

    init() {}

    /// - Parameters:
    ///   - nodeAddresses: those under which the machine is known.
    ///   - reserved: TCP ports of the machine that no service may take.
    init(_ services: some Collection<ServiceDescription>, nodeAddresses: [IPAddress], reserved: Set<UInt16>) {
        let loopback = IPAddress(bytes: [127, 0, 0, 1])
        var taken: Set<Place> = []
        let wanting = services.filter { $0.isLoadBalancer || !$0.externalAddresses.isEmpty }
            .sorted { ($0.createdAt, $0.name) < ($1.createdAt, $1.name) }
        for service in wanting {
            if service.isLoadBalancer, !nodeAddresses.isEmpty {
                let wanted = (nodeAddresses + [loopback]).flatMap { address in
                    service.ports.map { Place(transport: $0.transport, address: address, port: $0.port) }
                }
                if wanted.allSatisfy({ !taken.contains($0) && !($0.transport == .tcp && reserved.contains($0.port)) }) {
                    balancers.insert(service.name)
                    give(wanted, to: service, &taken, isOfMachine: true)
                } else {
                    refused.insert(service.name)
                }
            }
            let external = service.externalAddresses.flatMap { address in
                service.ports.map { Place(transport: $0.transport, address: address, port: $0.port) }
            }
            let free = external.filter {
                !taken.contains($0) && !(nodeAddresses.contains($0.address) && reserved.contains($0.port))
            }
            give(free, to: service, &taken, isOfMachine: false)
        }
    }

    private mutating func give(
        _ places: [Place], to service: ServiceDescription, _ taken: inout Set<Place>, isOfMachine: Bool
    ) {
        for place in places where taken.insert(place).inserted {
            claims[service.name, default: []].insert(
                AddressClaim(
                    transport: place.transport, address: place.address, port: place.port, isOfMachine: isOfMachine,
                    isGuarded: isOfMachine && !service.sourceRanges.isEmpty))
        }
    }
}
