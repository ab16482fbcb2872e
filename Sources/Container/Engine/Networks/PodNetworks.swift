package import Linux
package import Networking
import Sandbox
import Synchronization

/// What a pod has for all its containers: a network, an IPC namespace, and what their files of /etc say.
package struct PodPlace: Sendable {
    /// nil: the machine's network.
    package var namespace: SharedFD?
    /// nil: the machine's.
    package var ipc: SharedFD?
    /// In the pod's network; empty in the machine's.
    package var addresses: [IPAddress]
    package var hostname: String
    /// For /etc/hosts.
    package var hosts: String
    /// For /etc/resolv.conf.
    package var resolvConf: String

    package init(
        namespace: SharedFD? = nil, addresses: [IPAddress] = [], hostname: String, hosts: String = "", resolvConf: String = ""
    ) {
        self.namespace = namespace
        self.addresses = addresses
        self.hostname = hostname
        self.hosts = hosts
        self.resolvConf = resolvConf
    }
}

/// Pods: networks that are there before any container and after each of them.
///
/// Invariant: what a pod was given stays its own until `release(pod:)`, whatever its containers do.
/// (test: `a pod keeps its address over the restarts of its containers`)
extension ContainerNetworks {
    /// Gives a pod a place in a network.
    ///
    /// - Parameters:
    ///   - id: the pod's uid, which is not the id of a container.
    ///   - network: nil: the machine's.
    ///   - ports: published ports of the machine that lead to the pod.
    ///   - usesMachineIPC: whether its IPC namespace is the machine's.
    ///   - settings: what is written below /proc/sys, by path, as its namespaces see it.
    package func attach(
        pod id: String, name: String, network: String?, ports: [PublishedPort] = [], hostname: String,
        usesMachineIPC: Bool = false, settings: [(path: String, value: String)] = []
    ) async throws(NodeFailure) -> PodPlace {
        var place = PodPlace(hostname: hostname)
        if !usesMachineIPC {
            do throws(SystemError) {
                place.ipc = try await BlockingPool.shared.run { () throws(SystemError) in try IPCNamespace.make() }
            } catch { throw NodeFailure(.system, "make the IPC namespace of pod \(id): \(error)") }
        }
        if let network {
            let request = NetworkAttachment(
                containerID: id, containerName: name, hostname: hostname,
                networks: [NetworkAttachment.Joining(network: network)], ports: ports)
            do throws(NetworkFailure) {
                let attached = try await service.attach(request)
                place.namespace = attached.namespace
                place.addresses = attached.endpoints.flatMap(\.addresses)
            } catch { throw NodeFailure(error) }
        }
        let made = place
        do throws(SystemError) {
            try await BlockingPool.shared.run { () throws(SystemError) in try Self.write(settings, in: made) }
        } catch {
            await service.release(id, reusable: false)
            throw NodeFailure(.system, "\(error)")
        }
        pods.withLock { $0[id] = made }
        return place
    }

    /// Writes kernel settings where the pod's namespaces are the writer's own.
    private static func write(_ settings: [(path: String, value: String)], in place: PodPlace) throws(SystemError) {
        func write() throws(SystemError) {
            for setting in settings { try Files.writeText(setting.value, to: "/proc/sys/" + setting.path) }
        }
        guard !settings.isEmpty else { return }
        func writeInNetwork() throws(SystemError) {
            guard let network = place.namespace else { return try write() }
            try NetworkNamespace.visit(network) { () throws(SystemError) in try write() }
        }
        guard let ipc = place.ipc else { return try writeInNetwork() }
        try IPCNamespace.visit(ipc) { () throws(SystemError) in try writeInNetwork() }
    }

    /// Takes over the network that an earlier node gave a pod, from a process in it.
    ///
    /// - Returns: nil when it had none.
    package func adopt(pod id: String, pid: Int32, hostname: String) async -> PodPlace? {
        let addresses = await service.endpoints(of: id).flatMap(\.addresses)
        guard !addresses.isEmpty else { return nil }
        do {
            let namespace = try await BlockingPool.shared.run { () throws(SystemError) in try NetworkNamespace.of(pid: pid) }
            for sentence in try await service.takeOver(id, namespace) { remark(sentence) }
            var place = PodPlace(namespace: namespace, addresses: addresses, hostname: hostname)
            place.ipc = try await BlockingPool.shared.run { () throws(SystemError) in try IPCNamespace.of(pid: pid) }
            let adopted = place
            pods.withLock { $0[id] = adopted }
            return adopted
        } catch {
            remark("take over the network of pod \(id): \(error)")
            return nil
        }
    }

    /// What containers that are started from now on find in /etc.
    package func write(pod id: String, hosts: String, resolvConf: String) {
        pods.withLock { pods in
            pods[id]?.hosts = hosts
            pods[id]?.resolvConf = resolvConf
        }
    }

    package func place(ofPod id: String) -> PodPlace? { pods.withLock { $0[id] } }

    /// Takes a pod out of its network, when all its containers have ended; one that has none is fine.
    package func release(pod id: String) async {
        _ = pods.withLock { $0.removeValue(forKey: id) }
        // Who knows a pod's address may still send to it: the next one gets another.
        await service.release(id, reusable: false)
    }

    func shared(pod id: String) throws(NodeFailure) -> PreparedNetwork {
        guard let place = place(ofPod: id) else {
            throw NodeFailure(.conflict, "the pod \(id) has no network now; it gets one when its node starts it")
        }
        var prepared = PreparedNetwork(
            mode: place.namespace == nil ? .machine : .given, namespace: place.namespace, hosts: place.hosts,
            resolvConf: place.resolvConf, hostname: place.hostname)
        prepared.ipc = place.ipc
        prepared.isIPCOfMachine = place.ipc == nil
        return prepared
    }
}

extension ContainerSpec {
    /// The pod whose network it has.
    package var pod: String? { if case .pod(let id) = network { id } else { nil } }
}
