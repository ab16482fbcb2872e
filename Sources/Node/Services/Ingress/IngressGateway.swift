package import HTTPServing
package import Linux
import Networking
package import NodeLogs
import Synchronization

/// How and where ingresses are served.
package struct IngressSettings: Sendable {
    /// The loops that serve; theirs is the network from which pods are reached.
    package var loops: ServingLoops
    package var address: IPAddress
    /// 0: a free one.
    package var port: UInt16
    package var tlsPort: UInt16
    /// For hosts that no ingress has a certificate for; nil: TLS is not served.
    package var certificate: TLSCertificate?
    package var functions: (any FunctionBackend)?
    package var connectTimeout = Duration.seconds(5)
    /// Between two signs of life of a server.
    package var readTimeout = Duration.seconds(60)
    /// How long a request waits for the first server of a service at zero.
    package var waitingTime = Duration.seconds(30)
    /// How many requests wait, on each loop.
    package var waitingLimit = 1024
    /// Of a request that a function answers, bytes.
    package var functionBodyLimit = 6 << 20
    /// Takes a line for each request; nil: nobody wants them.
    package var calls: CallLog?
    /// Told when a request begins to wait for a first server: namespace and name of its service.
    package var onDemand: @Sendable (_ namespace: String, _ service: String) -> Void = { _, _ in }

    package init(
        loops: ServingLoops, address: IPAddress = .anyIPv4, port: UInt16 = 80, tlsPort: UInt16 = 443,
        certificate: TLSCertificate? = nil, functions: (any FunctionBackend)? = nil
    ) {
        self.loops = loops
        self.address = address
        self.port = port
        self.tlsPort = tlsPort
        self.certificate = certificate
        self.functions = functions
    }
}

/// Serves ingresses by HTTP and HTTPS. Servers are asked directly and not by their service's address, so that it is known
/// who has which request.
final class IngressGateway: Sendable {
    let settings: IngressSettings
    let loads = LoadBook()
    let servers = ServerBook()
    private let state = Mutex(State())

    private struct State {
        var snapshot = GatewaySnapshot()
        var listeners: [HTTPListener] = []
        var services: [LoopBound<GatewayLoop>] = []
        var ports: (plain: UInt16, tls: UInt16) = (0, 0)
    }

    init(_ settings: IngressSettings) { self.settings = settings }

    var snapshot: GatewaySnapshot { state.withLock { $0.snapshot } }
    var hasTLS: Bool { settings.certificate != nil }
    var plainPort: UInt16 { state.withLock { $0.ports.plain } }
    var tlsPort: UInt16 { state.withLock { $0.ports.tls } }
    /// For places: nothing for the port that everybody knows.
    var tlsPortSuffix: String { tlsPort == 443 ? "" : ":\(tlsPort)" }

    func demand(_ service: ServiceName) { settings.onDemand(service.namespace, service.name) }

    /// Begins to serve at sockets of the machine's network.
    func begin(on machine: MachineNetwork) async throws(HTTPServingFailure) {
        let plain = try await socket(settings.port, machine)
        state.withLock { $0.ports.plain = plain.port }
        let first = try await HTTPListener.listen(on: .descriptor(try plain.descriptor()), loops: settings.loops) {
            self.service($0, isTLS: false)
        }
        state.withLock { $0.listeners.append(first) }
        guard let certificate = settings.certificate else { return }
        let identity = try TLSIdentity(fallback: certificate) { [weak self] host in
            guard let snapshot = self?.snapshot, let secret = snapshot.table.secret(host: host) else { return nil }
            return snapshot.certificates[secret]
        }
        let secure = try await socket(settings.tlsPort, machine)
        state.withLock { $0.ports.tls = secure.port }
        let second = try await HTTPListener.listen(
            on: .descriptor(try secure.descriptor()), loops: settings.loops, tls: identity
        ) { self.service($0, isTLS: true) }
        state.withLock { $0.listeners.append(second) }
    }

    private func service(_ loop: ServingLoop, isTLS: Bool) -> GatewayLoop {
        let service = GatewayLoop(self, loop, isTLS: isTLS)
        state.withLock { $0.services.append(LoopBound(service, on: loop)) }
        return service
    }

    private func socket(_ port: UInt16, _ machine: MachineNetwork) async throws(HTTPServingFailure) -> MachineSocket {
        try await MachineSocket.listen(at: InternetEndpoint(settings.address, port), machine, "serve ingresses")
    }

    /// Serves by another view of the cluster from now on.
    func update(_ snapshot: GatewaySnapshot) {
        let services = state.withLock { state in
            state.snapshot = snapshot
            return state.services
        }
        loads.keep(Set(snapshot.backends.keys.map(\.service)))
        servers.keep(Set(snapshot.servers.compactMap(\.host)))
        for service in services { service.loop.execute { service.value.look() } }
    }

    /// Lets answers that are under way be completed for a while, and ends.
    func end(after grace: Duration) async {
        let (listeners, services) = state.withLock { state in
            defer { (state.listeners, state.services) = ([], []) }
            return (state.listeners, state.services)
        }
        await withTaskGroup { group in
            for listener in listeners { group.addTask { await listener.close(after: grace) } }
        }
        for service in services { await service.loop.run { service.value.close() } }
    }
}
