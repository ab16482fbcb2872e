import Linux
import TestKit
import Testing

@testable import Comparison

/// Calls of a program behind an address.
@Suite(.timeLimit(.minutes(1))) struct ServiceRungTests {
    @Test func `a call is a connection, and what comes back until its end is the output`() async throws {
        let script = """
            import socketserver
            class Upper(socketserver.StreamRequestHandler):
                def handle(self): self.wfile.write(self.rfile.read().upper())
            class Server(socketserver.ThreadingTCPServer):
                allow_reuse_address = True
                daemon_threads = True
            server = Server(("127.0.0.1", 0), Upper)
            print("port", server.server_address[1], "of mine", flush=True)
            server.serve_forever()
            """
        let directory = try TemporaryDirectory("service")
        try await BackgroundServer.running(
            ["/usr/bin/python3", "-c", script], log: directory.path("log")
        ) { server in
            let port: UInt16 = try await server.until("the server's port") { said -> UInt16? in
                let words = said.split(separator: " ")
                // What follows the digits says that all of them are there.
                return words.count > 2 ? UInt16(words[1]) : nil
            }
            let rung = ServiceRung(InternetEndpoint(IPAddress("127.0.0.1")!, port))
            try await rung.prepare()
            let sample = try await rung.call(Array("a trade\n".utf8))
            #expect(sample.output == Array("A TRADE\n".utf8) && sample.failure == nil)
            let long = [UInt8](repeating: 0x61, count: 1 << 20)
            #expect(try await rung.call(long).output == [UInt8](repeating: 0x41, count: 1 << 20))
        }
    }

    @Test func `an address where nobody listens is said before the first call`() async throws {
        let listener = try InternetSocket.bind(.stream, to: InternetEndpoint(IPAddress("127.0.0.1")!, 0), listens: false)
        let place = try #require(try InternetSocket.local(listener.raw))
        await #expect(throws: ComparisonError.self) { try await ServiceRung(place).prepare() }
        withExtendedLifetime(listener.raw) {}
    }
}
