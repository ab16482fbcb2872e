import HTTPServing
import JSON
import KubeObjects
import Linux
import Synchronization
import TestKit
import Testing

@testable import KubeServing

/// A server that tells what it was asked, on a port that it prints.
private let backend = """
    import http.server, json, socketserver
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def log_message(self, *_): pass
        def any(self):
            if self.headers.get("Upgrade") == "shouting":
                self.connection.sendall(b"HTTP/1.1 101 Switching\\r\\nUpgrade: shouting\\r\\nConnection: Upgrade\\r\\n\\r\\nready\\n")
                while (data := self.connection.recv(4096)): self.connection.sendall(data.upper())
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            if self.path.startswith("/redirect"):
                self.send_response(302)
                self.send_header("Location", {"/redirect": "/other?x=1", "/redirect-abs": f"http://127.0.0.1:{port}/abs",
                                              "/redirect-out": "https://example.org/"}[self.path])
                self.send_header("Content-Length", "0")
                return self.end_headers()
            if self.path == "/broken":
                self.send_response(200)
                self.send_header("Content-Length", "100")
                self.end_headers()
                self.wfile.write(b"short")
                self.close_connection = True
                return
            said = json.dumps({"method": self.command, "path": self.path, "body": body,
                               "headers": {k.lower(): v for k, v in self.headers.items()}}).encode()
            self.send_response(418 if self.path == "/teapot" else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("X-Own", "yes")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            if self.command != "HEAD": self.wfile.write(said)
        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = any
    class Server(socketserver.ThreadingMixIn, http.server.HTTPServer): daemon_threads = True
    server = Server(("127.0.0.1", 0), Handler)
    port = server.server_address[1]
    print("port", port, flush=True)
    server.serve_forever()
    """

/// Asks by TLS for another protocol, says something, and prints what comes.
private let shouter = """
    import socket, ssl, sys
    context = ssl._create_unverified_context()
    s = context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
    s.sendall(b"GET " + sys.argv[2].encode() + b" HTTP/1.1\\r\\nHost: x\\r\\nConnection: Upgrade\\r\\nUpgrade: shouting\\r\\n\\r\\n")
    data = b""
    while b"ready\\n" not in data: data += s.recv(4096)
    s.sendall(b"hello")
    while b"HELLO" not in data: data += s.recv(4096)
    print(data.decode())
    """

@Suite(.serialized, .timeLimit(.minutes(3))) struct ProxyTests {
    private static let proxy = "/api/v1/namespaces/default/pods/web/proxy"

    private func with(_ body: (ServedDoor) async throws -> Void) async throws {
        let directory = try TemporaryDirectory("proxy")
        try await BackgroundServer.running(["python3", "-c", backend], log: directory.path("log")) { server in
            let port = try await server.until("its port") { said in
                said.split(separator: "\n").first?.split(separator: " ").last.flatMap { UInt16($0) }
            }
            try await ServedDoor.with { door in
                door.service.proxied.withLock { $0 = port }
                try await body(door)
            }
        }
    }

    @Test func `what is passed on has no credentials of the client's`() async throws {
        try await with { door in
            let seen = try door.json(
                try await door.curlAsAdministrator(
                    Self.proxy + "/a%2Fb//c?q=1%202&r",
                    ["-X", "PUT", "-d", "text", "-H", "X-Mine: 1", "-H", "Impersonate-User: x"]))
            #expect(seen["method"] == "PUT" && seen["body"] == "text")
            #expect(seen["path"] == "/a%2Fb//c?q=1%202&r")
            let headers = seen["headers"]
            #expect(headers?["authorization"] == nil && headers?["impersonate-user"] == nil)
            #expect(headers?["x-mine"] == "1" && headers?["x-forwarded-for"] == "127.0.0.1")
            #expect(headers?["x-forwarded-uri"]?.string == Self.proxy + "/a%2Fb//c")
        }
    }

    @Test func `the answer is the target's own`() async throws {
        try await with { door in
            for method in ["GET", "POST", "PATCH", "DELETE"] {
                #expect(
                    try door.json(try await door.curl(Self.proxy + "/x", ["-X", method]))["method"]?.string == method)
            }
            let teapot = try await door.curl(Self.proxy + "/teapot", ["-i"]).text
            #expect(teapot.hasPrefix("HTTP/1.1 418") && teapot.contains("X-Own: yes"), "\(teapot)")
            let head = try await door.curl(Self.proxy + "/x", ["-I"]).text
            #expect(head.hasPrefix("HTTP/1.1 200") && head.contains("X-Own: yes"), "\(head)")
            // An answer that breaks off is not taken for a whole one.
            #expect(!(try await door.curl(Self.proxy + "/broken").status.isSuccess))
        }
    }

    @Test func `a redirect of the target stays below the proxy`() async throws {
        try await with { door in
            func place(_ path: String) async throws -> String {
                try await door.curl(Self.proxy + path, ["-o", "/dev/null", "-w", "%{http_code} %{redirect_url}"]).text
                    .replacing(door.url, with: "")
            }
            var places: [String] = []
            for path in ["/redirect", "/redirect-abs", "/redirect-out", "?a=b"] { places.append(try await place(path)) }
            #expect(
                places == [
                    "302 " + Self.proxy + "/other?x=1", "302 " + Self.proxy + "/abs", "302 https://example.org/",
                    "301 " + Self.proxy + "/?a=b",
                ])
        }
    }

    @Test func `another protocol is spoken once both sides agree`() async throws {
        try await with { door in
            let said = try await CommandRunner.run(["python3", "-c", shouter, "\(door.port)", Self.proxy + "/shout"])
            #expect(
                said.text.hasPrefix("HTTP/1.1 101") && said.text.contains("ready\nHELLO"),
                "\(said.text)\(said.errorText)")
        }
    }

    @Test func `a target that nobody serves is unavailable`() async throws {
        try await ServedDoor.with { door in
            let failure = try door.json(try await door.curl(Self.proxy + "/"))
            #expect(failure["code"] == 503 && failure["reason"] == "ServiceUnavailable")
            #expect(failure["message"]?.string?.hasPrefix("error trying to reach service: ") == true)
        }
    }

    @Test func `a target is cut where its own part begins`() {
        let target = RawTarget("https://node:6443/api/v1//pods/a/proxy/x//y%20z/?q=/a#f")
        #expect(target.path(behind: 5) == "/x//y%20z/" && target.query == "?q=/a")
        #expect(RawTarget("/a/b").path(behind: 2).isEmpty && RawTarget("/a/b").path(behind: 9).isEmpty)
        #expect(AnswerLines(Array("HTTP/1.1 101 x\r\nA: b\r\n\r\n".utf8)[...])?.fields["a"] == "b")
        for bad in ["", "HTTP/2 101", "HTTP/1.1 9", "HTTP/1.1 200 OK\r\nno colon"] {
            #expect(AnswerLines(Array(bad.utf8)[...]) == nil, "\(bad)")
        }
    }
}
