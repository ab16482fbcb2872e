import Engine
import JSON
import KubeObjects
import KubeSchema
import Linux
import Networking
import TestKit
import Testing

@testable import Pods

/// Servers of gRPC, real ones and hostile ones, each on a port of its own that it tells as "NAME PORT".
private let servers = """
    import socket, sys, threading, time
    from concurrent import futures
    import grpc
    from grpc_health.v1 import health, health_pb2, health_pb2_grpc

    host = sys.argv[1]

    def serve(name, port, servicer=None):
        server = grpc.server(futures.ThreadPoolExecutor(4))
        if servicer: health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
        print(name, server.add_insecure_port(f"{host}:{port}"), flush=True)
        server.start()
        return server

    class Slow(health.HealthServicer):
        def Check(self, request, context):
            time.sleep(600)

    class Angry(health.HealthServicer):
        def Check(self, request, context):
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "not for \\u00e4nybody")

    usual = health.HealthServicer()
    usual.set("", health_pb2.HealthCheckResponse.SERVING)
    usual.set("down", health_pb2.HealthCheckResponse.NOT_SERVING)
    kept = [serve("usual", int(sys.argv[2]), usual), serve("slow", 0, Slow()), serve("angry", 0, Angry()), serve("bare", 0)]

    def raw(name, answer):
        listener = socket.create_server((host, 0))
        def loop():
            open = []
            while True:
                connection, _ = listener.accept()
                answer(connection)
                open.append(connection)
        threading.Thread(target=loop, daemon=True).start()
        print(name, listener.getsockname()[1], flush=True)

    def reset(connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\\x01\\0\\0\\0\\0\\0\\0\\0")
        connection.close()

    def settings_then_reset(connection):
        connection.sendall(b"\\0\\0\\0\\x04\\0\\0\\0\\0\\0")
        connection.recv(24)
        time.sleep(0.2)
        reset(connection)

    raw("silent", lambda connection: None)
    raw("http1", lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\\r\\nContent-Length: 0\\r\\n\\r\\n"))
    raw("reset", reset)
    raw("late", settings_then_reset)
    raw("endless", lambda connection: connection.sendall(b"\\0\\0\\0\\x04\\0\\0\\0\\0\\0" + b"\\xff\\xff\\xff\\x00" + b"x" * 100000))
    print("end 1", flush=True)
    threading.Event().wait()
    """

private let names = ["usual", "slow", "angry", "bare", "silent", "http1", "reset", "late", "endless", "end"]

private func withServers(
    _ prefix: [String] = [], host: String, port: UInt16 = 0, _ body: ([String: Int64]) async throws -> Void
) async throws {
    let python = try await PythonEnvironment.grpc()
    let directory = try TemporaryDirectory("grpc")
    let arguments = prefix + [python.python, "-c", servers, host, "\(port)"]
    try await BackgroundServer.running(arguments, log: directory.path("log")) { server in
        let ports = try await server.until("all servers") { said -> [String: Int64]? in
            var ports: [String: Int64] = [:]
            for line in said.split(separator: "\n") {
                let words = line.split(separator: " ")
                if words.count == 2, let port = Int64(words[1]) { ports[String(words[0])] = port }
            }
            return names.allSatisfy { ports[$0] != nil } ? ports : nil
        }
        try await body(ports)
    }
}

@Suite(.serialized, .timeLimit(.minutes(5))) struct GRPCCheckTests {
    @Test func `a server's word about its health is the check's, and its failures are told in the kubelet's words`()
        async throws
    {
        try await withServers(host: "127.0.0.1") { ports in
            // Long, where an answer comes: a machine that stalls must not make another one of it.
            func check(_ name: String, service: String? = nil, seconds: Int = 30) async -> PodWorker.CheckResult {
                var json: JSONValue = ["port": .integer(ports[name]!)]
                if let service { json["service"] = .string(service) }
                let check = GRPCCheck(json: json, address: "127.0.0.1", machine: MachineNetwork(), seconds: seconds)
                return await check.run()
            }
            let good = await check("usual")
            #expect(good.isSuccess && good.message == "service healthy", "\(good)")
            #expect(
                await check("usual", service: "down").message == "service unhealthy (responded with \"NOT_SERVING\")")
            let unknown = await check("usual", service: "nobody")
            #expect(!unknown.isSuccess)
            #expect(
                unknown.message.hasPrefix("error: health rpc probe failed: rpc error: code = NotFound desc ="),
                "\(unknown)")
            #expect(
                await check("bare").message.hasPrefix(
                    "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): "))
            #expect(
                await check("angry").message
                    == "error: health rpc probe failed: rpc error: code = PermissionDenied desc = not for \u{e4}nybody")
            #expect(await check("slow", seconds: 5).message == "timeout: health rpc did not complete within 5s")
            for name in ["silent", "http1", "reset"] {
                #expect(
                    await check(name, seconds: 2).message
                        == "timeout: failed to connect service \"127.0.0.1:\(ports[name]!)\" within 2s: context deadline exceeded",
                    "\(name)")
            }
            for name in ["late", "endless"] {
                let result = await check(name)
                #expect(!result.isSuccess && result.message.contains("code = Unavailable"), "\(name): \(result)")
            }
        }
    }

    @Test func `nobody who listens is the same as nobody who answers`() async throws {
        let check = GRPCCheck(json: ["port": 1], address: "127.0.0.1", machine: MachineNetwork(), seconds: 1)
        #expect(
            await check.run().message
                == "timeout: failed to connect service \"127.0.0.1:1\" within 1s: context deadline exceeded")
    }

    @Test func `messages are read as protobuf has them, whatever else is in them`() throws {
        #expect(HealthMessages.request(service: "") == [0, 0, 0, 0, 0])
        #expect(HealthMessages.request(service: "a") == [0, 0, 0, 0, 3, 0x0a, 1, 0x61])
        #expect(
            HealthMessages.request(service: String(repeating: "b", count: 200)).prefix(8) == [
                0, 0, 0, 0, 203, 0x0a, 0xc8, 1,
            ])
        #expect(try HealthMessages.status(framed: [0, 0, 0, 0, 0]) == .unknown)
        #expect(try HealthMessages.status(framed: [0, 0, 0, 0, 2, 8, 2]) == .notServing)
        // A later version's fields before and after it.
        #expect(try HealthMessages.status(framed: [0, 0, 0, 0, 8, 0x12, 1, 0x61, 8, 1, 0x18, 0x80, 1]) == .serving)
        #expect(try HealthMessages.status(framed: [0, 0, 0, 0, 2, 8, 9]).name == "9")
        for bad: [UInt8] in [
            [], [1, 0, 0, 0, 0], [0, 0, 0, 0, 9, 8, 1], [0, 0, 0, 0, 1, 8], [0, 0, 0, 0, 2, 0x12, 9],
            [0, 0xff, 0xff, 0xff, 0xff, 8], [0, 0, 0, 0, 2, 0x0b, 1],
            [0, 0, 0, 0, 11] + [UInt8](repeating: 0xff, count: 11),
        ] {
            #expect(throws: GRPCStatus.self, "\(bad)") { try HealthMessages.status(framed: bad) }
        }
    }

    @Test func `a pause is written as Go writes it`() {
        #expect([1, 59, 60, 61, 3600, 3723].map(GRPCCheck.text) == ["1s", "59s", "1m0s", "1m1s", "1h0m0s", "1h2m3s"])
    }
}

@Suite(.serialized, .timeLimit(.minutes(5)), .leavesNothing) struct PodGRPCTests {
    @Test func `a pod is ready when its gRPC server says so`() async throws {
        let stage = try await PodStage()
        try await stage.make(
            "rpc",
            oneContainer {
                $0["containers"]?.array?[0]["readinessProbe"] = ["grpc": ["port": 5000], "periodSeconds": 1]
            })
        let pod = try await stage.pod("rpc", "it runs, and is not ready") {
            $0.status["phase"] == "Running" && $0.condition("Ready")?["status"] == "False"
        }
        let name = PodNaming.name(pod: pod.uid, container: "main", attempt: 0)
        let pid = try #require(try stage.engine.inspect(name).summary.pid)
        let address = try #require(pod.status["podIP"]?.string)
        try await withServers(["nsenter", "-t", "\(pid)", "-n"], host: address, port: 5000) { _ in
            try await stage.pod("rpc", "it is ready") { $0.condition("Ready")?["status"] == "True" }
        }
        try await stage.pod("rpc", "it is not ready any more") { $0.condition("Ready")?["status"] == "False" }
        try await eventually("an event") {
            try await stage.api.list(.events, namespace: "default", labels: .everything).contains {
                $0.json["message"]?.string?.hasPrefix("Readiness probe failed: timeout: failed to connect service")
                    == true
            }
        }
        try await stage.end()
    }
}
