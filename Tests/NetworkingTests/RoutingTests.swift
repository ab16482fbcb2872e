import Linux
import TestKit
import Testing

@testable import Networking

@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct `routing of the machine` {
    private func attachment(_ id: String, _ network: String = "bridge") -> NetworkAttachment {
        NetworkAttachment(containerID: id, containerName: "c\(id)", hostname: "h", networks: [.init(network: network)])
    }

    private func routes(_ machine: TestMachine) async throws -> [String] {
        let outcome = try await machine.run(
            "cat", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding")
        return outcome.text.split(separator: "\n").map(String.init)
    }

    @Test func `the machine routes no longer than its networks need it`() async throws {
        let machine = try await TestMachine("routes")
        #expect(try await routes(machine) == ["0", "0"])
        let service = machine.service()
        _ = try await service.attach(attachment("1"))
        #expect(try await routes(machine) == ["1", "0"])
        var wish = NetworkService.Wish(name: "six")
        wish.wantsIPv6 = true
        try await service.create(wish)
        _ = try await service.attach(attachment("2", "six"))
        #expect(try await routes(machine) == ["1", "1"])
        // The next node knows what was there, too.
        await service.die()
        let next = machine.service()
        _ = try await next.open(isKnown: { _ in false })
        await next.shutDown()
        #expect(try await routes(machine) == ["0", "0"])
        #expect(try await machine.trace().contains("fk") == false)
        try machine.end()
    }

    @Test func `an internal network needs no routing`() async throws {
        let machine = try await TestMachine("inside")
        let service = machine.service()
        var wish = NetworkService.Wish(name: "inside")
        wish.isInternal = true
        try await service.create(wish)
        _ = try await service.attach(attachment("1", "inside"))
        #expect(try await routes(machine) == ["0", "0"])
        await service.release("1", reusable: false)
        await service.shutDown()
        try machine.end()
    }

    @Test func `routing that was there or that others need stays`() async throws {
        let machine = try await TestMachine("keeps")
        _ = try await machine.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        var service = machine.service()
        _ = try await service.attach(attachment("1"))
        await service.release("1", reusable: false)
        await service.shutDown()
        #expect(try await routes(machine) == ["1", "0"])
        _ = try await machine.run("sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_forward")
        service = machine.service()
        _ = try await service.open(isKnown: { _ in false })
        _ = try await service.attach(attachment("1"))
        _ = try await machine.run("ip", "link", "add", "theirs", "type", "bridge")
        await service.release("1", reusable: false)
        await service.shutDown()
        #expect(try await routes(machine) == ["1", "0"])
        try machine.end()
    }

    @Test func `a machine that did not route does not become a router for its neighbours`() async throws {
        for others in [false, true] {
            let machine = try await TestMachine("transit\(others)")
            // Two neighbours on wires of their own.
            let (left, right) = (try await neighbour(), try await neighbour())
            for (name, end, subnet) in [("wire0", left, "192.0.2"), ("wire1", right, "198.51.100")] {
                let path = "/proc/\(OwnProcess.pid)/fd/\(end.raw)"
                let made = try await machine.run("ip", "link", "add", name, "type", "veth", "peer", "name", "w", "netns", path)
                #expect(made.status.isSuccess, "\(made.errorText)")
                _ = try await machine.run("ip", "address", "add", "\(subnet).1/24", "dev", name)
                _ = try await machine.run("ip", "link", "set", name, "up")
                _ = try await machine.run("ip", "address", "add", "\(subnet).2/24", "dev", "w", in: end)
                _ = try await machine.run("ip", "link", "set", "w", "up", in: end)
                _ = try await machine.run("ip", "route", "add", "default", "via", "\(subnet).1", in: end)
            }
            if others { _ = try await machine.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward") }
            let service = machine.service()
            let a = try await service.attach(attachment("1"))
            let across = try await machine.run("ping", "-c1", others ? "-W5" : "-W1", "198.51.100.2", in: left)
            // Only where it routed before.
            #expect(across.status.isSuccess == others, "\(across.text)")
            #expect(try await machine.run("ping", "-c1", "-W5", "198.51.100.2", in: a.namespace).status.isSuccess)
            await service.release("1", reusable: false)
            await service.shutDown()
            try machine.end()
        }
    }

    private func neighbour() async throws -> SharedFD {
        try await BlockingPool.shared.run { () throws(SystemError) in try NetworkNamespace.make() }
    }

    // CVE-2020-13401: a container (it may send raw packets) plays a router, and its neighbours believe it.
    @Test func `CVE-2020-13401: advertisements of routers and redirects are not taken`() async throws {
        let machine = try await TestMachine("advertised")
        let service = machine.service()
        let a = try await service.attach(attachment("1"))
        let switches = ["ipv6/conf/eth0/accept_ra", "ipv6/conf/eth0/accept_redirects", "ipv4/conf/eth0/accept_redirects"]
        let values = try await machine.run("cat", in: a.namespace, files: switches.map { "/proc/sys/net/" + $0 })
        #expect(values.text == "0\n0\n0\n")
        await service.release("1", reusable: false)
        await service.shutDown()
        try machine.end()
    }
}

extension TestMachine {
    fileprivate func run(_ program: String, in container: SharedFD, files: [String]) async throws -> CommandRunner.Outcome {
        try await run("sh", "-c", program + files.map { " " + $0 }.joined(), in: container)
    }
}
