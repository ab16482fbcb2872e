import HTTPServing
import JSON
import KubeObjects
import Linux
import Synchronization
import TestKit
import Testing

@testable import Services

/// Ingresses with real clients and servers.
@Suite(.leavesNoTrace, .timeLimit(.minutes(4)), .serialized) struct IngressTests {
    @Test func `requests are led by host and path, and what nobody serves is not found`() async throws {
        try await LoopbackServer.running(["one", "two"]) { ports in
            try await GatewayWorld.with { world in
                world.service("one", [ports[0]])
                world.service("two", [ports[1]])
                world.service("empty", [])
                world.ingress("web", host: "shop.example.com", [("/", "Prefix", "one"), ("/api", "Prefix", "two"), ("/void", "Exact", "empty")])
                func first(_ host: String, _ path: String) async throws -> String {
                    let text = try await world.curl("-H", "Host: " + host, "http://\(world.address)\(path)").text
                    return String(text.prefix { !$0.isNewline })
                }
                #expect(try await first("shop.example.com", "/a?b=c%20d") == "one GET /a?b=c%20d")
                #expect(try await first("SHOP.example.com:8080", "/api/x") == "two GET /api/x")
                #expect(try await first("shop.example.com", "/apix") == "one GET /apix")
                let missing = try await world.curl("-i", "-H", "Host: other.example.com", "http://\(world.address)/")
                #expect(missing.text.hasPrefix("HTTP/1.1 404 Not Found\r\n") && missing.text.contains("<h1>404 Not Found</h1>"))
                let empty = try await world.curl("-i", "-H", "Host: shop.example.com", "http://\(world.address)/void")
                #expect(empty.text.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
                world.put(.ingresses, "web", nil)
                #expect(try await first("shop.example.com", "/a") == "<html>")
            }
        }
    }

    @Test func `the server learns who asked, and by which way`() async throws {
        try await LoopbackServer.running(["one"]) { ports in
            try await GatewayWorld.with { world in
                world.service("one", ports)
                world.ingress("web", [("/", "Prefix", "one")])
                let text = try await world.curl(
                    "-H", "X-Forwarded-For: 1.2.3.4", "-H", "X-Real-IP: 1.2.3.4", "-H", "Connection: close, X-Secret", "-H", "X-Secret: 1",
                    "-H", "Keep: this", "-H", "Host: a.example:99", "http://\(world.address)/").text
                for line in [
                    "Host: a.example:99", "X-Forwarded-For: 127.0.0.1", "X-Real-IP: 127.0.0.1", "X-Forwarded-Proto: http",
                    "X-Forwarded-Host: a.example:99", "Keep: this", "X-Request-ID: ",
                ] { #expect(text.contains(line), "\(line) in \(text)") }
                for line in ["1.2.3.4", "X-Secret", "Connection:"] { #expect(!text.contains(line), "\(line) in \(text)") }
            }
        }
    }

    @Test func `what a client says of its own address is said nowhere`() async throws {
        try await LoopbackServer.running(["one"]) { ports in
            try await GatewayWorld.with { world in
                world.service("one", ports)
                world.ingress("web", host: "shop.example", [("/", "Prefix", "one")])
                let text = try await world.curl(
                    "-H", "Forwarded: for=1.2.3.4", "-H", "X_Forwarded_For: 1.2.3.4", "-H", "X-Forwarded-Server: 1.2.3.4",
                    "-H", "Connection: Host, Content-Length", "-H", "Host: other", "-d", "abc",
                    "--request-target", "http://shop.example:81/x?y", "http://\(world.address)/").text
                #expect(text.hasPrefix("one POST /x?y\n") && text.hasSuffix("body 3"), "the target says who is meant: \(text)")
                for line in ["Host: shop.example:81", "X-Forwarded-Host: shop.example:81"] { #expect(text.contains(line), "\(line) in \(text)") }
                #expect(!text.contains("1.2.3.4"), "\(text)")
            }
        }
    }

    @Test func `bodies go through as they come, both ways`() async throws {
        try await LoopbackServer.running(["one"]) { ports in
            try await GatewayWorld.with { world in
                world.service("one", ports)
                world.ingress("web", [("/", "Prefix", "one")])
                let file = "/tmp/forkless-services-body-\(OwnProcess.pid)"
                try Files.replace(file, with: [UInt8](repeating: 65, count: 20_000_000))
                defer { try? Files.remove(file) }
                let url = "http://\(world.address)/up"
                #expect(try await world.curl("--data-binary", "@" + file, url).text.hasSuffix("body 20000000"))
                let chunked = try await world.curl("-H", "Transfer-Encoding: chunked", "-T", file, url)
                #expect(chunked.text.hasPrefix("one PUT /up\n") && chunked.text.hasSuffix("body 20000000"))
                #expect(try await world.curl("-o", "/dev/null", "-w", "%{size_download}", "http://\(world.address)/big").text == "50000000")
                #expect(try await world.curl("http://\(world.address)/chunked").text == "part0part1part2")
                #expect(try await world.curl("-i", "http://\(world.address)/none").text.hasPrefix("HTTP/1.1 204 No Content\r\n"))
                let head = try await world.curl("-I", "http://\(world.address)/head").text
                #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n") && head.contains("Content-Length: "))
                let old = try await world.curl("-0", "http://\(world.address)/chunked").text
                #expect(old == "part0part1part2")
            }
        }
    }

    @Test func `an answer that breaks off is not taken for complete`() async throws {
        try await LoopbackServer.running(["one"]) { ports in
            try await GatewayWorld.with { world in
                world.service("one", ports)
                world.ingress("web", [("/", "Prefix", "one")])
                let broken = try await world.curl("http://\(world.address)/break")
                #expect(!broken.status.isSuccess && broken.text == "part", "\(broken.errorText)")
            }
        }
    }

    @Test func `a server that refuses is passed over`() async throws {
        try await LoopbackServer.running(["one"]) { ports in
            try await GatewayWorld.with { world in
                // Nobody listens at port 1.
                world.service("one", [1, ports[0]])
                world.ingress("web", [("/", "Prefix", "one")])
                for _ in 0..<6 {
                    #expect(try await world.curl("-d", "hello", "http://\(world.address)/").text.hasSuffix("body 5"))
                }
                world.endpoints("one", [1])
                let bad = try await world.curl("-i", "http://\(world.address)/")
                #expect(bad.text.hasPrefix("HTTP/1.1 502 Bad Gateway\r\n"))
            }
        }
    }

    @Test func `a pod that is withdrawn gets no more requests`() async throws {
        try await LoopbackServer.running(["one", "two"]) { ports in
            try await GatewayWorld.with { world in
                world.service("web", ports)
                world.ingress("web", [("/", "Prefix", "web")])
                func names() async throws -> Set<Substring> {
                    let urls = (0..<20).map { "http://\(world.address)/\($0)" }
                    let text = try await CommandRunner.run(["curl", "-sS"] + urls).text
                    return Set(text.split(separator: "\n").filter { $0.contains(" GET /") }.map { $0.prefix(3) })
                }
                #expect(try await names() == ["one", "two"])
                async let slow = world.curl("http://\(world.address)/slow")
                try await Task.sleep(for: .milliseconds(200))
                world.withdraw("uid-\(ports[0])")
                #expect(try await names() == ["two"])
                #expect(try await slow.text.contains(" GET /slow"), "what was under way is answered")
                let name = ServiceName(namespace: "default", name: "web")
                try await eventually("all are counted") { world.gateway.loads.load(of: name).concurrency == 0 }
                let load = world.gateway.loads.load(of: name)
                #expect(load.requests == 41 && load.answers == [2: 41] && load.latencies.reduce(0, +) == 41)
            }
        }
    }

    @Test func `requests are counted by server, and servers that are gone are forgotten`() async throws {
        try await LoopbackServer.running(["one"]) { ports in
            try await GatewayWorld.with { world in
                world.service("web", ports)
                world.ingress("web", [("/", "Prefix", "web")])
                let servers = world.gateway.servers
                #expect(servers.load(of: "127.0.0.1") == ServerLoad())
                async let held = world.curl("http://\(world.address)/held")
                try await eventually("the request is at the server") { servers.load(of: "127.0.0.1").concurrency == 1 }
                try await eventually("it counts for its second") { servers.load(of: "127.0.0.1").requestsPerSecond > 0 }
                // Not by the gateway, which would count it.
                #expect(try await world.curl("http://127.0.0.1:\(ports[0])/release").status.isSuccess)
                #expect(try await held.text.contains(" GET /held"))
                try await eventually("it is answered") { servers.load(of: "127.0.0.1").concurrency == 0 }
                #expect(servers.count == 1)
                world.endpoints("web", [])
                try await eventually("the server is forgotten") { servers.count == 0 }
            }
        }
    }

    @Test func `a server that is found too late is not asked`() {
        let book = ServerBook()
        let asked = AskedServer(book)
        asked.move(to: .tcp("10.0.0.1", 80))
        asked.move(to: .tcp("10.0.0.2", 80))
        #expect(book.load(of: "10.0.0.1").concurrency == 0 && book.load(of: "10.0.0.2").concurrency == 1)
        asked.end()
        asked.move(to: .tcp("10.0.0.3", 80))
        asked.move(to: .unix("/run/socket"))
        #expect(["10.0.0.1", "10.0.0.2", "10.0.0.3"].allSatisfy { book.load(of: $0).concurrency == 0 })
        book.keep([])
        #expect(book.count == 0)
    }

    @Test func `requests wait for the first server of a service at zero`() async throws {
        func mayBeAtZero(_ world: GatewayWorld) {
            world.put(
                .deployments, "web",
                [
                    "metadata": ["annotations": ["forkless.dev/scale-to-zero": "true"]],
                    "spec": ["template": ["metadata": ["labels": ["app": "web", "tier": "front"]]]],
                ])
        }
        try await LoopbackServer.running(["one"]) { ports in
            try await GatewayWorld.with({ $0.waitingTime = .seconds(60) }) { world in
                world.service("web", []) { $0["spec", "selector"] = ["app": "web"] }
                world.ingress("web", [("/", "Prefix", "web")])
                #expect(try await world.curl("-i", "http://\(world.address)/").text.hasPrefix("HTTP/1.1 503 "))
                mayBeAtZero(world)
                async let early = world.curl("-d", "hello", "http://\(world.address)/")
                let name = ServiceName(namespace: "default", name: "web")
                try await eventually("the request waits") { world.gateway.loads.load(of: name).waiting == 1 }
                // It waits, and then somebody is told.
                try await eventually("a server is asked for") { world.demands.withLock { $0 } == ["default/web"] }
                world.endpoints("web", ports)
                #expect(try await early.text.hasSuffix("body 5"))
                #expect(world.gateway.loads.load(of: name).waiting == 0)
            }
            try await GatewayWorld.with({ $0.waitingTime = .seconds(1) }) { world in
                world.service("web", ports) { $0["spec", "selector"] = ["app": "web"] }
                world.ingress("web", [("/", "Prefix", "web")])
                mayBeAtZero(world)
                world.endpoints("web", [])
                let inVain = try await world.curl("-i", "http://\(world.address)/")
                #expect(inVain.text.hasPrefix("HTTP/1.1 503 "))
                #expect(world.demands.withLock { $0 } == ["default/web"], "it waited in vain")
            }
        }
    }

    @Test func `websockets go through`() async throws {
        let script = """
            import socket,sys,threading
            s=socket.create_server(("127.0.0.1",0)); print("ready",s.getsockname()[1],flush=True)
            def serve(c):
              head=b""
              while not head.endswith(b"\\r\\n\\r\\n"): head+=c.recv(1)
              assert b"upgrade: websocket" in head.lower(), head
              c.sendall(b"HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: x\\r\\n\\r\\nhello")
              while True:
                d=c.recv(65536)
                if not d: break
                c.sendall(d)
              c.close()
            while True:
              c,a=s.accept(); threading.Thread(target=serve,args=(c,),daemon=True).start()
            """
        try await LoopbackServer.running(["echo"], script) { ports in
            try await GatewayWorld.with { world in
                world.service("echo", ports)
                world.ingress("web", [("/", "Prefix", "echo")])
                let client = """
                    import socket,sys,threading
                    c=socket.create_connection(("127.0.0.1",int(sys.argv[1])),timeout=10)
                    c.sendall(b"GET /chat HTTP/1.1\\r\\nHost: a\\r\\nConnection: keep-alive, Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Key: x\\r\\n\\r\\n")
                    head=b""
                    while not head.endswith(b"\\r\\n\\r\\n"): head+=c.recv(1)
                    assert head.startswith(b"HTTP/1.1 101 "), head
                    assert b"upgrade: websocket" in head.lower() and b"connection: upgrade" in head.lower(), head
                    sent=bytes(range(256))*8192
                    threading.Thread(target=lambda: c.sendall(sent)).start()
                    got=b""
                    while len(got)<len(sent)+5: got+=c.recv(65536)
                    assert got==b"hello"+sent
                    print("same")
                    """
                let outcome = try await CommandRunner.run(["python3", "-c", client, "\(world.gateway.plainPort)"])
                #expect(outcome.text == "same\n", "\(outcome.errorText)")
            }
        }
    }

    @Test func `a host is served with its own certificate, and plain requests are sent there`() async throws {
        let directory = try TemporaryDirectory("ingress-tls")
        func pair(_ name: String, _ host: String) async throws -> ([UInt8], [UInt8]) {
            let (key, crt) = (directory.path(name + ".key"), directory.path(name + ".crt"))
            let made = try await CommandRunner.run([
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                "/CN=" + name, "-addext", "subjectAltName=DNS:" + host, "-keyout", key, "-out", crt,
            ])
            try #require(made.status.isSuccess)
            return (Array(try Files.readText(crt).utf8) + [10], Array(try Files.readText(key).utf8) + [10])
        }
        let fallback = try await pair("fallback", "fallback.example")
        let shop = try await pair("shop", "*.example.com")
        let certificate = try TLSCertificate(chain: fallback.0, privateKey: fallback.1)
        try await LoopbackServer.running(["one"]) { ports in
            try await GatewayWorld.with({ $0.certificate = certificate }) { world in
                world.service("one", ports)
                world.put(
                    .secrets, "shop-tls",
                    [
                        "type": "kubernetes.io/tls",
                        "data": ["tls.crt": .string(Base64.text(shop.0)), "tls.key": .string(Base64.text(shop.1))],
                    ])
                world.ingress("web", host: "www.example.com", [("/", "Prefix", "one")]) {
                    $0["spec", "tls"] = [["hosts": ["*.example.com"], "secretName": "shop-tls"], ["hosts": ["www.example.com"], "secretName": "shop-tls"]]
                }
                let port = world.gateway.tlsPort
                func curl(_ host: String, _ authority: String) async throws -> CommandRunner.Outcome {
                    try await world.curl(
                        "--resolve", "\(host):\(port):127.0.0.1", "--cacert", directory.path(authority + ".crt"), "https://\(host):\(port)/x")
                }
                let good = try await curl("www.example.com", "shop")
                #expect(good.text.hasPrefix("one GET /x\n") && good.text.contains("X-Forwarded-Proto: https"), "\(good.errorText)")
                #expect(try await curl("fallback.example", "fallback").text.contains("404 Not Found"))
                let plain = try await world.curl("-i", "-H", "Host: www.example.com", "http://\(world.address)/x?y")
                #expect(plain.text.hasPrefix("HTTP/1.1 308 Permanent Redirect\r\n"))
                #expect(plain.text.contains("Location: https://www.example.com:\(port)/x?y\r\n"))
            }
        }
    }

    @Test func `a service of a function is answered by it`() async throws {
        struct Functions: FunctionBackend {
            func call(_ function: String, _ request: HTTPRequest, body: [UInt8], client: String?) async -> HTTPResponse {
                let text = "\(function) \(request.method) \(request.target) \(body.count) \(client ?? "") \(request.headers["x-forwarded-proto"] ?? "")"
                return HTTPResponse(201, body: Array(text.utf8))
            }
        }
        try await GatewayWorld.with({ $0.functions = Functions() }) { world in
            world.service("fn", []) { $0["metadata", "annotations"] = ["forkless.dev/function": "hello:live"] }
            world.ingress("web", [("/", "Prefix", "fn")])
            let answer = try await world.curl("-i", "-d", "abc", "http://\(world.address)/f?x=1")
            #expect(answer.text.hasPrefix("HTTP/1.1 201 ") && answer.text.hasSuffix("hello:live POST /f?x=1 3 127.0.0.1 http"))
        }
    }
}
