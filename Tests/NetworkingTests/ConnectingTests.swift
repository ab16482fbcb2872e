import Linux
import TestKit
import Testing

@testable import Networking

@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct `containers that run join and leave networks` {
    private func request(
        _ id: String, _ networks: [String] = ["bridge"], ports: [PublishedPort] = []
    ) -> NetworkAttachment {
        NetworkAttachment(
            containerID: id, containerName: "c\(id)", hostname: "h\(id)", networks: networks.map { .init(network: $0) },
            ports: ports)
    }

    /// - Parameter seconds: longer for who is to be reached: what is asked on a link that has just come up may be lost,
    ///   and is asked again after a second.
    private func reaches(
        _ machine: TestMachine, _ address: IPAddress, from: SharedFD, within seconds: Int = 1
    ) async throws -> Bool {
        try await machine.run("ping", "-c1", "-W\(seconds)", "\(address)", in: from).status.isSuccess
    }

    @Test func `a running container joins a network and leaves it`() async throws {
        let machine = try await TestMachine("join")
        let service = machine.service()
        var inside = NetworkService.Wish(name: "inside")
        inside.isInternal = true
        try await service.create(inside)
        let a = try await service.attach(request("1", ["inside"], ports: [.init(hostPort: 8080, containerPort: 80)]))
        let b = try await service.attach(request("2"))
        #expect(try await reaches(machine, b.endpoints[0].ipv4, from: a.namespace) == false)
        let second = try await service.connect("1", to: .init(network: "bridge", aliases: ["also"]))
        #expect(second.interface == "eth1")
        #expect(try await reaches(machine, b.endpoints[0].ipv4, from: a.namespace, within: 5))
        #expect(try await machine.run("ip", "route", in: a.namespace).text.contains("default via \(b.gateways[0]) dev eth1"))
        let found = try await machine.run("dig", "@\(b.gateways[0])", "+short", "also", in: b.namespace)
        #expect(found.text == "\(second.ipv4)\n")
        // Nothing comes into an internal network, so the port leads to the new place.
        let server = TestServer(machine, in: a.namespace, port: 80, answers: 1)
        #expect(try await machine.ask("127.0.0.1", 8080).hasSuffix("\(b.gateways[0])"))
        await server.finish()
        await #expect(throws: NetworkFailure.self) { _ = try await service.connect("1", to: .init(network: "bridge")) }
        let left = try await service.disconnect("1", from: "bridge")
        #expect(left == second)
        #expect(try await reaches(machine, b.endpoints[0].ipv4, from: a.namespace) == false)
        #expect(await service.members(of: "bridge").map(\.containerID) == ["2"])
        await #expect(throws: NetworkFailure.self) { _ = try await service.disconnect("1", from: "bridge") }
        for id in ["1", "2"] { await service.release(id, reusable: false) }
        await service.shutDown()
        #expect(try await machine.trace().contains("fv") == false)
        try machine.end()
    }

    @Test func `the default route moves to the network that is left`() async throws {
        let machine = try await TestMachine("moves")
        let service = machine.service()
        try await service.create(NetworkService.Wish(name: "other"))
        let a = try await service.attach(request("1", ["bridge", "other"], ports: [.init(hostPort: 8080, containerPort: 80)]))
        let other = await service.list().first { $0.name == "other" }!
        _ = try await service.disconnect("1", from: "bridge")
        let routes = try await machine.run("ip", "route", in: a.namespace).text
        #expect(routes.contains("default via \(other.ipv4.gateway) dev eth1"), "\(routes)")
        let server = TestServer(machine, in: a.namespace, port: 80, answers: 1)
        #expect(try await machine.ask("127.0.0.1", 8080).hasSuffix("\(other.ipv4.gateway)"))
        await server.finish()
        // The first name is free again and gets used.
        #expect(try await service.connect("1", to: .init(network: "bridge")).interface == "eth0")
        await service.release("1", reusable: false)
        await service.shutDown()
        try machine.end()
    }

    @Test func `a connection that fails changes nothing`() async throws {
        let machine = try await TestMachine("joinfails")
        let service = machine.service()
        try await service.create(NetworkService.Wish(name: "other"))
        let a = try await service.attach(request("1"))
        let b = try await service.attach(request("2", ["other"]))
        let before = try await machine.trace()
        await #expect(throws: NetworkFailure.self) {
            _ = try await service.connect("1", to: .init(network: "other", ipv4: b.endpoints[0].ipv4))
        }
        await #expect(throws: NetworkFailure.self) { _ = try await service.connect("1", to: .init(network: "nowhere")) }
        await #expect(throws: NetworkFailure.self) { _ = try await service.connect("9", to: .init(network: "other")) }
        #expect(try await machine.trace() == before)
        #expect(await service.members(of: "other").map(\.containerID) == ["2"])
        #expect(try await machine.run("ip", "-brief", "link", in: a.namespace).text.contains("eth1") == false)
        for id in ["1", "2"] { await service.release(id, reusable: false) }
        await service.shutDown()
        try machine.end()
    }

    @Test func `what an earlier node attached stays until it is known to have ended`() async throws {
        let machine = try await TestMachine("awaits")
        var service: NetworkService? = machine.service()
        let a = try await service!.attach(request("1", ports: [.init(hostPort: 8080, containerPort: 80)]))
        let b = try await service!.attach(request("2", ports: [.init(hostPort: 8081, containerPort: 80)]))
        await service!.die()
        weak let old = service
        service = nil
        try await eventually("the old node is gone") { old == nil }
        let next = machine.service()
        #expect(try await next.open(isKnown: { $0 != "3" }) == [])
        // Somebody new comes before it is known who runs: nobody loses anything.
        let c = try await next.attach(request("3", ports: [.init(hostPort: 8082, containerPort: 80)]))
        #expect(Set([a, b, c].map { $0.endpoints[0].ipv4 }).count == 3)
        let server = TestServer(machine, in: a.namespace, port: 80, answers: 1)
        #expect(try await machine.ask("127.0.0.1", 8080).hasSuffix("\(a.gateways[0])"))
        await server.finish()
        await #expect(throws: NetworkFailure.self) { try await next.remove("bridge") }
        await next.release("2", reusable: false)
        #expect(try await machine.run("nft", "list", "ruleset").text.contains("8081") == false)
        await #expect(throws: NetworkFailure.self) { _ = try await next.takeOver("1", c.namespace) }
        #expect(try await next.takeOver("1", a.namespace) == [])
        for id in ["1", "3"] { await next.release(id, reusable: false) }
        await next.shutDown()
        #expect(try await machine.trace().contains("fv") == false)
        try machine.end()
    }

    @Test func `a stranger's namespace is not taken over`() async throws {
        let machine = try await TestMachine("stranger")
        let service = machine.service()
        _ = try await service.attach(request("1"))
        await service.die()
        let next = machine.service()
        _ = try await next.open(isKnown: { _ in true })
        await #expect(throws: NetworkFailure.self) { _ = try await next.takeOver("1", machine.namespace) }
        #expect(await next.namespace(of: "1") == nil)
        await next.release("1", reusable: false)
        await next.shutDown()
        #expect(try await machine.trace().contains("fk") == false)
        try machine.end()
    }
}
