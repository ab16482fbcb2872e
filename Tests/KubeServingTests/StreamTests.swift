import HTTPServing
import JSON
import KubeObjects
import Linux
import TestKit
import Testing

@testable import KubeServing

/// Streams by a client that says what a test wants: websocket-client, which the client for Python brings along.
@Suite(.serialized, .timeLimit(.minutes(3)), .leavesNothing) struct StreamTests {
    /// Runs a script with `open(path, protocols)`, which gives a WebSocket.
    private func run(_ door: ServedDoor, _ script: String, _ arguments: [String] = []) async throws -> String {
        let begin = """
            import base64, json, ssl, sys, time, websocket
            def open(path, protocols, **more):
                return websocket.create_connection(
                    "wss://127.0.0.1:" + sys.argv[1] + "/api/v1/namespaces/default/pods/web/" + path, timeout=30,
                    sslopt={"ca_certs": sys.argv[2]}, header=["Authorization: Bearer " + sys.argv[3]],
                    subprotocols=protocols, **more)
            def refused(path, protocols, **more):
                try: open(path, protocols, **more)
                except websocket.WebSocketBadStatusException as e:
                    return e.status_code, json.loads(e.resp_body)["message"]

            """
        let python = try await PythonEnvironment.kubernetes()
        let outcome = try await CommandRunner.run(
            [python.python, "-c", begin + script, "\(door.port)", door.caFile, door.authority.administratorToken]
                + arguments)
        return outcome.text + outcome.errorText
    }

    private static let exec =
        "exec?command=sh&command=-c&command=read+x%3Becho+$x%3Bexit+4&stdin=true&stdout=true&stderr=true"

    @Test func `each protocol of channels carries input, output and the end`() async throws {
        try await ServedDoor.with { door in
            let script = """
                def talk(protocol):
                    socket = open("\(Self.exec)", [protocol] if protocol else None)
                    assert socket.getsubprotocol() == (protocol or None), socket.getsubprotocol()
                    text = "base64" in protocol
                    if text: socket.send("0" + base64.b64encode(b"hello\\n").decode())
                    else: socket.send_binary(b"\\0hello\\n")
                    got = {}
                    while True:
                        opcode, data = socket.recv_data()
                        if opcode == 8: return got, int.from_bytes(data[:2], "big")
                        channel = data[0] - 48 if text else data[0]
                        got[channel] = got.get(channel, b"") + (base64.b64decode(data[1:]) if text else data[1:])
                for protocol in ["v5.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io"]:
                    got, code = talk(protocol)
                    status = json.loads(got.pop(3))
                    print(got, code, status["reason"], status["details"]["causes"][0])
                for protocol in ["channel.k8s.io", "base64.channel.k8s.io", ""]: print(*talk(protocol))
                """
            let status = "{1: b'hello\\n'} 1000 NonZeroExitCode {'reason': 'ExitCode', 'message': '4'}\n"
            let plain = "{1: b'hello\\n', 3: b'command terminated with non-zero exit code: exit status 4'} 1000\n"
            let said = try await run(door, script)
            #expect(
                said == String(repeating: status, count: 3) + String(repeating: plain, count: 3))
        }
    }

    @Test func `a message in frames, pings between and a close of the input are understood`() async throws {
        try await ServedDoor.with { door in
            let script = """
                socket = open("exec?command=cat&stdin=true&stdout=true", ["v5.channel.k8s.io"])
                F = websocket.ABNF
                frames = [(b"\\0", 2, 0), (b"one ", 0, 0), (b"", 0, 0), (b"two", 0, 1)]
                for number, (data, opcode, fin) in enumerate(frames):
                    socket.send_frame(F.create_frame(data, opcode, fin))
                    socket.ping("mark %d" % number)
                socket.send_binary(b"")
                socket.send_binary(b"\\x09unknown channel")
                socket.send_binary(b"\\xff\\0")
                pongs, got = [], {}
                while True:
                    opcode, data = socket.recv_data(control_frame=True)
                    if opcode == 10: pongs.append(data)
                    elif opcode == 8: break
                    else: got[data[0]] = got.get(data[0], b"") + data[1:]
                print(pongs, got[1], json.loads(got[3])["status"])
                """
            let said = try await run(door, script)
            #expect(
                said
                    == "[b'mark 0', b'mark 1', b'mark 2', b'mark 3'] b'one two' Success\n")
        }
    }

    @Test func `a client that breaks the rules is told and dropped`() async throws {
        let pods = FakePods()
        try await ServedDoor.with(pods: pods) { door in
            let script = """
                socket = open("exec?command=cat&stdin=true&stdout=true", ["v5.channel.k8s.io"])
                socket.recv_data()
                socket.sock.sendall(b"\\x82\\x01a")
                opcode, data = socket.recv_data()
                print(opcode, int.from_bytes(data[:2], "big"), data[2:].decode())
                """
            #expect(try await run(door, script) == "8 1002 a frame of a client has no mask\n")
            try await eventually("the end of the session") { pods.programs.last?.isAbandoned == true }
        }
    }

    @Test func `what cannot be upgraded is refused with a Status`() async throws {
        try await ServedDoor.with { door in
            let script = """
                print(refused("exec?command=cat&stdout=true", ["v9.channel.k8s.io"])[0])
                print(*refused("exec?command=cat", ["v5.channel.k8s.io"]))
                print(*refused("portforward?ports=0", ["v4.channel.k8s.io"]))
                print(refused("portforward", ["channel.k8s.io"])[0])
                """
            #expect(
                try await run(door, script)
                    == """
                    400
                    400 you must specify at least 1 of stdin, stdout, stderr
                    400 query parameter "ports" is required: 1 to 128 ports
                    400

                    """)
            let path = "/api/v1/namespaces/default/pods/web/exec?command=cat&stdout=true"
            #expect(try door.json(try await door.curlAsAdministrator(path))["message"] == "Upgrade request required")
            let fields = [
                "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 8", "Sec-WebSocket-Key: AAAA",
            ]
            let old = try await door.curlAsAdministrator(path, fields.flatMap { ["-H", $0] })
            #expect(try door.json(old)["code"] == 426)
            let spdy = ["Connection: Upgrade", "Upgrade: SPDY/3.1", "X-Stream-Protocol-Version: v9.channel.k8s.io"]
            #expect(
                try door.json(try await door.curlAsAdministrator(path, spdy.flatMap { ["-H", $0] }))["code"] == 403)
        }
    }

    @Test func `input that a program does not take is held back`() async throws {
        let pods = FakePods()
        try await ServedDoor.with(pods: pods, heartbeat: .milliseconds(100)) { door in
            let script = """
                socket = open("exec?command=sleep&command=1000&stdin=true&stdout=true", ["v5.channel.k8s.io"])
                socket.recv_data()
                socket.sock.settimeout(1)
                sent = 0
                try:
                    while sent < 64 << 20: sent += len(socket.send_binary(b"\\0" + b"x" * 65535) and b"x" * 65535)
                    print("all was taken")
                except (TimeoutError, websocket.WebSocketTimeoutException): print("held back")
                socket.sock.close()
                """
            #expect(try await run(door, script) == "held back\n")
            try await eventually(within: .seconds(20), "the end of the session") {
                pods.programs.last?.isAbandoned == true
            }
        }
    }

    @Test func `output that a client does not take holds the program back`() async throws {
        let pods = FakePods()
        try await ServedDoor.with(pods: pods) { door in
            let count = door.directory.path("count")
            let program =
                "import os,sys\nn=0\nwhile True:\n  n+=os.write(1,b'x'*65536)\n  open(sys.argv[1],'w').write(str(n))"
            let script = """
                import urllib.parse
                words = ["python3", "-c", sys.argv[5], sys.argv[4]]
                query = "&".join("command=" + urllib.parse.quote(word) for word in words)
                socket = open("exec?stdout=true&" + query, ["v5.channel.k8s.io"])
                def written():
                    try: return int(__builtins__.open(sys.argv[4]).read() or 0)
                    except FileNotFoundError: return 0
                last, same = -1, 0
                while same < 10:
                    time.sleep(0.05)
                    now = written()
                    same = same + 1 if now == last and now > 0 else 0
                    last = now
                got = 0
                while got < last + (1 << 20): got += len(socket.recv_data()[1])
                print(last < 32 << 20, "and more came")
                """
            #expect(try await run(door, script, [count, program]) == "True and more came\n")
            try await eventually("the end of the session") { pods.programs.last?.isAbandoned == true }
        }
    }

    @Test func `a door that closes ends its streams`() async throws {
        let pods = FakePods()
        try await ServedDoor.with(pods: pods) { door in
            let there = door.directory.path("there")
            async let outcome = run(
                door,
                """
                socket = open("exec?command=sleep&command=1000&stdout=true", ["v5.channel.k8s.io"])
                socket.recv_data()
                __builtins__.open(sys.argv[4], "w").close()
                try: print(socket.recv_data())
                except (websocket.WebSocketConnectionClosedException, OSError): print("closed")
                """, [there])
            // Before, the end would break off what a stream begins with.
            try await eventually(within: .seconds(60), "a client that has its stream") { Files.exists(there) }
            #expect(door.door.openAnswers == 1 && pods.programs.count == 1)
            await door.door.close(after: .seconds(2))
            #expect(try await outcome == "closed\n")
            try await eventually("the end of the session") { pods.programs.first?.isAbandoned == true }
        }
    }
}
