import HTTPServing
import JSON
import KubeObjects
import KubeStore
import Linux
import Networking
import Synchronization
import TestKit
import Testing

@testable import Services

/// A gateway on this process's loopback, with servers there as well: no rules, only HTTP.
final class GatewayWorld: Sendable {
    let gateway: IngressGateway
    private let loops: ServingLoops
    private let state = Mutex((ClusterModel(), IngressPlan()))
    let demands = Mutex<[String]>([])

    var address: String { "127.0.0.1:\(gateway.plainPort)" }

    private init(_ loops: ServingLoops, _ settings: IngressSettings) {
        self.loops = loops
        gateway = IngressGateway(settings)
    }

    static func with(
        _ change: (inout IngressSettings) -> Void = { _ in }, _ body: (GatewayWorld) async throws -> Void
    ) async throws {
        let loops = ServingLoops(count: 2)
        var settings = IngressSettings(loops: loops, address: IPAddress("127.0.0.1")!, port: 0, tlsPort: 0)
        change(&settings)
        let box = DemandBox()
        settings.onDemand = { namespace, name in box.add("\(namespace)/\(name)") }
        let world = GatewayWorld(loops, settings)
        box.world = world
        try await world.gateway.begin(on: MachineNetwork())
        let result: Result<Void, any Error>
        do { result = .success(try await body(world)) } catch { result = .failure(error) }
        await world.gateway.end(after: .zero)
        await loops.shutDown()
        try result.get()
    }

    private final class DemandBox: Sendable {
        private let held = Mutex<GatewayWorld?>(nil)
        var world: GatewayWorld? {
            get { held.withLock { $0 } }
            set { held.withLock { $0 = newValue } }
        }
        func add(_ name: String) { world?.demands.withLock { $0.append(name) } }
    }

    /// Stores an object and lets the gateway know.
    func put(_ resource: Resource, _ name: String, _ json: JSONValue?, namespace: String = "default") {
        let object = json.map { json in
            var object = KubeObject(json: json)
            object.metadata.name = name
            object.metadata.namespace = namespace
            return object
        }
        let snapshot = state.withLock { state in
            let key = resource.key(namespace: namespace, name)
            state.0.take(resource, key, object)
            state.1.take(resource, key, object)
            return state.1.snapshot(state.0)
        }
        gateway.update(snapshot)
    }

    func withdraw(_ uid: String) {
        gateway.update(
            state.withLock { state in
                state.0.withdraw(uid, [])
                return state.1.snapshot(state.0)
            })
    }

    /// A service whose pods are servers on the loopback.
    func service(_ name: String, _ ports: [UInt16], _ change: (inout JSONValue) -> Void = { _ in }) {
        put(.services, name, Objects.service(name, address: "10.96.9.9", change))
        endpoints(name, ports)
    }

    /// Each with a port of its own, so each in a slice of its own.
    func endpoints(_ name: String, _ ports: [UInt16], before: Int = 4) {
        for index in 0..<max(ports.count, before) {
            let slice = ports.indices.contains(index)
                ? Objects.slice(name, [Objects.endpoint("127.0.0.1", uid: "uid-\(ports[index])")], port: Int64(ports[index])) : nil
            put(.endpointSlices, "\(name)-\(index)", slice)
        }
    }

    /// An ingress with one rule; paths by backends' names, which have port 80.
    func ingress(_ name: String, host: String? = nil, _ paths: [(String, String, String)], _ change: (inout JSONValue) -> Void = { _ in }) {
        var rule: JSONValue = [
            "http": ["paths": .array(paths.map { path, type, service in
                ["path": .string(path), "pathType": .string(type), "backend": ["service": ["name": .string(service), "port": ["number": 80]]]]
            })]
        ]
        if let host { rule["host"] = .string(host) }
        var json: JSONValue = ["metadata": ["creationTimestamp": "2026-11-29T10:00:00Z"], "spec": ["ingressClassName": "forkless", "rules": [rule]]]
        change(&json)
        put(.ingresses, name, json)
    }

    func curl(_ arguments: String...) async throws -> CommandRunner.Outcome {
        try await CommandRunner.run(["curl", "-sS", "--max-time", "100"] + arguments, within: .seconds(120))
    }
}

/// HTTP servers of python3 on the loopback.
enum LoopbackServer {
    /// Says its name, the request and its fields; "/slow" waits, "/held" until somebody asks for "/release", "/big" is
    /// long, "/break" breaks off, "/none" has no body.
    static let script = """
        import sys,time,socket,threading
        from http.server import *
        released=threading.Event()
        class H(BaseHTTPRequestHandler):
          protocol_version="HTTP/1.1"
          def do_GET(self):
            if self.path=="/slow": time.sleep(1)
            if self.path=="/held": released.wait(60)
            if self.path=="/release": released.set()
            if self.path=="/none": self.send_response(204); self.end_headers(); return
            if self.path=="/break":
              self.send_response(200); self.send_header("Content-Length","1000"); self.end_headers(); self.wfile.write(b"part"); self.wfile.flush(); self.connection.shutdown(socket.SHUT_RDWR); self.close_connection=True; return
            if self.path=="/chunked":
              self.send_response(200); self.send_header("Transfer-Encoding","chunked"); self.end_headers()
              for i in range(3): self.wfile.write(b"5\\r\\npart%d\\r\\n"%i); self.wfile.flush()
              self.wfile.write(b"0\\r\\n\\r\\n"); return
            b=b"x"*50000000 if self.path=="/big" else ("%s %s %s\\n%s"%(sys.argv[1],self.command,self.path,self.headers)).encode()
            n=int(self.headers.get("Content-Length") or 0)
            if self.headers.get("Transfer-Encoding"):
              n=0
              while True:
                size=int(self.rfile.readline(),16); self.rfile.read(size); self.rfile.readline(); n+=size
                if size==0: break
              b+=b"body %d"%n
            elif n:
              left=n
              while left: left-=len(self.rfile.read(min(left,65536)))
              b+=b"body %d"%n
            self.send_response(200); self.send_header("Content-Length",str(len(b))); self.end_headers()
            if self.command!="HEAD": self.wfile.write(b)
          do_POST=do_PUT=do_HEAD=do_DELETE=do_GET
          def log_message(self,*a): pass
        class S(ThreadingHTTPServer): request_queue_size=512
        s=S(("127.0.0.1",0),H)
        print("ready",s.server_port,flush=True)
        s.serve_forever()
        """

    static func running(_ names: [String], _ script: String = script, _ body: ([UInt16]) async throws -> Void) async throws {
        guard let name = names.first else { return try await body([]) }
        let log = "/tmp/forkless-services-server-\(name)-\(OwnProcess.pid)"
        defer { try? Files.remove(log) }
        try await BackgroundServer.running(["python3", "-u", "-c", script, name], log: log) { server in
            let port = try await server.until("the server \(name)") { text in
                text.hasPrefix("ready ") ? UInt16(text.dropFirst(6).prefix { $0.isNumber }) : nil
            }
            try await running(Array(names.dropFirst()), script) { try await body([port] + $0) }
        }
    }
}
