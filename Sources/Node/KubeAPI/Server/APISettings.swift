package import Linux

/// What the API of this node is told about its surroundings.
package struct APISettings: Sendable {
    /// Addresses of services, as Kubernetes' --service-cluster-ip-range; one range of each family at most. The first one is
    /// the family of services that do not ask for another.
    package var serviceRanges: [Subnet]
    /// Ports of services on the node itself.
    package var nodePorts: ClosedRange<UInt16>
    /// Where clients reach the API from pods: the endpoints of the service `kubernetes`.
    package var apiAddress: IPAddress?
    package var apiPort: UInt16
    /// `spec.controller` of the ingress class that is there from the beginning, and the default one; nil: there is none.
    package var ingressController: String?
    /// How long a watch lasts that does not say it, at least; up to twice as long.
    package var watchDuration: Duration

    package init(
        serviceRanges: [Subnet], nodePorts: ClosedRange<UInt16> = 30000...32767, apiAddress: IPAddress? = nil,
        apiPort: UInt16 = 6443, watchDuration: Duration = .seconds(1800)
    ) {
        self.serviceRanges = serviceRanges
        self.nodePorts = nodePorts
        self.apiAddress = apiAddress
        self.apiPort = apiPort
        self.watchDuration = watchDuration
    }
}
