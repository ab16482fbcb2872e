import Linux
import TestKit
import Testing

@testable import Networking

/// Published attacks on the networks of containers, each by its number.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct `attacks on networks` {
    private func attachment(
        _ id: String, _ network: String = "bridge", ports: [PublishedPort] = []
    ) -> NetworkAttachment {
        NetworkAttachment(
            containerID: id, containerName: "c\(id)", hostname: "h", networks: [.init(network: network)], ports: ports)
    }

    // A name server that runs outside forwards what a container in an internal network asks.
    @Test func `CVE-2024-29018: an internal network asks nobody outside`() async throws {
        let machine = try await TestMachine("leak")
        let file = machine.state + "/resolv.conf"
        try Files.replaceInMemory(file, with: Array("nameserver 127.0.0.1\n".utf8))
        // Notes what it is asked.
        let script = """
            import socket
            s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.bind(("127.0.0.1",53)); s.settimeout(50)
            d,a=s.recvfrom(999); print(d[13:].split(b"\\0")[0].decode("latin1"))
            """
        let outside = Task { try await machine.run("python3", "-c", script).text }
        let service = machine.service(resolverFile: file)
        var inside = NetworkService.Wish(name: "inside")
        inside.isInternal = true
        try await service.create(inside)
        let a = try await service.attach(attachment("1", "inside"))
        let b = try await service.attach(attachment("2"))
        try await eventually("the name server outside listens") {
            try await machine.run("ss", "-Huln", "sport", "=", "53").text.contains("127.0.0.1:53")
        }
        for gateway in ["\(a.resolvConf.split(separator: " ")[1].split(separator: "\n")[0])", "\(b.gateways[0])"] {
            let asked = try await machine.run(
                "dig", "@\(gateway)", "+short", "+tries=1", "+timeout=2", "secret.example", in: a.namespace)
            #expect(asked.text.contains("192.0") == false)
        }
        // The first that it hears is who may ask.
        _ = try await machine.run("dig", "@\(b.gateways[0])", "+tries=1", "+timeout=2", "open.example", in: b.namespace)
        #expect(try await outside.value.hasPrefix("open"))
        for id in ["1", "2"] { await service.release(id, reusable: false) }
        await service.shutDown()
        try machine.end()
    }

    // A network without IPv6 has it all the same, by what links give themselves.
    @Test func `CVE-2024-32473: a network without IPv6 has none`() async throws {
        let machine = try await TestMachine("nosix")
        let service = machine.service()
        let a = try await service.attach(attachment("1"))
        #expect(try await machine.run("ip", "-6", "-brief", "address", "show", "dev", "eth0", in: a.namespace).text == "")
        let bridge = await service.list()[0].bridge
        #expect(try await machine.run("ip", "-6", "-brief", "address", "show", "dev", bridge).text == "")
        #expect(try await machine.run("ip", "-6", "route", "show", "dev", "eth0", in: a.namespace).text == "")
        await service.release("1", reusable: false)
        await service.shutDown()
        try machine.end()
    }

    // Whoever manages the machine's firewall takes its rules away and puts his own there: ports published at the
    // machine's own address only can then be reached from elsewhere.
    @Test func `CVE-2025-54388: rules that somebody flushed come back by themselves`() async throws {
        let machine = try await TestMachine("flushed")
        let service = machine.service()
        let a = try await service.attach(
            attachment("1", ports: [.init(hostAddress: IPAddress("127.0.0.1")!, hostPort: 8080, containerPort: 80)]))
        let rules = try await machine.run("nft", "list", "ruleset").text
        for flush in [["flush", "ruleset"], ["delete", "table", "inet", NetworkService.table(of: machine.state)]] {
            _ = try await machine.run("sh", "-c", "nft " + flush.joined(separator: " "))
            try await eventually("the rules are back") { try await machine.run("nft", "list", "ruleset").text == rules }
        }
        let server = TestServer(machine, in: a.namespace, port: 80, answers: 1)
        #expect(try await machine.ask("127.0.0.1", 8080).hasSuffix("\(a.gateways[0])"))
        await server.finish()
        await service.release("1", reusable: false)
        await service.shutDown()
        #expect(try await machine.run("nft", "list", "ruleset").text == "")
        try machine.end()
    }

    // A neighbour sends packets for 127.0.0.1 of the machine, or straight to a container's address (moby 22054,
    // CVE-2020-8558): only what was published to it is reached.
    @Test func `CVE-2020-8558: neighbours reach what was published to them and nothing else`() async throws {
        let machine = try await TestMachine("neighbour")
        let neighbour = try await BlockingPool.shared.run { () throws(SystemError) in try NetworkNamespace.make() }
        _ = try await machine.run(
            "ip", "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns",
            "/proc/\(OwnProcess.pid)/fd/\(neighbour.raw)")
        for (place, address) in [(nil, "192.0.2.1"), (neighbour, "192.0.2.2")] as [(SharedFD?, String)] {
            _ = try await machine.run("ip", "address", "add", "\(address)/24", "dev", "wire", in: place)
            _ = try await machine.run("ip", "link", "set", "wire", "up", in: place)
        }
        let service = machine.service()
        let a = try await service.attach(
            attachment(
                "1",
                ports: [
                    .init(hostAddress: IPAddress("127.0.0.1")!, hostPort: 8080, containerPort: 80),
                    .init(hostPort: 8081, containerPort: 80),
                ]))
        let server = TestServer(machine, in: a.namespace, port: 80, answers: 2)
        #expect(try await machine.ask("127.0.0.1", 8080).hasSuffix("\(a.gateways[0])"))
        #expect(try await machine.ask("192.0.2.1", 8081, from: neighbour) == "::ffff:192.0.2.2")
        _ = try await machine.run("ip", "route", "add", "10.201.0.0/16", "via", "192.0.2.1", in: neighbour)
        _ = try await machine.run("ip", "address", "del", "127.0.0.1/8", "dev", "lo", in: neighbour)
        _ = try await machine.run("ip", "route", "add", "127.0.0.1", "via", "192.0.2.1", in: neighbour)
        for (address, port) in [("\(a.endpoints[0].ipv4)", 80), ("192.0.2.1", 8080), ("127.0.0.1", 8080)] as [(String, UInt16)] {
            #expect(try await machine.isClosed(address, port, from: neighbour), "\(address):\(port)")
        }
        await server.finish()
        await service.release("1", reusable: false)
        await service.shutDown()
        withExtendedLifetime(neighbour) {}
        try machine.end()
    }
}
