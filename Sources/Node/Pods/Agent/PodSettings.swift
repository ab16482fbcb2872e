package import KubeObjects
package import Linux
package import Networking
package import Registry
package import Sandbox

/// What a node's pods have in common.
package struct PodSettings: Sendable {
    /// The name of the Node object.
    package var nodeName: String
    /// The node's address: `status.hostIP`, and where host ports are.
    package var hostAddress: IPAddress
    /// Where pods have their volumes: made if it is missing.
    package var directory: String
    /// The network that pods are in, and its subnet; made when it is not there.
    package var network = "pods"
    package var subnet = Subnet("10.244.0.0/16")!
    /// Where checks connect from: the machine's own network.
    package var machineNetwork = MachineNetwork()
    /// Where names of services are looked up; nil: pods have the node's own resolver.
    package var clusterDNS: IPAddress?
    package var clusterDomain = "cluster.local"
    /// The machine's resolver file, for pods that look up names as it does.
    package var resolverFile = "/etc/resolv.conf"
    /// What this machine can hold programs to.
    package var machine: MachineCapacity
    package var controllers: CgroupControllers
    /// Registries that are spoken to without TLS, the trust in others, and the registry of names without a host.
    package var plainHosts: Set<String> = []
    package var registryTrust: @Sendable (_ registry: String) async throws(RegistryFailure) -> RegistryTrust = { _ in
        RegistryTrust()
    }
    package var defaultRegistry: String?
    /// Handlers of RuntimeClasses that mean what this node does anyway.
    package var runtimeHandlers: Set<String> = ["forkless", "runc"]
    /// Seconds between two looks at the memory of the machine; nil: no pod is ever evicted.
    package var evictionSeconds: Int?

    package init(
        nodeName: String, hostAddress: IPAddress, directory: String, machine: MachineCapacity,
        controllers: CgroupControllers
    ) {
        self.nodeName = nodeName
        self.hostAddress = hostAddress
        self.directory = directory
        self.machine = machine
        self.controllers = controllers
    }
}

/// Where the tokens of service accounts come from: the TokenRequest API.
package protocol ServiceAccountTokens: Sendable {
    /// A token bound to a pod.
    ///
    /// - Parameter audiences: empty: the API's own.
    func token(
        namespace: String, account: String, audiences: [String], seconds: Int64, podName: String, podUID: String
    ) async throws(APIFailure) -> (token: String, expires: Timestamp)
}
