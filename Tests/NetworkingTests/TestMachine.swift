import Linux
import TestKit

@testable import Networking

/// A network namespace that plays the machine, with programs that run in it or in a container's.
///
/// The namespace that the tests run in is never touched.
final class TestMachine: Sendable {
    let namespace: SharedFD
    let network: MachineNetwork
    /// The node's state directory.
    let state: String

    init(_ name: String) async throws {
        namespace = try await BlockingPool.shared.run { () throws(SystemError) in
            let namespace = try NetworkNamespace.make()
            try NetworkNamespace.visit(namespace) { () throws(SystemError) in
                try NetlinkSocket().perform(.bringUp("lo"))
                // A new namespace has the switch of the machine that the tests run on.
                try Files.writeText("0", to: "/proc/sys/net/ipv4/ip_forward")
            }
            return namespace
        }
        network = MachineNetwork(namespace)
        state = "/tmp/forkless-net-\(name)-\(OwnProcess.pid)"
        try Files.makeDirectories(state, mode: 0o700)
    }

    func service(poolTarget: Int = 0, resolverFile: String? = nil) -> NetworkService {
        NetworkService(
            state: state, node: state, machine: network, resolverFile: resolverFile ?? "/nonexistent", poolTarget: poolTarget)
    }

    /// Removes the state directory; the namespace goes with this object.
    func end() throws { try Files.removeTree(state) }

    /// Runs a program in the machine's namespace, or in a container's.
    func run(_ arguments: String..., in container: SharedFD? = nil, input: String = "") async throws -> CommandRunner.Outcome {
        let place = container ?? namespace
        defer { withExtendedLifetime(place) {} }
        return try await CommandRunner.run(
            ["nsenter", "--net=/proc/\(OwnProcess.pid)/fd/\(place.raw)"] + arguments, input: Array(input.utf8))
    }

    /// What is in the machine's kernel: links, whatever their state, and rules.
    func trace() async throws -> String {
        let links = try await run("ip", "-brief", "link").text.split(separator: "\n").map { $0.prefix { $0 != " " } }
        return try await links.sorted().joined(separator: "\n") + run("nft", "list", "ruleset").text
    }
}

/// A TCP server in a container that says who connected; python3, because it is a real client of the kernel.
final class TestServer {
    private let program: Task<Void, Never>

    init(_ machine: TestMachine, in container: SharedFD, port: UInt16, transport: String = "tcp", answers: Int) {
        let script =
            transport == "tcp"
            ? """
            import socket,sys
            s=socket.create_server(("",\(port)),family=socket.AF_INET6,dualstack_ipv6=True)
            for i in range(\(answers)):
              c,a=s.accept(); c.sendall(a[0].encode()); c.close()
            """
            : """
            import socket
            s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.bind(("",\(port)))
            for i in range(\(answers)):
              d,a=s.recvfrom(99); s.sendto(a[0].encode(),a)
            """
        program = Task { _ = try? await machine.run("python3", "-c", script, in: container) }
    }

    /// Waits until it has answered as often as it was told to.
    func finish() async { await program.value }
}

extension TestMachine {
    /// What a server at an address says, or what went wrong. Tries until the server is there.
    func ask(_ address: String, _ port: UInt16, transport: String = "tcp", from: SharedFD? = nil) async throws -> String {
        let script =
            transport == "tcp"
            ? """
            import socket,sys,time
            for i in range(200):
              try: c=socket.create_connection((sys.argv[1],int(sys.argv[2])),timeout=10); break
              except ConnectionRefusedError: time.sleep(0.05)
            print(c.recv(99).decode())
            """
            : """
            import socket,sys
            s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.settimeout(0.2)
            for i in range(100):
              s.sendto(b"x",(sys.argv[1],int(sys.argv[2])))
              try: print(s.recv(99).decode()); break
              except (TimeoutError,ConnectionRefusedError): pass
            """
        let outcome = try await run("python3", "-c", script, address, "\(port)", in: from)
        return outcome.text.isEmpty ? outcome.errorText : outcome.text.split(separator: "\n")[0].description
    }

    /// Whether no connection can be made: refused, unreachable or no answer.
    func isClosed(_ address: String, _ port: UInt16, from: SharedFD) async throws -> Bool {
        let script = """
            import socket,sys
            try: socket.create_connection((sys.argv[1],int(sys.argv[2])),timeout=0.7); print("open")
            except OSError: print("closed")
            """
        return try await run("python3", "-c", script, address, "\(port)", in: from).text == "closed\n"
    }
}

extension NetworkService {
    /// What is left of a node that was killed: nothing of it answers or watches.
    func die() async {
        await nameServer.stopEverywhere()
        await watch.stop()
    }
}
