import HTTPServing
import KubeObjects
import Linux
import TestKit
import Testing

@testable import Services

/// What passing requests on promises (HTTPServing/Forwarding), seen through a gateway with servers that misbehave.
@Suite(.leavesNoTrace, .timeLimit(.minutes(3)), .serialized) struct ForwardingTests {
    /// Each connection gets a thread and a number; `serve(c,number)` is what it does.
    private static func server(_ serve: String) -> String {
        """
        import socket,threading,time
        s=socket.create_server(("127.0.0.1",0),backlog=256); print("ready",s.getsockname()[1],flush=True)
        count=0; sent=0
        def head(c):
          h=b""
          while not h.endswith(b"\\r\\n\\r\\n"):
            d=c.recv(1)
            if not d: return None
            h+=d
          return h.decode()
        def answer(c,text): c.sendall(("HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%s"%(len(text),text)).encode())
        \(serve)
        number=0
        while True:
          c,a=s.accept(); number+=1; threading.Thread(target=serve,args=(c,number),daemon=True).start()
        """
    }

    @Test func `a connection is used again, and not when its server has closed it`() async throws {
        // Two requests on each connection, and then it ends without a word.
        let script = Self.server(
            """
            def serve(c,number):
              for i in range(2):
                if head(c) is None: return
                answer(c,"%d "%number)
              c.close()
            """)
        try await LoopbackServer.running(["twice"], script) { ports in
            try await GatewayWorld.with { world in
                world.service("web", ports)
                world.ingress("web", [("/", "Prefix", "web")])
                let urls = (0..<6).map { "http://\(world.address)/\($0)" }
                let said = try await CommandRunner.run(["curl", "-sS"] + urls).text
                #expect(said == "1 1 2 2 3 3 ")
            }
        }
    }

    @Test func `a request that may have been seen is not sent again`() async throws {
        let script = Self.server(
            """
            def serve(c,number):
              global count
              h=head(c)
              if h and h.split()[1]=="/count": answer(c,str(count))
              elif h: count+=1
              c.close()
            """)
        try await LoopbackServer.running(["mute"], script) { ports in
            try await GatewayWorld.with { world in
                world.service("web", ports)
                world.ingress("web", [("/", "Prefix", "web")])
                for (method, count) in [("POST", "1"), ("GET", "2")] {
                    let answer = try await world.curl("-i", "-X", method, "http://\(world.address)/a").text
                    let counted = try await world.curl("http://\(world.address)/count").text
                    #expect(answer.hasPrefix("HTTP/1.1 502 ") && counted == count)
                }
            }
        }
    }

    @Test func `a slow client holds back its server, and the other way`() async throws {
        let script = Self.server(
            """
            def serve(c,number):
              global sent
              h=head(c)
              if not h: return
              path=h.split()[1]
              if path=="/sent": answer(c,str(sent)); c.close()
              elif path=="/flood":
                c.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 400000000\\r\\n\\r\\n")
                for i in range(400): c.sendall(b"x"*1000000); sent+=1
              else: time.sleep(600)
            """)
        try await LoopbackServer.running(["flood"], script) { ports in
            try await GatewayWorld.with { world in
                world.service("web", ports)
                world.ingress("web", [("/", "Prefix", "web")])
                let client = """
                    import socket,sys,time
                    def ask(line):
                      c=socket.create_connection(("127.0.0.1",int(sys.argv[1]))); c.sendall((line+" HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 400000000\\r\\n\\r\\n").encode()); return c
                    a=socket.create_connection(("127.0.0.1",int(sys.argv[1]))); a.sendall(b"GET /flood HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")
                    b=ask("POST /stall"); b.settimeout(1.5); megabytes=0
                    try:
                      while megabytes<400: b.sendall(b"x"*1000000); megabytes+=1
                    except TimeoutError: pass
                    d=socket.create_connection(("127.0.0.1",int(sys.argv[1]))); d.sendall(b"GET /sent HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n")
                    text=b""
                    while True:
                      x=d.recv(1000)
                      if not x: break
                      text+=x
                    flooded=int(text.split(b"\\r\\n\\r\\n")[1])
                    print("held" if megabytes<100 and flooded<100 else "%d %d"%(megabytes,flooded))
                    """
                let outcome = try await CommandRunner.run(["python3", "-c", client, "\(world.gateway.plainPort)"])
                #expect(outcome.text == "held\n", "\(outcome.text) \(outcome.errorText)")
            }
        }
    }
}
