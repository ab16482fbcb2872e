package import Linux
package import Networking
package import Sandbox

/// A container's network, ready for a start, with what its files of /etc are to say.
package struct PreparedNetwork: Sendable {
    /// What the plan has to say.
    package var mode: SandboxNetwork
    /// With mode `given`: what goes to the keeper. To be kept open until the program has been started.
    package var namespace: SharedFD?
    /// An IPC namespace that goes with it, for containers that share one; nil: each has its own.
    package var ipc: SharedFD?
    /// Whether the machine's IPC namespace goes with it.
    package var isIPCOfMachine = false
    /// For /etc/hosts.
    package var hosts: String
    /// For /etc/resolv.conf.
    package var resolvConf: String
    package var hostname: String
    /// With the host ports that were chosen.
    package var ports: [PublishedPort]

    package init(
        mode: SandboxNetwork, namespace: SharedFD? = nil, hosts: String, resolvConf: String, hostname: String,
        ports: [PublishedPort] = []
    ) {
        self.mode = mode
        self.namespace = namespace
        self.hosts = hosts
        self.resolvConf = resolvConf
        self.hostname = hostname
        self.ports = ports
    }
}

/// The container whose network another one shares: `--network container:NAME`.
package struct SharedNetworkOwner: Sendable {
    package var id: String
    package var name: String
    /// Of its first process; nil: it does not run.
    package var pid: Int32?
    package var network: ContainerNetwork?
    package var hostname: String
    /// Its own files of /etc, as they are now; nil where it has none and the machine's are seen.
    package var hosts: String?
    package var resolvConf: String?

    package init(
        id: String, name: String, pid: Int32?, network: ContainerNetwork?, hostname: String, hosts: String?,
        resolvConf: String?
    ) {
        self.id = id
        self.name = name
        self.pid = pid
        self.network = network
        self.hostname = hostname
        self.hosts = hosts
        self.resolvConf = resolvConf
    }
}

extension NodeFailure {
    /// What the networks say, in the API's kinds.
    package init(_ failure: NetworkFailure) {
        let kind: Kind =
            switch failure.kind {
            case .invalid: .badRequest
            case .notFound: .notFound
            case .conflict: .conflict
            case .system: .system
            }
        self.init(kind, failure.description)
    }
}
