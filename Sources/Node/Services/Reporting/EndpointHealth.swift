import HTTPServing
import JSON
import Linux
import Networking
import Synchronization

/// Whether the node has endpoints of a service: what load balancers ask at its `healthCheckNodePort` (KEP-27).
struct EndpointHealth: Hashable, Sendable {
    var service: ServiceName
    /// That are ready.
    var endpoints: Int

    /// As kube-proxy answers: 200 with endpoints, else 503.
    var response: HTTPResponse {
        let body: JSONValue = [
            "service": ["namespace": .string(service.namespace), "name": .string(service.name)],
            "localEndpoints": .integer(Int64(endpoints)), "serviceProxyHealthy": true,
        ]
        return HTTPResponse(
            endpoints > 0 ? 200 : 503,
            headers: HeaderFields([
                ("Content-Type", "application/json"), ("X-Content-Type-Options", "nosniff"),
                ("X-Load-Balancing-Endpoint-Weight", "\(endpoints)"),
            ]), body: JSONWriter.bytes(body))
    }
}

/// Serves the health of services at ports of the machine.
///
/// Invariant: exactly the ports that services have are served, each with how its service is now.
/// (test: `load balancers are told how many endpoints a service has here`)
actor HealthPorts {
    private let loops: ServingLoops
    private let machine: MachineNetwork
    private let answers = Answers()
    private var listeners: [UInt16: HTTPListener] = [:]
    private var failures: [UInt16: String] = [:]

    private final class Answers: Sendable {
        private let known = Mutex<[UInt16: EndpointHealth]>([:])
        subscript(port: UInt16) -> EndpointHealth? { known.withLock { $0[port] } }
        func set(_ new: [UInt16: EndpointHealth]) { known.withLock { $0 = new } }
    }

    private final class Page: HTTPService {
        private let answer: () -> EndpointHealth?
        init(_ answer: @escaping () -> EndpointHealth?) { self.answer = answer }

        func receive(_ exchange: any HTTPExchange) -> BodyReading {
            exchange.respond(answer()?.response ?? .plain(404, "No service has this port any more."))
            return .whole(limit: 0) { _ in }
        }
    }

    init(_ loops: ServingLoops, _ machine: MachineNetwork) {
        self.loops = loops
        self.machine = machine
    }

    /// Serves these from now on.
    ///
    /// - Returns: why some are not served.
    func keep(_ wanted: [UInt16: EndpointHealth]) async -> [UInt16: String] {
        answers.set(wanted)
        for (port, listener) in listeners where wanted[port] == nil {
            listeners[port] = nil
            await listener.close(after: .zero)
        }
        failures = failures.filter { wanted[$0.key] != nil }
        for port in wanted.keys.sorted() where listeners[port] == nil {
            do throws(HTTPServingFailure) {
                let socket = try await MachineSocket.listen(at: InternetEndpoint(.anyIPv4, port), machine, "serve the health of services")
                let answers = answers
                listeners[port] = try await HTTPListener.listen(on: .descriptor(try socket.descriptor()), loops: loops) { _ in
                    Page { answers[port] }
                }
                failures[port] = nil
            } catch { failures[port] = error.sentence }
        }
        return failures
    }

    func end() async { _ = await keep([:]) }
}

/// A socket of the machine's network that listens.
struct MachineSocket: Sendable {
    private var socket: SharedFD
    var port: UInt16

    func descriptor() throws(HTTPServingFailure) -> OwnedFD {
        do throws(SystemError) {
            return try withExtendedLifetime(socket) { () throws(SystemError) in try Descriptors.duplicate(socket.raw) }
        } catch { throw HTTPServingFailure(.address, "listen: \(error)") }
    }

    /// - Parameter what: is done there, for the sentence of a failure.
    static func listen(
        at endpoint: InternetEndpoint, _ machine: MachineNetwork, _ what: String
    ) async throws(HTTPServingFailure) -> MachineSocket {
        do throws(SystemError) {
            return try await machine.run { () throws(SystemError) in
                let socket = SharedFD(try InternetSocket.bind(.stream, to: endpoint, backlog: 1024))
                return MachineSocket(socket: socket, port: try InternetSocket.local(socket.raw)?.port ?? endpoint.port)
            }
        } catch {
            throw HTTPServingFailure(
                error.code == .addressInUse ? .addressInUse : .address,
                "\(what) at \(endpoint): \(error)"
                    + (error.code == .addressInUse ? ". Another program has this port: choose another one or end it." : ""))
        }
    }
}
