import Daemon
import Engine
import Linux
import Networking
import OCI
import TestKit
import Testing

/// Networks through a real node, a real keeper and containers of an image.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct NodeNetworkTests {
    /// A program that answers each connection at port 80 with a word.
    private func server(_ word: String) -> String { "exec nc -ll -p 80 -e echo \(word)" }

    private func ask(_ machine: NetworkedNode, _ address: String, _ port: Int) async throws -> String {
        let script = """
            import socket,sys,time
            for i in range(800):
              try: c=socket.create_connection((sys.argv[1],int(sys.argv[2])),timeout=10); break
              except ConnectionRefusedError: time.sleep(0.05)
            print(c.recv(99).decode().strip())
            """
        return try await machine.command("python3", "-c", script, address, "\(port)").text
    }

    @Test func `a node that uses no networks makes nothing of them`() async throws {
        try await NetworkedNode.with { machine, _, client in
            let before = try await machine.trace()
            try await machine.start(client, "alone") { $0.network = .isolated }
            #expect(try await machine.execute(client, "alone", "ip", "link").contains("eth0") == false)
            #expect(try await machine.execute(client, "alone", "cat", "/etc/hosts").contains("localhost"))
            #expect(try await machine.trace() == before)
            #expect(!Files.exists(machine.test.settings.state + "/networks"))
        }
    }

    @Test func `containers find each other by name, alias and address`() async throws {
        try await NetworkedNode.with { machine, _, client in
            try await machine.start(client, "web") {
                $0.network = .joined([.init(network: "bridge", aliases: ["www"])])
            }
            try await machine.start(client, "other")
            let web = try #require(try await machine.place(client, "web"))
            for name in ["web", "www"] {
                let answer = try await machine.execute(client, "other", "nslookup", name)
                #expect(answer.contains("\(web.ipv4)"), "\(answer)")
            }
            let ping = try await machine.execute(client, "other", "ping", "-c1", "-W5", "\(web.ipv4)")
            #expect(ping.contains("1 packets received"), "\(ping)")
            let hosts = try await machine.execute(client, "web", "cat", "/etc/hosts")
            #expect(hosts.contains("\(web.ipv4)\t"))
            let network = try await client.call(InspectNetwork(network: "bridge"))
            #expect(network.members.map(\.name).sorted() == ["other", "web"])
            await #expect(throws: NodeFailure.self) { _ = try await client.call(RemoveNetwork(network: "bridge")) }
        }
    }

    @Test func `published ports are reached from the machine, and by the container itself`() async throws {
        try await NetworkedNode.with { machine, _, client in
            try await machine.start(client, "web", server("hello")) {
                $0.ports = [PublishedPort(hostPort: 8080, containerPort: 80)]
                $0.publishesExposedPorts = true
                $0.exposedPorts = [.init(80)!, .init(81)!]
            }
            #expect(try await ask(machine, "127.0.0.1", 8080) == "hello\n")
            let network = try await client.call(InspectNetwork(network: "bridge")).definition
            let gateway = "\(network.ipv4.gateway)"
            #expect(try await ask(machine, gateway, 8080) == "hello\n")
            // Its own published port, through the machine.
            #expect(try await machine.execute(client, "web", "nc", "-w", "10", gateway, "8080") == "hello\n")
            let ports = try await client.call(ListContainers()).containers[0].ports
            #expect(ports.map(\.containerPort) == [80, 81])
            #expect(ports[0].hostPort == 8080 && ports[1].hostPort > 0)
            // Taken: an error before anything is started, and nothing stays of it.
            let failure = await #expect(throws: NodeFailure.self) {
                try await machine.start(client, "late") { $0.ports = [PublishedPort(hostPort: 8080, containerPort: 80)] }
            }
            #expect(failure?.kind == .conflict, "\(String(describing: failure))")
            #expect(try await client.call(ListContainers(all: true)).containers.map(\.name) == ["web"])
            _ = try await client.call(RemoveContainer(container: "web", force: true))
            // Free at once for who waited for the end.
            try await machine.start(client, "next", server("again")) { $0.ports = [PublishedPort(hostPort: 8080, containerPort: 80)] }
            #expect(try await ask(machine, "127.0.0.1", 8080) == "again\n")
        }
    }

    @Test func `a start that fails after its network was made leaves nothing of it`() async throws {
        try await NetworkedNode.with { machine, _, client in
            try await machine.start(client, "first")
            let before = try await machine.trace()
            await #expect(throws: NodeFailure.self) {
                // More than the kernel gives anybody (nr_open): the keeper says so, after the network was made.
                try await machine.start(client, "broken") {
                    $0.limits = [ContainerLimit(name: "nofile", soft: 1 << 40, hard: 1 << 40)]
                    $0.ports = [PublishedPort(hostPort: 8080, containerPort: 80)]
                }
            }
            try await eventually("its port and place are free") { try await machine.trace().contains("8080") == false }
            #expect(try await client.call(InspectNetwork(network: "bridge")).members.map(\.name) == ["first"])
            #expect(before.contains("8080") == false)
        }
    }

    @Test func `a running container is connected to a network and disconnected again`() async throws {
        try await NetworkedNode.with { machine, _, client in
            var wish = NetworkService.Wish(name: "second")
            wish.subnets = [Subnet("10.77.0.0/24")!]
            wish.choices = [Subnet("10.77.0.64/28")!]
            _ = try await client.call(CreateNetwork(wish))
            try await machine.start(client, "one")
            try await machine.start(client, "two") { $0.network = .joined([.init(network: "second")]) }
            _ = try await client.call(ConnectNetwork(container: "one", joining: .init(network: "second", aliases: ["uno"])))
            let place = try #require(try await machine.place(client, "one", "second"))
            #expect(Subnet("10.77.0.64/28")!.contains(place.ipv4) && place.interface == "eth1")
            #expect(try await machine.execute(client, "one", "cat", "/etc/hosts").contains("\(place.ipv4)\t"))
            #expect(try await machine.execute(client, "two", "nslookup", "uno").contains("\(place.ipv4)"))
            await #expect(throws: NodeFailure.self) {
                _ = try await client.call(ConnectNetwork(container: "one", joining: .init(network: "second")))
            }
            // What was said of a container that runs holds for its next start, too.
            _ = try await client.call(DisconnectNetwork(network: "bridge", container: "one"))
            #expect(try await machine.place(client, "one") == nil)
            let resolver = try await machine.execute(client, "one", "cat", "/etc/resolv.conf")
            #expect(resolver.contains("nameserver 10.77.0.1"), "\(resolver)")
            let details = try await client.call(InspectContainer(container: "one"))
            #expect(details.summary.networks == ["second"])
            await #expect(throws: NodeFailure.self) {
                _ = try await client.call(DisconnectNetwork(network: "second", container: "one"))
            }
            await #expect(throws: NodeFailure.self) { _ = try await client.call(RemoveNetwork(network: "second")) }
            #expect(try await client.call(PruneNetworks()).networks == [])
        }
    }

    @Test func `a container shares another one's network, host name and names`() async throws {
        try await NetworkedNode.with { machine, _, client in
            try await machine.start(client, "owner") { $0.hostname = "called" }
            try await machine.start(client, "guest") { $0.network = .container("owner") }
            let place = try #require(try await machine.place(client, "owner"))
            #expect(try await machine.execute(client, "guest", "ip", "address").contains("\(place.ipv4)"))
            #expect(try await machine.execute(client, "guest", "hostname") == "called\n")
            let hosts = try await machine.execute(client, "owner", "cat", "/etc/hosts")
            #expect(try await machine.execute(client, "guest", "cat", "/etc/hosts") == hosts)
            try await machine.start(client, "lone") { $0.network = .isolated }
            try await machine.start(client, "lodger") { $0.network = .container("lone") }
            let links = ["sh", "-c", "readlink /proc/self/ns/net"]
            let (a, b) = (
                try await machine.execute(client, "lone", links[0], links[1], links[2]),
                try await machine.execute(client, "lodger", links[0], links[1], links[2])
            )
            #expect(a == b && a.hasPrefix("net:"))
            await #expect(throws: NodeFailure.self) {
                try await machine.start(client, "lost") { $0.network = .container("nobody") }
            }
        }
    }

    @Test func `a node that starts again changes nothing for containers that run`() async throws {
        try await NetworkedNode.with { machine, node, client in
            try await machine.start(client, "web", server("still")) {
                $0.ports = [PublishedPort(hostPort: 8080, containerPort: 80)]
            }
            #expect(try await ask(machine, "127.0.0.1", 8080) == "still\n")
            let before = try #require(try await machine.place(client, "web"))
            await node.stop()
            // Without a node the port works on.
            #expect(try await ask(machine, "127.0.0.1", 8080) == "still\n")
            _ = try await machine.start()
            let again = try await machine.test.connect()
            try await eventually("the next node has taken it over") { try await machine.place(again, "web") == before }
            #expect(try await again.call(ListContainers()).containers[0].ports.map(\.hostPort) == [8080])
            try await machine.start(again, "other")
            #expect(try await machine.place(again, "other")?.ipv4 != before.ipv4)
            #expect(try await machine.execute(again, "other", "nslookup", "web").contains("\(before.ipv4)"))
            #expect(try await ask(machine, "127.0.0.1", 8080) == "still\n")
        }
    }

    @Test func `what happens to networks is told as Docker tells it`() async throws {
        try await NetworkedNode.with { machine, _, client in
            _ = try await client.call(CreateNetwork(NetworkService.Wish(name: "seen")))
            try await machine.start(client, "one") { $0.network = .joined([.init(network: "seen")]) }
            _ = try await client.call(RemoveContainer(container: "one", force: true))
            // At once: who is told that the container is gone may remove its network.
            #expect(try await client.call(PruneNetworks()).networks == ["seen"])
            let told = Told()
            let request = ReadEvents(since: Timestamp(nanoseconds: 0), until: Clock.now(), filters: ["type=network"])
            _ = try await client.stream(request) { event, _ in await told.add(event.action) }
            #expect(await told.actions == ["create", "connect", "disconnect", "destroy", "prune"])
        }
    }

    private actor Told {
        var actions: [String] = []
        func add(_ action: String) { actions.append(action) }
    }
}
