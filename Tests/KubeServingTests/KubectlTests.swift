import HTTPServing
import KubeObjects
import Linux
import TestKit
import Testing

@testable import KubeServing

/// kubectl and Kubernetes' client for Python against the door.
@Suite(.serialized, .timeLimit(.minutes(5)), .leavesNothing) struct KubectlTests {
    private struct Kubectl {
        let path: String
        let configuration: String
        let home: String

        static func at(_ door: ServedDoor) async throws -> Kubectl {
            let python = try await PythonEnvironment.kubernetes()
            let text = try door.authority.kubeconfig(server: door.url, user: "admin", groups: [UserInfo.masters]).text
            let file = try door.directory.write(text, to: "kubeconfig", mode: 0o600)
            return Kubectl(path: python.command("kubectl"), configuration: file, home: door.directory.path("home"))
        }

        var environment: [String] { ["KUBECONFIG=\(configuration)", "HOME=\(home)", "PATH=/usr/bin:/bin"] }

        func run(_ arguments: [String], input: [UInt8] = [], more: [String] = []) async throws -> CommandRunner.Outcome
        {
            try await CommandRunner.run([path] + arguments, input: input, environment: environment + more)
        }
    }

    @Test func `kubectl reads a pod with the kubeconfig that is printed`() async throws {
        try await ServedDoor.with { door in
            let kubectl = try await Kubectl.at(door)
            let pod = try await kubectl.run(["get", "pod", "web", "-o", "jsonpath={.metadata.uid}"])
            #expect(pod.text == "u1", "\(pod.errorText)")
            #expect(door.service.lastRequest?.user.name == "admin")
        }
    }

    /// Both ways that kubectl has: WebSocket, and SPDY when it is told so.
    static let ways = [[], ["KUBECTL_REMOTE_COMMAND_WEBSOCKETS=false"]]

    @Test(arguments: ways) func `exec carries all three streams and the exit code`(_ way: [String]) async throws {
        try await ServedDoor.with { door in
            let kubectl = try await Kubectl.at(door)
            let script = "read line; echo out $line; echo err >&2; exit 7"
            let outcome = try await kubectl.run(
                ["exec", "-i", "web", "--", "sh", "-c", script], input: Array("hello\n".utf8), more: way)
            #expect(outcome.text == "out hello\n")
            #expect(outcome.errorText == "err\ncommand terminated with exit code 7\n")
            #expect(outcome.status == .exited(7))
            let upgrade = door.service.lastRequest?.headers["upgrade"]
            #expect(upgrade == (way.isEmpty ? "websocket" : "SPDY/3.1"))
        }
    }

    @Test(arguments: ways) func `all output comes before the exit code`(_ way: [String]) async throws {
        try await ServedDoor.with { door in
            let kubectl = try await Kubectl.at(door)
            let outcome = try await kubectl.run(["exec", "web", "--", "seq", "1", "200000"], more: way)
            #expect(outcome.status.isSuccess, "\(outcome.errorText)")
            #expect(outcome.output.count == 1_288_895)
            #expect(outcome.text.hasSuffix("199999\n200000\n"))
        }
    }

    @Test(arguments: ways) func `the end of the input is the program's`(_ way: [String]) async throws {
        try await ServedDoor.with { door in
            let kubectl = try await Kubectl.at(door)
            let input = [UInt8](repeating: 7, count: 3_000_000)
            let outcome = try await kubectl.run(["exec", "-i", "web", "--", "wc", "-c"], input: input, more: way)
            #expect(outcome.text == "3000000\n", "\(outcome.errorText)")
        }
    }

    @Test(arguments: ways) func `a program that does not start is told as an error`(_ way: [String]) async throws {
        try await ServedDoor.with { door in
            let kubectl = try await Kubectl.at(door)
            let outcome = try await kubectl.run(["exec", "web", "--", "missing"], more: way)
            #expect(outcome.status == .exited(1))
            #expect(outcome.errorText.contains("executable file not found in $PATH"), "\(outcome.errorText)")
        }
    }

    @Test func `a program outlived by its children does not keep the client`() async throws {
        try await ServedDoor.with { door in
            let kubectl = try await Kubectl.at(door)
            let outcome = try await kubectl.run(["exec", "web", "--", "sh", "-c", "sleep 60 & echo started"])
            #expect(outcome.text == "started\n")
            #expect(outcome.status.isSuccess)
            let noisy = try await kubectl.run(["exec", "web", "--", "sh", "-c", "yes & exit 3"])
            #expect(noisy.status == .exited(3), "\(noisy.errorText)")
        }
    }

    @Test(arguments: ways) func `exec with a terminal is one`(_ way: [String]) async throws {
        try await ServedDoor.with { door in
            let kubectl = try await Kubectl.at(door)
            // The size comes when it comes. What is typed does not say it: that is echoed.
            let script = """
                import os, pty, sys, fcntl, termios, struct
                pid, fd = pty.fork()
                if pid == 0:
                    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 99, 0, 0))
                    os.execve(sys.argv[1], sys.argv[1:], os.environ)
                got = b""
                def until(word):
                    global got
                    while word not in got: got += os.read(fd, 4096)
                until(b"$ ")
                os.write(fd, b'until [ "$(stty size)" = "$((30+3)) 99" ]; do sleep 0.1; done\\n')
                os.write(fd, b"stty size; tty -s && echo terminal-$((40+2))\\n")
                until(b"terminal-42")
                os.write(fd, b"exit 5\\n")
                try:
                    while True: got += os.read(fd, 4096)
                except OSError: pass
                print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), b"33 99" in got)
                """
            let outcome = try await CommandRunner.run(
                ["python3", "-c", script, kubectl.path, "exec", "-it", "web", "--", "env", "PS1=$ ", "sh"],
                environment: kubectl.environment + way)
            #expect(outcome.text == "5 True\n", "\(outcome.errorText)")
        }
    }

    @Test func `cp carries files both ways`() async throws {
        try await ServedDoor.with { door in
            let kubectl = try await Kubectl.at(door)
            let bytes = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ ($0 >> 8)) }
            let source = door.directory.path("source")
            try Files.replace(source, with: bytes)
            try Files.makeDirectories(door.directory.path("pod"))
            let there = door.directory.path("pod/there")
            let up = try await kubectl.run(["cp", source, "web:\(there)"])
            #expect(up.status.isSuccess, "\(up.errorText)")
            #expect(try Files.read(there) == bytes)
            let back = door.directory.path("back")
            let down = try await kubectl.run(["cp", "web:\(there)", back])
            #expect(down.status.isSuccess, "\(down.errorText)")
            #expect(try Files.read(back) == bytes)
        }
    }

    @Test(arguments: ways) func `attach joins a running program`(_ way: [String]) async throws {
        try await ServedDoor.with { door in
            let kubectl = try await Kubectl.at(door)
            let outcome = try await kubectl.run(["attach", "-i", "web"], input: Array("one\ntwo\n".utf8), more: way)
            #expect(outcome.text.hasSuffix("ready\ngot one\ngot two\n"), "\(outcome.text) \(outcome.errorText)")
        }
    }

    @Test func `logs follow what is written`() async throws {
        let pods = FakePods()
        try await ServedDoor.with(pods: pods) { door in
            let kubectl = try await Kubectl.at(door)
            let log = door.directory.path("log")
            try await BackgroundServer.running(
                [kubectl.path, "logs", "-f", "web"], log: log,
                environment: ["KUBECONFIG": kubectl.configuration, "HOME": kubectl.home]
            ) { _ in
                pods.logs.emit("line 1\n")
                try await eventually(within: .seconds(60), "the first line") {
                    try Files.readText(log) == "line 1"
                }
                pods.logs.emit("line 2\n")
                try await eventually("the second line") { try Files.readText(log) == "line 1\nline 2" }
            }
            try await eventually("the end of the log") { pods.logs.isCancelled }
            let refused = try await kubectl.run(["logs", "web"])
            #expect(refused.errorText.contains("is waiting to start: ContainerCreating"), "\(refused.errorText)")
        }
    }

    @Test(arguments: [[], ["KUBECTL_PORT_FORWARD_WEBSOCKETS=false"]])
    func `many connections are forwarded at once`(_ way: [String]) async throws {
        try await ServedDoor.with { door in
            let kubectl = try await Kubectl.at(door)
            try Files.makeDirectories(door.directory.path("www"))
            try Files.replace(door.directory.path("www/file"), with: [UInt8](repeating: 9, count: 1_000_000))
            try await WebServer.running(door.directory) { port in
                let log = door.directory.path("forward")
                var environment = ["KUBECONFIG": kubectl.configuration, "HOME": kubectl.home]
                for setting in way { environment[String(setting.prefix { $0 != "=" })] = "false" }
                try await BackgroundServer.running(
                    [kubectl.path, "port-forward", "web", ":\(port)", ":1"], log: log, environment: environment
                ) { _ in
                    let local = try await eventuallySome(within: .seconds(60), "two local ports") {
                        let ports = try Files.readText(log).split(separator: "\n").filter { $0.contains("127.0.0.1:") }
                            .compactMap { $0.split(separator: ":")[1].split(separator: " ").first }
                        return ports.count >= 2 ? ports : nil
                    }
                    let url = "http://127.0.0.1:\(local[0])/file"
                    let several = try await CommandRunner.run(
                        ["curl", "-sS", "--parallel"]
                            + (0..<8).flatMap { _ in ["-o", "/dev/null", "-w", "%{size_download} ", url] })
                    #expect(several.text == String(repeating: "1000000 ", count: 8), "\(several.errorText)")
                    // Nobody listens at port 1: kubectl says so and ends, as it does towards Kubernetes.
                    let refused = try await CommandRunner.run(["curl", "-sS", "http://127.0.0.1:\(local[1])/"])
                    #expect(!refused.status.isSuccess)
                    do {
                        try await eventually("the reason") {
                            try Files.readText(log).contains("error forwarding port 1 to pod web, uid u1: ")
                        }
                    } catch { Issue.record("\(error): \(try Files.readText(log))") }
                }
            }
        }
    }

    @Test func `the client for Python executes and forwards`() async throws {
        try await ServedDoor.with { door in
            let kubectl = try await Kubectl.at(door)
            let python = try await PythonEnvironment.kubernetes()
            try Files.makeDirectories(door.directory.path("www"))
            try door.directory.write("through the port\n", to: "www/file")
            // The client for Python throws away what it has not handed on when the connection's end is there, too: so
            // what is looked at comes long before the end.
            try await WebServer.running(door.directory, speaking: "HTTP/1.1") { port in
                let script = """
                    import sys
                    from kubernetes import client, config
                    from kubernetes.stream import stream, portforward
                    config.load_kube_config(sys.argv[1])
                    core = client.CoreV1Api()
                    text = stream(core.connect_get_namespaced_pod_exec, "web", "default", container="main",
                                  command=["sh", "-c", "echo out; echo err >&2"], stdin=False, stdout=True, stderr=True)
                    print(sorted(text.split()))
                    session = stream(core.connect_get_namespaced_pod_exec, "web", "default", container="main",
                                     command=["sh", "-c", "read x; echo got $x; exit 3"], stdin=True, stdout=True,
                                     stderr=True, _preload_content=False)
                    session.write_stdin("hi\\n")
                    session.run_forever(timeout=20)
                    print(session.read_stdout().strip(), session.returncode)
                    connect = core.connect_get_namespaced_pod_portforward
                    forward = portforward(connect, "web", "default", ports=sys.argv[2])
                    socket = forward.socket(int(sys.argv[2]))
                    socket.sendall(b"GET /file HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
                    got = b""
                    while not got.endswith(b"through the port\\n"):
                        part = socket.recv(65536)
                        if not part: break
                        got += part
                    socket.sendall(b"GET /file HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
                    while socket.recv(65536): pass
                    print(got.split(b"\\r\\n\\r\\n")[1].decode().strip(), forward.error(int(sys.argv[2])))
                    """
                let outcome = try await CommandRunner.run(
                    [python.python, "-c", script, kubectl.configuration, "\(port)"], environment: kubectl.environment)
                #expect(
                    outcome.text == "['err', 'out']\ngot hi 3\nthrough the port None\n",
                    "\(outcome.text) \(outcome.errorText)")
            }
        }
    }

    @Test func `a client that goes leaves its program to the session`() async throws {
        let pods = FakePods()
        try await ServedDoor.with(pods: pods) { door in
            let kubectl = try await Kubectl.at(door)
            for way in Self.ways {
                var environment = ["KUBECONFIG": kubectl.configuration, "HOME": kubectl.home]
                for setting in way { environment[String(setting.prefix { $0 != "=" })] = "false" }
                try await BackgroundServer.running(
                    [kubectl.path, "exec", "-i", "web", "--", "sh", "-c", "echo up; sleep 1000"],
                    log: door.directory.path("log"), environment: environment
                ) { _ in
                    try await eventually(within: .seconds(60), "the program") {
                        try Files.readText(door.directory.path("log")) == "up"
                    }
                }
                try await eventually("the end of the session") { pods.programs.last?.isAbandoned == true }
            }
            try await eventually("no open stream") { door.door.openAnswers == 0 }
        }
    }
}

/// Serves "www" of a directory on a free port of the loopback interface.
enum WebServer {
    /// - Parameter version: of HTTP/1.0 an answer's end is that of its connection.
    static func running(
        _ directory: TemporaryDirectory, speaking version: String = "HTTP/1.0", _ body: (UInt16) async throws -> Void
    ) async throws {
        let log = directory.path("web.log")
        let script =
            "import http.server, functools; http.server.SimpleHTTPRequestHandler.protocol_version = '\(version)'; "
            + "s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial("
            + "http.server.SimpleHTTPRequestHandler, directory='\(directory.path("www"))')); "
            + "print(s.server_port, flush=True); s.serve_forever()"
        try await BackgroundServer.running(["python3", "-c", script], log: log) { _ in
            let port = try await eventuallySome(within: .seconds(60), "the web server") {
                try Files.readText(log).split(separator: "\n").first.flatMap { UInt16($0) }
            }
            try await body(port)
        }
    }
}
