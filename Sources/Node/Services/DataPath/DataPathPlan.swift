import Linux
import Networking

/// From the cluster's model to what is to be changed in the kernel. Pure; keeps what the last plan gave.
///
/// Invariant: what is planned from one change after the other is what is planned from all at once.
/// (test: `the model is the same whatever way the cluster came to be`)
struct DataPathPlan: Sendable {
    /// What changes.
    struct Step: Sendable {
        var parts: [String: RulePart] = [:]
        /// Endpoints that datagrams go to no longer.
        var lost: Set<InternetEndpoint> = []
        /// Where datagrams were refused, and are no longer.
        var opened: Set<InternetEndpoint> = []
    }

    /// The way of datagrams to a service.
    private struct Datagrams: Hashable {
        var targets: Set<InternetEndpoint> = []
        /// Where clients ask, outside of the cluster's addresses.
        var asked: Set<InternetEndpoint> = []
    }

    private let settings: ServiceSettings
    private(set) var claims = AddressClaims()
    private var datagrams: [ServiceName: Datagrams] = [:]

    init(_ settings: ServiceSettings) { self.settings = settings }

    /// What always is there: the service of names.
    var fixed: [String: RulePart] {
        guard let address = settings.nameService, address.isIPv6 == settings.gateway.isIPv6 else { return [:] }
        var part = RulePart()
        let family = address.isIPv6 ? 1 : 0
        let gateway = InternetEndpoint(settings.gateway, NameServer.port)
        for transport in Transport.allCases {
            let chain = "names/\(transport.rawValue)"
            part.chains[chain] = ["meta l4proto \(transport.rawValue) dnat \(address.isIPv6 ? "ip6" : "ip") to \(gateway)"]
            part.add("\(transport.rawValue) . \(address) . \(NameServer.port) : goto \(chain)", to: BaseRules.services[family])
        }
        return ["names": part]
    }

    /// Takes what is dirty in the model.
    mutating func step(_ model: inout ClusterModel) -> Step {
        let before = claims
        claims = AddressClaims(
            model.services.values, nodeAddresses: model.nodeAddresses, reserved: settings.reservedPorts)
        let moved = Set(before.claims.keys).union(claims.claims.keys).filter { before.claims[$0] != claims.claims[$0] }
        var step = Step()
        for name in model.takeDirty().union(moved) {
            let found = model.services[name].map { rules($0, model) }
            step.parts["svc/\(name)"] = found?.part ?? RulePart()
            let old = datagrams[name] ?? Datagrams()
            let new = found.map { Self.datagrams($0, model.nodeAddresses) } ?? Datagrams()
            datagrams[name] = new.targets.isEmpty ? nil : new
            step.lost.formUnion(old.targets.subtracting(new.targets))
            if old.targets.isEmpty, !new.targets.isEmpty { step.opened.formUnion(new.asked) }
        }
        model.forgetWithdrawals()
        return step
    }

    private func rules(_ service: ServiceDescription, _ model: ClusterModel) -> ServiceRules {
        var service = service
        // That address has its rules already.
        service.clusterAddresses.removeAll { $0 == settings.nameService }
        return ServiceRules(
            service: service, slices: model.slices(of: service.name), withdrawals: model.withdrawals,
            claims: claims.claims[service.name] ?? [])
    }

    private static func datagrams(_ rules: ServiceRules, _ nodeAddresses: [IPAddress]) -> Datagrams {
        var found = Datagrams()
        for port in rules.service.ports where port.transport == .udp {
            for isIPv6 in [false, true] { found.targets.formUnion(rules.targets(of: port, isIPv6: isIPv6)) }
            if let nodePort = port.nodePort { found.asked.formUnion(nodeAddresses.map { InternetEndpoint($0, nodePort) }) }
        }
        found.asked.formUnion(rules.claims.filter { $0.transport == .udp }.map { InternetEndpoint($0.address, $0.port) })
        return found
    }
}
