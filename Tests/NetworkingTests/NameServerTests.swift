import Linux
import TestKit
import Testing

@testable import Networking

@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct `the name server` {
    private let loopback = IPAddress("127.0.0.1")!

    /// A name server at 127.0.0.1 of the machine that knows one name: what the machine's resolver file points at.
    private func upstream(_ machine: TestMachine, addresses: [IPAddress]) async throws -> NameServer {
        let names = NameServer.Names()
        names.set([.init(containerID: "u", network: "u", names: ["far.example"], addresses: addresses)], of: "u")
        names.set([.init(containerID: "m", network: "u", names: ["m"], addresses: [loopback], isInternal: true)], of: "m")
        let server = NameServer(machine: machine.network, names: names) { [] }
        try await server.listen(at: loopback)
        return server
    }

    private func attachment(_ id: String, _ network: String = "bridge") -> NetworkAttachment {
        NetworkAttachment(
            containerID: id, containerName: "c\(id)", hostname: "h\(id)", networks: [.init(network: network, aliases: ["Both"])])
    }

    @Test func `dig finds containers by name, alias and address, and the rest elsewhere`() async throws {
        let machine = try await TestMachine("dig")
        let far = (1...60).map { IPAddress("192.0.2.\($0)")! }
        let elsewhere = try await upstream(machine, addresses: far)
        let file = machine.state + "/resolv.conf"
        try Files.replaceInMemory(file, with: Array("nameserver 127.0.0.1\n".utf8))
        let service = machine.service(resolverFile: file)
        var inside = NetworkService.Wish(name: "inside")
        inside.isInternal = true
        try await service.create(inside)
        let a = try await service.attach(attachment("1"))
        let b = try await service.attach(attachment("2"))
        let c = try await service.attach(attachment("3", "inside"))
        let server = "@\(a.gateways[0])"
        func dig(_ arguments: String..., from: SharedFD? = nil, at: String? = nil) async throws -> [String] {
            let fixed = ["dig", at ?? server, "+short", "+tries=2", "+timeout=5"]
            let outcome = try await CommandRunner.run(
                ["nsenter", "--net=/proc/\(OwnProcess.pid)/fd/\((from ?? a.namespace).raw)"] + fixed + arguments)
            return outcome.text.split(separator: "\n").map(String.init).sorted()
        }
        let (first, second) = ("\(a.endpoints[0].ipv4)", "\(b.endpoints[0].ipv4)")
        #expect(try await dig("c2") == [second])
        #expect(try await dig("C2", "+tcp") == [second])
        #expect(try await dig("both") == [first, second])
        #expect(try await dig("-x", second) == ["c2.bridge."])
        // Sixty answers do not fit into a datagram: dig sees that they were cut off and comes back over TCP.
        #expect(try await dig("far.example").count == 60)
        #expect(try await dig("c3") == [])
        // CVE-2024-29018: an internal network asks nobody outside.
        let internalServer = "@\(await service.list().first { $0.isInternal }!.ipv4.gateway)"
        #expect(try await dig("far.example", from: c.namespace, at: internalServer) == [])
        #expect(try await dig("c3", from: c.namespace, at: internalServer) == ["\(c.endpoints[0].ipv4)"])
        for id in ["1", "2", "3"] { await service.release(id, reusable: false) }
        await service.shutDown()
        await elsewhere.stopEverywhere()
        try machine.end()
    }

    @Test func `a forged answer is not passed on`() async throws {
        let machine = try await TestMachine("forged")
        // Answers with another id, another question, and at last the right one.
        let script = """
            import socket
            s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.bind(("127.0.0.1",53))
            d,a=s.recvfrom(999)
            def reply(d,ip): return d[:2]+b"\\x81\\x80\\0\\1\\0\\1\\0\\0\\0\\0"+d[12:]+b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\1\\0\\4"+bytes(ip)
            s.sendto(bytes([d[0]^1])+reply(d,[6,6,6,6])[1:],a)
            s.sendto(reply(d[:13]+b"z"+d[14:],[6,6,6,6]),a)
            s.sendto(d,a)
            s.sendto(reply(d,[9,9,9,9]),a)
            """
        let elsewhere = Task { _ = try? await machine.run("python3", "-c", script) }
        let file = machine.state + "/resolv.conf"
        try Files.replaceInMemory(file, with: Array("nameserver 127.0.0.1\n".utf8))
        let service = machine.service(resolverFile: file)
        let a = try await service.attach(attachment("1"))
        try await eventually("the other name server listens") {
            try await machine.run("ss", "-Huln", "sport", "=", "53").text.contains("127.0.0.1:53")
        }
        let answer = try await machine.run(
            "dig", "@\(a.gateways[0])", "+short", "+noedns", "+tries=1", "+timeout=9", "far.example", in: a.namespace)
        #expect(answer.text == "9.9.9.9\n")
        await elsewhere.value
        await service.release("1", reusable: false)
        await service.shutDown()
        try machine.end()
    }

    @Test func `a name server that does not answer does not stop the others`() async throws {
        let machine = try await TestMachine("silent")
        let elsewhere = try await upstream(machine, addresses: [IPAddress("192.0.2.1")!])
        let file = machine.state + "/resolv.conf"
        // Nobody listens at the first.
        try Files.replaceInMemory(file, with: Array("nameserver 127.0.0.9\nnameserver 127.0.0.1\n".utf8))
        let service = machine.service(resolverFile: file)
        let a = try await service.attach(attachment("1"))
        for transport in ["+notcp", "+tcp"] {
            let answer = try await machine.run(
                "dig", "@\(a.gateways[0])", "+short", "+tries=1", "+timeout=15", transport, "far.example", in: a.namespace)
            #expect(answer.text == "192.0.2.1\n")
        }
        await service.release("1", reusable: false)
        await service.shutDown()
        await elsewhere.stopEverywhere()
        try machine.end()
    }
}
