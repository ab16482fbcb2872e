import Linux
import TestKit
import Testing

@testable import Networking

@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct `networks of containers` {
    private func request(
        _ id: String, _ networks: [String] = ["bridge"], ports: [PublishedPort] = [], aliases: [String] = []
    ) -> NetworkAttachment {
        NetworkAttachment(
            containerID: id, containerName: "c\(id)", hostname: "h\(id)",
            networks: networks.map { .init(network: $0, aliases: aliases) }, ports: ports)
    }

    @Test func `containers of a network reach each other and the machine`() async throws {
        let machine = try await TestMachine("reach")
        let service = machine.service()
        let a = try await service.attach(request("1"))
        let b = try await service.attach(request("2"))
        #expect(a.endpoints[0].ipv4 != b.endpoints[0].ipv4)
        for target in [b.endpoints[0].ipv4, a.gateways[0]] {
            let ping = try await machine.run("ping", "-c1", "-W5", "\(target)", in: a.namespace)
            #expect(ping.status == .exited(0), "\(ping.text)")
        }
        #expect(try await machine.run("ping", "-c1", "-W5", "\(b.endpoints[0].ipv4)").status == .exited(0))
        // No IPv6 unless asked for, not even on a link (CVE-2024-32473).
        #expect(try await machine.run("ip", "-6", "address", "show", "dev", "eth0", in: a.namespace).text == "")
        #expect(a.hosts.contains("\(a.endpoints[0].ipv4)\th1\n"))
        #expect(a.resolvConf == "nameserver \(a.gateways[0])\n")
        await service.release("1", reusable: false)
        await service.release("2", reusable: false)
        await service.shutDown()
        try machine.end()
    }

    @Test func `a network with IPv6 works over it`() async throws {
        let machine = try await TestMachine("six")
        let service = machine.service()
        var wish = NetworkService.Wish(name: "six")
        wish.wantsIPv6 = true
        try await service.create(wish)
        let a = try await service.attach(request("1", ["six"], ports: [.init(hostAddress: .anyIPv6, hostPort: 8080, containerPort: 80)]))
        let b = try await service.attach(request("2", ["six"]))
        let ping = try await machine.run("ping", "-c1", "-W5", "\(b.endpoints[0].ipv6!)", in: a.namespace)
        #expect(ping.status == .exited(0), "\(ping.text)")
        let server = TestServer(machine, in: a.namespace, port: 80, answers: 1)
        // What passes from one container to another by the machine comes from the machine's own address.
        let said = try await machine.ask("\(b.gateways[1])", 8080, from: b.namespace)
        #expect(said == "\(b.gateways[1])")
        await server.finish()
        for id in ["1", "2"] { await service.release(id, reusable: false) }
        await service.shutDown()
        try machine.end()
    }

    @Test func `removing the last network leaves no trace`() async throws {
        let machine = try await TestMachine("trace")
        let before = try await machine.trace()
        let service = machine.service(poolTarget: 2)
        _ = try await service.attach(request("1", ports: [.init(hostPort: 8080, containerPort: 80)]))
        try await service.warm("bridge")
        #expect(try await machine.trace() != before)
        await service.release("1", reusable: false)
        try await service.remove("bridge")
        try await eventually("the kernel is as before") { try await machine.trace() == before }
        await service.shutDown()
        try machine.end()
    }

    @Test func `a network in use is not removed`() async throws {
        let machine = try await TestMachine("use")
        let service = machine.service()
        _ = try await service.attach(request("1"))
        await #expect(throws: NetworkFailure.self) { try await service.remove("bridge") }
        await #expect(throws: NetworkFailure.self) { _ = try await service.attach(request("1")) }
        await service.release("1", reusable: false)
        try await service.remove("bridge")
        await #expect(throws: NetworkFailure.self) { try await service.remove("bridge") }
        await service.shutDown()
        try machine.end()
    }

    @Test func `published ports lead to the container from everywhere`() async throws {
        let machine = try await TestMachine("ports")
        let service = machine.service()
        let a = try await service.attach(
            request(
                "1",
                ports: [
                    .init(hostPort: 8080, containerPort: 80), .init(hostAddress: IPAddress("127.0.0.1")!, hostPort: 8081, containerPort: 80),
                    .init(.udp, hostPort: 0, containerPort: 53),
                ]))
        let b = try await service.attach(request("2"))
        var other = NetworkService.Wish(name: "other")
        other.subnets = [Subnet("10.77.0.0/24")!]
        try await service.create(other)
        let c = try await service.attach(request("3", ["other"]))
        let server = TestServer(machine, in: a.namespace, port: 80, answers: 5)
        let udp = TestServer(machine, in: a.namespace, port: 53, transport: "udp", answers: 1)
        let gateway = "\(a.gateways[0])"
        #expect(try await machine.ask("127.0.0.1", 8080).hasSuffix(gateway))
        #expect(try await machine.ask("127.0.0.1", 8081).hasSuffix(gateway))
        // From the same network and from another one.
        #expect(try await machine.ask(gateway, 8080, from: b.namespace).hasSuffix(gateway))
        #expect(try await machine.ask(gateway, 8080, from: c.namespace).hasSuffix(gateway))
        // By the container itself, through the machine.
        #expect(try await machine.ask(gateway, 8080, from: a.namespace).hasSuffix(gateway))
        #expect(try await machine.isClosed(gateway, 8081, from: b.namespace))
        #expect(a.ports[2].hostPort > 0)
        #expect(try await machine.ask("127.0.0.1", a.ports[2].hostPort, transport: "udp") == gateway)
        await server.finish()
        await udp.finish()
        // The port is taken, and free again when the container has gone.
        await #expect(throws: NetworkFailure.self) {
            _ = try await service.attach(request("4", ports: [.init(hostPort: 8080, containerPort: 1)]))
        }
        for id in ["1", "2", "3"] { await service.release(id, reusable: false) }
        _ = try await service.attach(request("4", ports: [.init(hostPort: 8080, containerPort: 1)]))
        await service.release("4", reusable: false)
        await service.shutDown()
        try machine.end()
    }

    @Test func `networks do not see each other, and nothing leaves an internal one`() async throws {
        let machine = try await TestMachine("apart")
        let service = machine.service()
        var inside = NetworkService.Wish(name: "inside")
        inside.isInternal = true
        try await service.create(inside)
        try await service.create(NetworkService.Wish(name: "other"))
        let a = try await service.attach(request("1"))
        let b = try await service.attach(request("2", ["other"]))
        let c = try await service.attach(request("3", ["inside"]))
        let d = try await service.attach(request("4", ["inside"]))
        let server = TestServer(machine, in: a.namespace, port: 80, answers: 1)
        #expect(try await machine.ask("\(a.endpoints[0].ipv4)", 80).hasSuffix("\(a.gateways[0])"))
        await server.finish()
        #expect(try await machine.isClosed("\(a.endpoints[0].ipv4)", 80, from: b.namespace))
        let across = try await machine.run("ping", "-c1", "-W1", "\(a.endpoints[0].ipv4)", in: b.namespace)
        #expect(across.status != .exited(0))
        let within = try await machine.run("ping", "-c1", "-W5", "\(d.endpoints[0].ipv4)", in: c.namespace)
        #expect(within.status == .exited(0))
        #expect(try await machine.run("ip", "route", in: c.namespace).text.contains("default") == false)
        for id in ["1", "2", "3", "4"] { await service.release(id, reusable: false) }
        await service.shutDown()
        try machine.end()
    }

    @Test func `an attachment that fails leaves nothing behind`() async throws {
        let machine = try await TestMachine("fails")
        let service = machine.service()
        _ = try await service.attach(request("1", ports: [.init(hostPort: 8080, containerPort: 80)]))
        let before = try await machine.trace()
        var fixed = request("2")
        fixed.networks[0].ipv4 = await service.members(of: "bridge")[0].endpoint.ipv4
        await #expect(throws: NetworkFailure.self) { _ = try await service.attach(fixed) }
        await #expect(throws: NetworkFailure.self) {
            _ = try await service.attach(
                request("2", ports: [.init(hostPort: 8081, containerPort: 80), .init(hostPort: 8080, containerPort: 80)]))
        }
        await #expect(throws: NetworkFailure.self) { _ = try await service.attach(request("2", ["bridge", "nowhere"])) }
        #expect(try await machine.trace() == before)
        #expect(await service.members(of: "bridge").count == 1)
        await service.release("1", reusable: false)
        try await service.remove("bridge")
        await service.shutDown()
        try machine.end()
    }

    @Test func `the next node goes on with what runs`() async throws {
        let machine = try await TestMachine("adopt")
        var service: NetworkService? = machine.service()
        let a = try await service!.attach(request("1", ports: [.init(hostPort: 8080, containerPort: 80)]))
        _ = try await service!.attach(request("2"))
        let server = TestServer(machine, in: a.namespace, port: 80, answers: 2)
        #expect(try await machine.ask("127.0.0.1", 8080).hasSuffix("\(a.gateways[0])"))
        // The node goes without a word.
        await service!.die()
        weak let old = service
        service = nil
        try await eventually("the old node is gone") { old == nil }
        let next = machine.service()
        #expect(try await next.open(isKnown: { _ in true }) == [])
        #expect(try await next.takeOver("1", a.namespace) == [])
        await next.release("2", reusable: false)
        #expect(await next.members(of: "bridge").map(\.containerID) == ["1"])
        #expect(await next.ports(of: "1").map(\.hostPort) == [8080])
        #expect(try await machine.ask("127.0.0.1", 8080).hasSuffix("\(a.gateways[0])"))
        await server.finish()
        let b = try await next.attach(request("3"))
        #expect(b.endpoints[0].ipv4 != a.endpoints[0].ipv4)
        for id in ["1", "3"] { await next.release(id, reusable: false) }
        await next.shutDown()
        try machine.end()
    }
}
