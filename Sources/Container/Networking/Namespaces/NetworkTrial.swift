package import Linux

/// Whether this machine can do what networks need: tried in a namespace that is gone afterwards.
package enum NetworkTrial {
    package struct Findings: Hashable, Sendable {
        /// What kept links from being made; nil: nothing.
        package var links: SystemError?
        /// What kept rules from being applied; nil: nothing.
        package var rules: NetworkFailure?

        package init(links: SystemError? = nil, rules: NetworkFailure? = nil) {
            self.links = links
            self.rules = rules
        }
    }

    package static func run() async -> Findings {
        var findings = Findings()
        let namespace: SharedFD
        do throws(SystemError) {
            namespace = try await BlockingPool.shared.run { () throws(SystemError) in
                let namespace = try NetworkNamespace.make()
                try NetworkNamespace.visit(namespace) { () throws(SystemError) in try makeLinks() }
                return namespace
            }
        } catch {
            findings.links = error
            return findings
        }
        let program = RulesetProgram(machine: MachineNetwork(namespace), table: "forkless_trial")
        do throws(NetworkFailure) {
            let subnet = Subnet(containing: IPAddress(bytes: [10, 201, 0, 0]), prefix: 16)
            try await program.apply(
                Ruleset(bridges: [Ruleset.Bridge(name: bridge, subnets: [subnet], isInternal: false)], refusesTransit: true))
        } catch { findings.rules = error }
        return findings
    }

    private static let bridge = "fktrial"

    private static func makeLinks() throws(SystemError) {
        let socket = try NetlinkSocket()
        try socket.perform(.makeBridge(bridge, hardwareAddress: [2, 0, 0, 0, 0, 1], mtu: nil))
        guard let index = try socket.links().first(where: { $0.name == bridge })?.index else {
            throw SystemError("find the link", bridge, code: .noSuchDevice)
        }
        let inside = try NetworkNamespace.make()
        try withExtendedLifetime(inside) { () throws(SystemError) in
            try socket.perform(
                .makePair(
                    "fvtrial", bridge: index, mtu: nil,
                    peer: NetlinkRequest.Peer(name: "eth0", hardwareAddress: [2, 0, 0, 0, 0, 2], namespace: inside.raw)))
        }
    }
}
