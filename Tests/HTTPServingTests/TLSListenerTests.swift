import Linux
import TestKit
import Testing

@testable import HTTPServing

/// A certificate for 127.0.0.1 and one for a client, made by openssl(1) for all tests.
private struct Certificates {
    let directory: TemporaryDirectory

    static func make() async throws -> Certificates {
        let made = Certificates(directory: try TemporaryDirectory("tls"))
        for (name, subject) in [("server", "/CN=127.0.0.1"), ("client", "/O=blue/CN=jane")] {
            let outcome = try await CommandRunner.run([
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-days", "2",
                "-subj", subject, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", made.path("\(name).key"), "-out",
                made.path("\(name).crt"),
            ])
            try #require(outcome.status.isSuccess, "\(outcome.errorText)")
        }
        return made
    }

    func path(_ name: String) -> String { directory.path(name) }

    func identity() throws -> TLSIdentity {
        try TLSIdentity(
            chain: bytes("server.crt"), privateKey: bytes("server.key"), clientAuthorities: bytes("server.crt"))
    }

    func bytes(_ name: String) throws -> [UInt8] { Array(try Files.readText(path(name)).utf8) + [10] }
}

/// Answers with what came and the length of the client's certificate.
@Sendable private func describe(_ exchange: any HTTPExchange) -> BodyReading {
    .whole(limit: 1 << 24) { body in
        let line =
            "\(exchange.request.method) \(exchange.request.target) \(body.count) \(exchange.peerCertificate != nil)"
        exchange.respond(HTTPResponse(200, body: Array(line.utf8)))
    }
}

/// Echoes bytes after an upgrade, and ends when the client does.
@Sendable private func upgrade(_ exchange: any HTTPExchange) -> BodyReading {
    .whole(limit: 0) { _ in
        guard let duplex = exchange.upgrade(headers: HeaderFields([("Upgrade", "echo")])) else { return }
        duplex.onBytes = { bytes in
            duplex.send(bytes)
            if !duplex.isWritable { duplex.pause() }
        }
        duplex.onWritable = { duplex.resume() }
        duplex.onInputEnd = {
            duplex.send(Array("end".utf8))
            duplex.finish()
        }
    }
}

@Suite(.serialized, .timeLimit(.minutes(2))) struct TLSListenerTests {
    private func serve(
        limits: HTTPLimits = HTTPLimits(), _ script: @escaping @Sendable (any HTTPExchange) -> BodyReading = describe,
        _ body: (HTTPListener, Certificates, ServingLoop) async throws -> Void
    ) async throws {
        let certificates = try await Certificates.make()
        let loops = ServingLoops(count: 1)
        let listener = try await HTTPListener.listen(
            on: .tcp("127.0.0.1", 0), loop: loops.loops[0], tls: try certificates.identity(), limits: limits
        ) { _ in ScriptedService(script) }
        do {
            try await body(listener, certificates, loops.loops[0])
        } catch {
            await listener.close(after: .zero)
            await loops.shutDown()
            throw error
        }
        await listener.close(after: .zero)
        await loops.shutDown()
    }

    private func curl(_ listener: HTTPListener, _ certificates: Certificates, _ arguments: [String]) async throws
        -> CommandRunner.Outcome
    {
        try await CommandRunner.run(
            ["curl", "-sS", "--max-time", "30", "--cacert", certificates.path("server.crt")] + arguments
                + ["https://\(listener.address!)/a"])
    }

    @Test func `a client by TLS is answered, with and without a certificate`() async throws {
        try await serve { listener, certificates, _ in
            #expect(try await curl(listener, certificates, []).text == "GET /a 0 false")
            let own = ["--cert", certificates.path("client.crt"), "--key", certificates.path("client.key")]
            #expect(try await curl(listener, certificates, own + ["-d", "hello"]).text == "POST /a 5 true")
            let long = certificates.path("long")
            try Files.replace(long, with: [UInt8](repeating: 7, count: 5_000_000))
            #expect(
                try await curl(listener, certificates, ["--data-binary", "@" + long]).text == "POST /a 5000000 false")
            for version in ["--tls-max 1.2", "--tlsv1.3"] {
                let words = version.split(separator: " ").map(String.init)
                #expect(try await curl(listener, certificates, words).text == "GET /a 0 false")
            }
            #expect(try await !curl(listener, certificates, ["--tls-max", "1.1"]).status.isSuccess)
        }
    }

    @Test func `a client that speaks no TLS is told so`() async throws {
        try await serve { listener, _, loop in
            let outcome = try await CommandRunner.run(["curl", "-sS", "-i", "http://\(listener.address!)/"])
            #expect(outcome.text.hasPrefix("HTTP/1.0 400 Bad Request"))
            #expect(outcome.text.hasSuffix("Client sent an HTTP request to an HTTPS server.\n"))
            let garbage = try await RawClient.connect(to: listener.address!, on: loop)
            garbage.send([0x16, 0x03, 0x01, 0xff, 0xff] + [UInt8](repeating: 0xa5, count: 4000))
            try await eventually("the end of garbage") { garbage.isEnded }
            await garbage.close()
        }
    }

    @Test func `a handshake that does not come is given up`() async throws {
        var limits = HTTPLimits()
        limits.headTimeout = .milliseconds(50)
        try await serve(limits: limits) { listener, _, loop in
            let silent = try await RawClient.connect(to: listener.address!, on: loop)
            let slow = try await RawClient.connect(to: listener.address!, on: loop)
            slow.send([0x16, 0x03])
            try await eventually("the end of both") { silent.isEnded && slow.isEnded }
            await silent.close()
            await slow.close()
        }
    }

    @Test func `a renewed identity is shown to connections made afterwards`() async throws {
        let certificates = try await Certificates.make()
        let identity = try certificates.identity()
        let loops = ServingLoops(count: 1)
        let listener = try await HTTPListener.listen(
            on: .tcp("127.0.0.1", 0), loop: loops.loops[0], tls: identity
        ) { _ in ScriptedService(describe) }
        #expect(try await curl(listener, certificates, []).status.isSuccess)
        try identity.renew(
            chain: certificates.bytes("client.crt"), privateKey: certificates.bytes("client.key"),
            clientAuthorities: certificates.bytes("client.crt"))
        #expect(try await !curl(listener, certificates, []).status.isSuccess)
        #expect(throws: HTTPServingFailure.self) {
            try identity.renew(
                chain: certificates.bytes("client.crt"), privateKey: certificates.bytes("server.key"),
                clientAuthorities: certificates.bytes("client.crt"))
        }
        await listener.close(after: .zero)
        await loops.shutDown()
    }

    /// `more` comes in the same write as the request.
    private static func request(_ more: String = "") -> String {
        "GET /up HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n" + more
    }

    @Test func `an upgraded connection carries bytes both ways`() async throws {
        try await ServedLoop.with(upgrade) { served in
            let client = try await RawClient.connect(to: served.address, on: served.loop)
            client.send(Self.request("early"))
            try await eventually("the head and the early bytes") { client.text.hasSuffix("\r\n\r\nearly") }
            #expect(client.text.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
            #expect(client.text.contains("Connection: Upgrade\r\n"))
            #expect(!client.text.contains("Content-Length"))
            client.send("GET / HTTP/1.1\r\n\r\n")
            try await eventually("an echo") { client.text.hasSuffix("earlyGET / HTTP/1.1\r\n\r\n") }
            await client.endInput()
            try await eventually("the end") { client.isEnded }
            #expect(client.text.hasSuffix("\r\n\r\nend"))
            await client.close()
        }
    }

    @Test func `an upgraded connection holds back a sender whose bytes nobody takes`() async throws {
        try await ServedLoop.with(upgrade) { served in
            let client = try await RawClient.connect(to: served.address, on: served.loop, reads: false)
            client.send(Self.request())
            for _ in 0..<400 { client.send([UInt8](repeating: 7, count: 64 << 10)) }
            try await Task.sleep(for: .milliseconds(200))
            #expect(try await !client.isTaken)
            await client.close()
            try await eventually("no connection") { await served.listener.connectionCount == 0 }
        }
    }

    @Test func `an upgrade by TLS works`() async throws {
        try await serve(upgrade) { listener, certificates, _ in
            let script = """
                import socket, ssl, sys
                context = ssl.create_default_context(cafile=sys.argv[1])
                raw = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
                tls = context.wrap_socket(raw, server_hostname="127.0.0.1")
                tls.sendall(b"GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: Upgrade\\r\\nUpgrade: echo\\r\\n\\r\\n")
                head = b""
                while not head.endswith(b"\\r\\n\\r\\n"): head += tls.recv(1)
                assert head.startswith(b"HTTP/1.1 101 "), head
                sent = bytes(range(256)) * 4096
                import threading
                threading.Thread(target=lambda: tls.sendall(sent)).start()
                got = b""
                while len(got) < len(sent): got += tls.recv(65536)
                assert got == sent
                print("same")
                """
            guard case .tcp(_, let port)? = listener.address else { return }
            let outcome = try await CommandRunner.run([
                "python3", "-c", script, certificates.path("server.crt"), "\(port)",
            ])
            #expect(outcome.text == "same\n", "\(outcome.errorText)")
        }
    }
}
