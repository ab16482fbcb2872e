package import HTTPServing
package import Linux

/// Where a node's cluster lives.
package struct ServiceSettings: Sendable {
    /// Our table of rules: one for each node of the machine.
    package var table: String
    /// Where services get their addresses.
    package var clusterSubnets: [Subnet]
    /// Where pods get theirs.
    package var podSubnets: [Subnet]
    /// The gateway of the pods' network, where names are answered.
    package var gateway: IPAddress
    /// The address of the service `kube-system/kube-dns`, which leads to the gateway; nil: there is none.
    package var nameService: IPAddress?
    /// In small letters.
    package var clusterDomain: String
    /// TCP ports of the machine that no load balancer may take: ssh, the API's own ...
    package var reservedPorts: Set<UInt16>
    /// How ingresses are served; nil: not at all. Their ports are reserved as well.
    package var ingress: IngressSettings?
    /// Serve the health of services at their ports; nil: it is not served.
    package var loops: ServingLoops?
    /// Lets rules see the packets between pods of one bridge, in the calling thread's network namespace; false: the kernel
    /// cannot.
    package var passBridged: @Sendable () throws(SystemError) -> Bool = { () throws(SystemError) in try BridgedPackets.pass() }
    /// Says what went wrong, in sentences.
    package var report: @Sendable (String) -> Void

    package init(
        table: String, podSubnets: [Subnet], gateway: IPAddress,
        nameService: IPAddress? = IPAddress(bytes: [10, 96, 0, 10]),
        clusterSubnets: [Subnet] = [Subnet(containing: IPAddress(bytes: [10, 96, 0, 0]), prefix: 16)],
        clusterDomain: String = "cluster.local", reservedPorts: Set<UInt16> = [22, 6443],
        report: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.table = table
        self.podSubnets = podSubnets
        self.gateway = gateway
        self.nameService = nameService
        self.clusterSubnets = clusterSubnets
        self.clusterDomain = clusterDomain
        self.reservedPorts = reservedPorts
        self.report = report
    }
}
