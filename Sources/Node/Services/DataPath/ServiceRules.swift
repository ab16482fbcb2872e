import Linux

/// One service and its endpoints as rules. Pure.
///
/// Invariants
/// 1. A withdrawn endpoint is in no rule. (test: `a withdrawn pod is in no rule`)
/// 2. Endpoints that end answer only where no other does. (test: `endpoints that end are used when there are no others`)
/// 3. A service without endpoints refuses: it has no entry, and its addresses are those of `closed` or the cluster's.
///    (test: `a service without endpoints has no way and is refused`)
struct ServiceRules {
    var service: ServiceDescription
    var slices: [SliceDescription]
    var withdrawals = Withdrawals()
    /// Addresses outside of the cluster's that the service has, with the transport and port.
    var claims: Set<AddressClaim> = []

    /// Where a port of the service leads, in a fixed order, none twice.
    func targets(of port: ServiceDescription.Port, isIPv6: Bool) -> [InternetEndpoint] {
        var ready: Set<InternetEndpoint> = []
        var ending: Set<InternetEndpoint> = []
        for slice in slices {
            guard let number = slice.ports.first(where: { $0.name == port.name && $0.transport == port.transport })?.number
            else { continue }
            for endpoint in slice.endpoints
            where endpoint.address.isIPv6 == isIPv6 && !withdrawals.contains(endpoint) {
                if endpoint.isReady || service.publishesNotReady {
                    ready.insert(InternetEndpoint(endpoint.address, number))
                } else if endpoint.isServing && endpoint.isTerminating {
                    ending.insert(InternetEndpoint(endpoint.address, number))
                }
            }
        }
        return (ready.isEmpty ? ending : ready).sorted { ($0.address, $0.port) < ($1.address, $1.port) }
    }

    /// What the service adds to the table.
    var part: RulePart {
        var part = RulePart()
        guard !service.isHeadless, service.externalName == nil else { return part }
        for port in service.ports {
            for isIPv6 in [false, true] { add(port, isIPv6, to: &part) }
        }
        return part
    }

    private func add(_ port: ServiceDescription.Port, _ isIPv6: Bool, to part: inout RulePart) {
        let family = isIPv6 ? 1 : 0
        let targets = targets(of: port, isIPv6: isIPv6)
        let own = service.clusterAddresses.filter { $0.isIPv6 == isIPv6 }
        let claimed = claims.filter { $0.address.isIPv6 == isIPv6 && $0.transport == port.transport && $0.port == port.port }
        func key(_ address: IPAddress) -> String { "\(port.transport.rawValue) . \(address) . \(port.port)" }
        guard !targets.isEmpty else {
            // The cluster's own addresses are closed as a whole, the machine's by whoever listens there or nobody.
            for claim in claimed where !claim.isOfMachine { part.add(key(claim.address), to: BaseRules.closed[family]) }
            return
        }
        let chain = "svc\(isIPv6 ? 6 : 4)/\(service.name)/\(port.transport.rawValue)/\(port.port)"
        for address in own { part.add("\(key(address)) : goto \(chain)", to: BaseRules.services[family]) }
        if let nodePort = port.nodePort {
            part.add("\(port.transport.rawValue) . \(nodePort) : goto \(chain)", to: BaseRules.ports[family])
        }
        for claim in claimed {
            let way = claim.isGuarded ? guarded(chain, isIPv6, &part) : chain
            part.add("\(key(claim.address)) : goto \(way)", to: BaseRules.services[family])
        }
        for target in targets {
            part.add("\(target.address) . \(target.address)", to: BaseRules.selves[family])
            part.add("\(target.address)", to: BaseRules.endpoints[family])
        }
        part.merge(choice(chain, targets, port.transport, isIPv6))
    }

    /// A chain that lets only some sources on.
    private func guarded(_ chain: String, _ isIPv6: Bool, _ part: inout RulePart) -> String {
        let ranges = service.sourceRanges.filter { $0.isIPv6 == isIPv6 }.sorted()
        guard !service.sourceRanges.isEmpty else { return chain }
        let name = "from/" + chain
        let family = isIPv6 ? "ip6" : "ip"
        part.chains[name] = ranges.map { "\(family) saddr \($0) goto \(chain)" } + ["drop"]
        return name
    }

    private func choice(
        _ chain: String, _ targets: [InternetEndpoint], _ transport: Transport, _ isIPv6: Bool
    ) -> RulePart {
        let family = isIPv6 ? "ip6" : "ip"
        let change = "meta l4proto \(transport.rawValue) dnat \(family) to"
        var part = RulePart()
        guard let seconds = service.affinitySeconds else {
            let members = targets.enumerated().map { "\($0) : \($1.address) . \($1.port)" }.joined(separator: ", ")
            part.chains[chain] = [
                targets.count == 1
                    ? "\(change) \(targets[0])"
                    : "\(change) numgen random mod \(targets.count) map { \(members) }"
            ]
            return part
        }
        // Whoever came lately finds its address in the set of the endpoint that it had.
        var returning: [String] = []
        var members: [String] = []
        for (index, target) in targets.enumerated() {
            let place = "\(chain)/\(Self.word(target.address)).\(target.port)"
            part.sets["at/" + place] =
                "type \(isIPv6 ? "ipv6_addr" : "ipv4_addr"); flags dynamic, timeout; size \(Self.clientLimit);"
            part.chains["to/" + place] = ["update @at/\(place) { \(family) saddr timeout \(seconds)s }", "\(change) \(target)"]
            returning.append("\(family) saddr @at/\(place) goto to/\(place)")
            members.append("\(index) : goto to/\(place)")
        }
        part.chains[chain] =
            returning + ["numgen random mod \(targets.count) vmap { \(members.joined(separator: ", ")) }"]
        return part
    }

    /// So many clients of an endpoint are remembered; further ones are served, but not remembered.
    private static let clientLimit = 65536

    /// An address as part of a name in nft's language.
    private static func word(_ address: IPAddress) -> String {
        String("\(address)".map { $0 == ":" ? "_" : $0 })
    }
}
