import JSON
import KubeObjects
import Linux
import TestKit
import Testing

@testable import Services

/// Services in the kernel of this machine, with real clients and servers in namespaces of their own.
@Suite(.enabled(if: isRoot), .leavesNoTrace, .timeLimit(.minutes(3)), .serialized) struct DataPathTests {
    @Test func `a service leads to its pods from pods and from the machine`() async throws {
        try await ServiceWorld.with { world in
            let (one, two, client) = (try await world.pod("one"), try await world.pod("two"), try await world.pod("client"))
            try await world.serving([one, two]) {
                try await world.service("web")
                try await world.endpoints("web", [one.endpoint, two.endpoint])
                try await eventually("the service answers") {
                    try await world.ask("10.96.1.1", 80, from: client.namespace) != ["refused"]
                }
                let heard = Set(try await world.ask("10.96.1.1", 80, from: client.namespace, times: 40))
                #expect(heard == ["one \(client.address)", "two \(client.address)"], "pods see who asks")
                let own = try await world.ask("10.96.1.1", 80, from: world.machineNamespace, times: 40)
                #expect(Set(own.map { $0.prefix(3) }) == ["one", "two"], "\(own)")
                let hairpin = try await world.ask("10.96.1.1", 80, from: one.namespace, times: 40)
                #expect(Set(hairpin.map { $0.prefix(3) }) == ["one", "two"], "a pod reaches itself: \(hairpin)")
            }
        }
    }

    @Test func `a service without endpoints refuses at once`() async throws {
        try await ServiceWorld.with { world in
            let client = try await world.pod("client")
            try await world.service("web")
            for (who, place) in [("a pod", client.namespace), ("the machine", world.machineNamespace)] {
                let words = [
                    try await world.ask("10.96.1.1", 80, from: place),
                    try await world.ask("10.96.1.1", 80, from: place, transport: "udp"),
                    // An address that nobody has.
                    try await world.ask("10.96.77.7", 1234, from: place),
                ]
                let datagram = who == "a pod" ? "refused" : "[Errno 1] Operation not permitted"
                #expect(words == [["refused"], [datagram], ["refused"]], "\(who)")
            }
        }
    }

    @Test func `a node port leads to the pods at every address of the machine`() async throws {
        try await ServiceWorld.with { world in
            let (one, client) = (try await world.pod("one"), try await world.pod("client"))
            try await world.serving([one]) {
                try await world.service("web") { service in
                    service["spec", "type"] = "NodePort"
                    service["spec", "ports"] = [["name": "http", "port": 80, "nodePort": 30080]]
                }
                try await world.endpoints("web", [one.endpoint])
                for (address, place) in [
                    (ServiceWorld.nodeAddress, client.namespace), (ServiceWorld.nodeAddress, world.machineNamespace),
                    ("127.0.0.1", world.machineNamespace), (ServiceWorld.gateway, client.namespace),
                    (ServiceWorld.nodeAddress, one.namespace),
                ] {
                    try await eventually("\(address) answers") {
                        try await world.ask(address, 30080, from: place)[0].hasPrefix("one ")
                    }
                }
            }
        }
    }

    @Test func `clients of datagrams do not stay with a pod that is gone`() async throws {
        try await ServiceWorld.with { world in
            let (one, two, client) = (try await world.pod("one"), try await world.pod("two"), try await world.pod("client"))
            try await world.serving([one, two], Servers.udp) {
                try await world.service("dgram") { $0["spec", "ports"] = [["name": "http", "port": 80, "protocol": "UDP"]] }
                try await world.endpoints("dgram", [one.endpoint], transport: "UDP")
                try await eventually { try await world.rules().contains("svc4/default/dgram/udp/80") }
                // One socket for all datagrams: to the kernel one connection.
                let asking = """
                    import socket,time
                    s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.settimeout(0.5); s.connect(("10.96.1.1",80))
                    last=None
                    while True:
                      try:
                        s.send(b"x"); now=s.recv(99).decode()
                        if now!=last: print(now,flush=True); last=now
                      except OSError: pass
                      time.sleep(0.02)
                    """
                let log = "/tmp/forkless-services-datagrams-\(OwnProcess.pid)"
                defer { try? Files.remove(log) }
                try await BackgroundServer.running(
                    ServiceWorld.enter(client.namespace) + ["python3", "-c", asking], log: log
                ) { asker in
                    _ = try await asker.until("the first pod answers") { $0.contains("one ") ? true : nil }
                    try await world.endpoints("dgram", [two.endpoint], transport: "UDP")
                    let heard = try await asker.until("the second pod answers") { $0.contains("two ") ? $0 : nil }
                    #expect(heard == "one \(client.address)\ntwo \(client.address)")
                }
            }
        }
    }

    @Test func `a pod is withdrawn while its endpoints still say that it is ready`() async throws {
        try await ServiceWorld.with { world in
            let (one, two, client) = (try await world.pod("one"), try await world.pod("two"), try await world.pod("client"))
            try await world.serving([one, two]) {
                try await world.service("web")
                try await world.endpoints("web", [one.endpoint, two.endpoint])
                try await eventually("both answer") {
                    Set(try await world.ask("10.96.1.1", 80, from: client.namespace, times: 20)).count == 2
                }
                await world.router.withdraw(podUID: one.uid, addresses: [one.address], deadline: .now + .seconds(20))
                let heard = Set(try await world.ask("10.96.1.1", 80, from: client.namespace, times: 40))
                #expect(heard == ["two \(client.address)"])
                await world.router.withdraw(podUID: two.uid, addresses: [two.address], deadline: .now + .seconds(20))
                #expect(try await world.ask("10.96.1.1", 80, from: client.namespace) == ["refused"])
            }
        }
    }

    @Test func `rules that somebody flushed are put back`() async throws {
        try await ServiceWorld.with { world in
            let one = try await world.pod("one")
            try await world.service("web")
            try await world.endpoints("web", [one.endpoint])
            try await eventually { try await world.rules().contains("svc4/default/web") }
            try await world.run(in: world.machineNamespace, "nft", "delete", "table", "inet", ServiceWorld.table)
            try await eventually("the rules are back") { try await world.rules().contains("svc4/default/web") }
        }
    }
}
