import JSON
import KubeObjects
import KubeSchema
import KubeStore
import Linux
import Networking
import TestKit
import Testing

@testable import Services

/// A cluster for tests: a network namespace that plays the machine, pods that are namespaces in a network of the node's
/// own making, a store in memory, and the router over all of it. The namespace that the tests run in is never touched.
final class ServiceWorld: Sendable {
    let machineNamespace: SharedFD
    let machine: MachineNetwork
    let network: NetworkService
    let store = MemoryObjectStore()
    let cache: ObjectCache
    let router: ServiceRouter
    private let state: String
    private let cacheTask: Task<Void, Never>

    static let table = "forkless_test_kube"
    static let nodeAddress = "192.0.2.10"
    static let gateway = "10.42.0.1"

    /// A pod: somebody in the pods' network.
    struct Pod: Sendable {
        var name: String
        var uid: String
        var namespace: SharedFD
        var address: String
    }

    private init(_ name: String, _ change: (inout ServiceSettings) -> Void) async throws {
        machineNamespace = try await BlockingPool.shared.run { () throws(SystemError) in
            let namespace = try NetworkNamespace.make()
            try NetworkNamespace.visit(namespace) { () throws(SystemError) in
                try NetlinkSocket().perform(.bringUp("lo"))
                try Files.writeText("0", to: "/proc/sys/net/ipv4/ip_forward")
            }
            return namespace
        }
        machine = MachineNetwork(machineNamespace)
        state = "/tmp/forkless-services-\(name)-\(OwnProcess.pid)"
        try Files.makeDirectories(state, mode: 0o700)
        let network = NetworkService(
            state: state, node: state, machine: machine, resolverFile: state + "/resolv.conf", poolTarget: 0)
        self.network = network
        cache = ObjectCache(store, ServiceRouter.resources)
        let cache = cache
        cacheTask = Task { await cache.run() }
        let pods = Subnet("10.42.0.0/16")!
        var settings = ServiceSettings(
            table: Self.table, podSubnets: [pods], gateway: IPAddress(Self.gateway)!, report: { print("reported: \($0)") })
        change(&settings)
        router = ServiceRouter(
            cache: cache, client: StoreClient(store: store), machine: machine, settings: settings
        ) { await network.namespace(at: $0) }
        let router = router
        network.names.ask { query, sender in router.decide(query, from: sender) }
        var wish = NetworkService.Wish(name: "pods")
        wish.subnets = [pods]
        try await network.create(wish)
    }

    /// Makes a world for the length of a test; nothing is left of it.
    static func with(
        _ name: String = #function, settings change: (inout ServiceSettings) -> Void = { _ in },
        _ body: (ServiceWorld) async throws -> Void
    ) async throws {
        let word = String(name.unicodeScalars.filter { ("a"..."z").contains($0) }.map(Character.init)).prefix(24)
        let world = try await ServiceWorld(String(word), change)
        try await world.store.create(
            Resource.nodes.key("node"),
            [
                "metadata": ["name": "node"],
                "status": ["addresses": [["type": "InternalIP", "address": .string(nodeAddress)]]],
            ])
        try await world.run(in: world.machineNamespace, "ip", "address", "add", nodeAddress + "/32", "dev", "lo")
        let router = world.router
        let running = Task { do { try await router.run() } catch { print("the router ended: \(error)") } }
        let result: Result<Void, any Error>
        do {
            // Nobody needs rules before there is a pod.
            #expect(!(try await world.rules()).contains(table))
            try await world.store.create(
                Resource.pods.key(namespace: "elsewhere", "first"),
                ["metadata": ["name": "first", "namespace": "elsewhere", "uid": "first"]])
            try await eventually("the table is there") { try await world.rules().contains(table) }
            result = .success(try await body(world))
        } catch { result = .failure(error) }
        running.cancel()
        world.store.endWatches()
        await running.value
        await world.cacheTask.value
        await world.router.shutDown(keepsRules: false)
        await world.network.shutDown()
        try? Files.removeTree(world.state)
        try result.get()
    }

    func rules() async throws -> String { try await run(in: machineNamespace, "nft", "list", "ruleset").text }

    /// Puts a pod into the network; it has no process yet.
    func pod(_ name: String) async throws -> Pod {
        let attached = try await network.attach(
            NetworkAttachment(containerID: name, containerName: name, hostname: name, networks: [.init(network: "pods")]))
        return Pod(
            name: name, uid: "uid-" + name, namespace: attached.namespace, address: "\(attached.endpoints[0].ipv4)")
    }

    @discardableResult
    func run(in place: SharedFD, _ arguments: String..., input: String = "") async throws -> CommandRunner.Outcome {
        defer { withExtendedLifetime(place) {} }
        return try await CommandRunner.run(Self.enter(place) + arguments, input: Array(input.utf8))
    }

    static func enter(_ place: SharedFD) -> [String] { ["nsenter", "--net=/proc/\(OwnProcess.pid)/fd/\(place.raw)"] }

    /// Lets servers run in pods for the length of a body: each says its pod's name and who asked.
    func serving(
        _ pods: [Pod], _ script: String = Servers.tcp, port: UInt16 = 8080, _ body: () async throws -> Void
    ) async throws {
        guard let first = pods.first else { return try await body() }
        try await BackgroundServer.running(
            Self.enter(first.namespace) + ["python3", "-u", "-c", script, first.name, "\(port)"], log: log(first, port)
        ) { server in
            _ = try await server.until("a server in \(first.name)") { $0.contains("ready") ? true : nil }
            try await serving(Array(pods.dropFirst()), script, port: port, body)
        }
    }

    private func log(_ pod: Pod, _ port: UInt16) -> String { "\(state)/\(pod.name)-\(port).log" }

    /// What the server in a pod has said so far.
    func said(_ pod: Pod, port: UInt16 = 8080) throws -> String { try Files.readText(log(pod, port)) }
}

/// The API without an API: what is given is stored.
struct StoreClient: ObjectClient {
    let store: MemoryObjectStore

    func get(_ resource: Resource, namespace: String?, _ name: String) async throws(APIFailure) -> KubeObject {
        do throws(ObjectStoreFailure) {
            return KubeObject(try await store.get(resource.key(namespace: namespace, name)))
        } catch { throw APIFailure(error, resource, name) }
    }

    func list(_ resource: Resource, namespace: String?, labels: LabelSelector) async throws(APIFailure) -> [KubeObject] {
        do throws(ObjectStoreFailure) {
            return try await store.list(ListRequest(resource.scope(namespace: namespace))).objects.map { KubeObject($0) }
        } catch { throw APIFailure(error, resource, "") }
    }

    func create(_ resource: Resource, _ object: KubeObject) async throws(APIFailure) -> KubeObject {
        do throws(ObjectStoreFailure) {
            return KubeObject(
                try await store.create(resource.key(namespace: object.namespace, object.name), object.json))
        } catch { throw APIFailure(error, resource, object.name) }
    }

    func update(_ resource: Resource, _ object: KubeObject, subresource: String?) async throws(APIFailure) -> KubeObject {
        do throws(ObjectStoreFailure) {
            let revision = object.metadata.resourceVersion.flatMap { Int64($0) }
            return KubeObject(
                try await store.update(
                    resource.key(namespace: object.namespace, object.name), object.json,
                    if: Precondition(revision: revision)
                ).object)
        } catch { throw APIFailure(error, resource, object.name) }
    }

    func delete(
        _ resource: Resource, namespace: String?, _ name: String, _ options: DeletionOptions
    ) async throws(APIFailure) {
        do throws(ObjectStoreFailure) { try await store.delete(resource.key(namespace: namespace, name)) } catch {
            throw APIFailure(error, resource, name)
        }
    }
}

extension ServiceWorld {
    /// A service with one port named "http", 80 to 8080.
    func service(_ name: String, address: String = "10.96.1.1", _ change: (inout JSONValue) -> Void = { _ in }) async throws {
        try await store.create(Resource.services.key(namespace: "default", name), Objects.service(name, address: address, change))
    }

    /// Says who answers for a service now.
    func endpoints(_ service: String, _ endpoints: [JSONValue], port: Int64 = 8080, transport: String = "TCP") async throws {
        let key = Resource.endpointSlices.key(namespace: "default", service + "-1")
        let slice = Objects.slice(service, endpoints, port: port, transport: transport)
        do throws(ObjectStoreFailure) { try await store.create(key, slice) } catch { try await store.update(key, slice) }
    }
}

extension ServiceWorld.Pod {
    var endpoint: JSONValue { endpoint(ready: true) }

    func endpoint(ready: Bool, terminating: Bool = false, serving: Bool? = nil) -> JSONValue {
        Objects.endpoint(address, uid: uid, name: name, ready: ready, terminating: terminating, serving: serving)
    }
}

enum Objects {
    static func service(_ name: String, address: String, _ change: (inout JSONValue) -> Void = { _ in }) -> JSONValue {
        var service: JSONValue = [
            "metadata": ["name": .string(name), "namespace": "default", "creationTimestamp": "2026-11-29T10:00:00Z"],
            "spec": [
                "type": "ClusterIP", "clusterIP": .string(address), "clusterIPs": [.string(address)],
                "ports": [["name": "http", "port": 80, "protocol": "TCP"]],
            ],
        ]
        change(&service)
        return service
    }

    static func slice(
        _ service: String, _ endpoints: [JSONValue], port: Int64 = 8080, transport: String = "TCP"
    ) -> JSONValue {
        [
            "metadata": [
                "name": .string(service + "-1"), "namespace": "default",
                "labels": ["kubernetes.io/service-name": .string(service)],
            ],
            "addressType": "IPv4", "ports": [["name": "http", "port": .integer(port), "protocol": .string(transport)]],
            "endpoints": .array(endpoints),
        ]
    }

    static func endpoint(
        _ address: String, uid: String, name: String = "pod", ready: Bool = true, terminating: Bool = false,
        serving: Bool? = nil
    ) -> JSONValue {
        [
            "addresses": [.string(address)],
            "conditions": [
                "ready": .bool(ready), "serving": .bool(serving ?? ready), "terminating": .bool(terminating),
            ],
            "targetRef": ["kind": "Pod", "name": .string(name), "uid": .string(uid), "namespace": "default"],
        ]
    }
}

/// Small servers; their arguments are a name and a port. They say "ready" and end at once when they are told to.
enum Servers {
    /// Says its name and who asks, and closes.
    static let tcp = """
        import socket,sys
        s=socket.create_server(("",int(sys.argv[2])),backlog=512)
        print("ready")
        while True:
          c,a=s.accept()
          try: c.sendall((sys.argv[1]+" "+a[0]).encode())
          except OSError: pass
          c.close()
        """
    static let udp = """
        import socket,sys
        s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.bind(("",int(sys.argv[2])))
        print("ready")
        while True:
          d,a=s.recvfrom(99); s.sendto((sys.argv[1]+" "+a[0]).encode(),a)
        """
    /// HTTP/1.1 with connections that stay; a path of "/slow" takes a second and a half, and it says "asked" before.
    static let http = """
        import sys,time
        from http.server import *
        class H(BaseHTTPRequestHandler):
          protocol_version="HTTP/1.1"
          def do_GET(self):
            if self.path=="/slow": print("asked"); time.sleep(1.5)
            b=sys.argv[1].encode()
            self.send_response(200); self.send_header("Content-Length",str(len(b))); self.end_headers(); self.wfile.write(b)
          def log_message(self,*a): pass
        class S(ThreadingHTTPServer): request_queue_size=512
        s=S(("",int(sys.argv[2])),H)
        print("ready")
        s.serve_forever()
        """
}

extension ServiceWorld {
    /// What somebody in a namespace hears at an address: "NAME SOURCE", "refused", "timeout" or another error.
    func ask(_ address: String, _ port: UInt16, from place: SharedFD, transport: String = "tcp", times: Int = 1) async throws -> [String] {
        let script =
            transport == "tcp"
            ? """
            import socket,sys
            for i in range(int(sys.argv[3])):
              try:
                with socket.create_connection((sys.argv[1],int(sys.argv[2])),timeout=2) as c:
                  # Who has a connection is answered; by a server that may be held up.
                  c.settimeout(30); print(c.recv(99).decode() or "closed")
              except ConnectionRefusedError: print("refused")
              except TimeoutError: print("timeout")
              except OSError as e: print(e)
            """
            : """
            import socket,sys
            for i in range(int(sys.argv[3])):
              with socket.socket(socket.AF_INET,socket.SOCK_DGRAM) as s:
                s.settimeout(2)
                try: s.connect((sys.argv[1],int(sys.argv[2]))); s.send(b"x"); print(s.recv(99).decode())
                except ConnectionRefusedError: print("refused")
                except TimeoutError: print("timeout")
                except OSError as e: print(e)
            """
        let outcome = try await run(in: place, "python3", "-c", script, address, "\(port)", "\(times)")
        return outcome.text.split(separator: "\n").map(String.init) + outcome.errorText.split(separator: "\n").map(String.init)
    }
}

extension Trait where Self == CensusTrait {
    /// Nothing that a suite has made is there at its end: no rule of the machine's, no mount, no file of a world.
    static var leavesNoTrace: CensusTrait {
        var scope = Census.Scope(only: [.networkRule, .mount, .file])
        scope.places = [Census.Place(directory: "/tmp", prefix: "forkless-services-")]
        return CensusTrait(scope, within: .seconds(20))
    }
}
