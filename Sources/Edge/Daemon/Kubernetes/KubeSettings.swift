package import Linux

/// What a node is told of its Kubernetes door when it is started.
package struct KubeSettings: Hashable, Sendable {
    /// Where the Kubernetes API is served over HTTPS; nil: nowhere, and there are no pods and services then.
    package var api: ListenAddress?
    /// Where Ingresses are served over HTTP and over HTTPS; nil: nowhere.
    package var ingress: ListenAddress?
    package var secureIngress: ListenAddress?
    /// The addresses of pods and of services, which must not overlap with each other or with what the machine reaches.
    package var pods: Subnet
    package var services: Subnet
    /// The ports of the machine that services may have.
    package var nodePorts: ClosedRange<UInt16>

    package static let usualAPI = ListenAddress(host: "127.0.0.1", port: 6443, isAsked: false)
    package static let usualIngress = ListenAddress(host: "127.0.0.1", port: 7080, isAsked: false)
    package static let usualSecureIngress = ListenAddress(host: "127.0.0.1", port: 7443, isAsked: false)
    package static let usualPods = Subnet("10.244.0.0/16")!
    package static let usualServices = Subnet("10.96.0.0/16")!
    /// As Kubernetes has it.
    package static let usualNodePorts: ClosedRange<UInt16> = 30000...32767

    package init(
        api: ListenAddress? = KubeSettings.usualAPI, ingress: ListenAddress? = KubeSettings.usualIngress,
        secureIngress: ListenAddress? = KubeSettings.usualSecureIngress, pods: Subnet = KubeSettings.usualPods,
        services: Subnet = KubeSettings.usualServices, nodePorts: ClosedRange<UInt16> = KubeSettings.usualNodePorts
    ) {
        self.api = api
        self.ingress = ingress
        self.secureIngress = secureIngress
        self.pods = pods
        self.services = services
        self.nodePorts = nodePorts
    }

    func validated() throws(NodeSettingsError) {
        for (flag, subnet, bits) in [("--pod-network", pods, 24), ("--service-network", services, 28)] {
            guard !subnet.isIPv6, (8...bits).contains(subnet.prefix) else {
                throw NodeSettingsError(
                    "\(flag) \(subnet): this is an IPv4 network of 8 to \(bits) bits, such as "
                        + "\(flag == "--pod-network" ? Self.usualPods : Self.usualServices).")
            }
        }
        guard !pods.overlaps(services) else {
            throw NodeSettingsError("--pod-network \(pods) and --service-network \(services) overlap: choose two apart.")
        }
    }
}
