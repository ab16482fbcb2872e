import HTTPServing
import JSON
import KubeObjects
import KubeSchema
import KubeStore
import Linux
import TestKit
import Testing

@testable import Services

/// Services with addresses outside of the cluster's, and clients that keep their pod.
@Suite(.enabled(if: isRoot), .leavesNoTrace, .timeLimit(.minutes(3)), .serialized) struct OutsideTests {
    @Test func `a load balancer is the machine itself and says so`() async throws {
        try await ServiceWorld.with { world in
            let (one, client) = (try await world.pod("one"), try await world.pod("client"))
            try await world.serving([one]) {
                for name in ["first", "second"] {
                    try await world.service(name, address: name == "first" ? "10.96.1.1" : "10.96.1.2") { service in
                        service["spec", "type"] = "LoadBalancer"
                        service["metadata", "creationTimestamp"] = .string(name == "first" ? "2026-01-01T00:00:00Z" : "2026-01-02T00:00:00Z")
                    }
                }
                try await world.endpoints("first", [one.endpoint])
                try await eventually("the machine answers") {
                    try await world.ask(ServiceWorld.nodeAddress, 80, from: client.namespace) == ["one \(client.address)"]
                }
                #expect(try await world.ask("127.0.0.1", 80, from: world.machineNamespace)[0].hasPrefix("one "))
                try await eventually("the status says it") {
                    world.status("first")["loadBalancer", "ingress"] == [["ip": .string(ServiceWorld.nodeAddress), "ipMode": "VIP"]]
                }
                #expect(world.status("second")["loadBalancer", "ingress"] == nil, "its port is taken")
                try await eventually("an event says why") { try await world.events().contains("PortInUse") }
                // The older one goes, and the younger gets its place.
                try await world.endpoints("second", [one.endpoint])
                try await world.store.delete(Resource.services.key(namespace: "default", "first"))
                try await eventually("the second has the addresses") { world.status("second")["loadBalancer", "ingress"] != nil }
                // The status may say so while the kernel is being told.
                try await eventually("the machine answers for the second") {
                    let heard = try await world.ask(ServiceWorld.nodeAddress, 80, from: client.namespace)
                    return heard == ["one \(client.address)"]
                }
            }
        }
    }

    @Test func `a load balancer lets only its source ranges in`() async throws {
        try await ServiceWorld.with { world in
            let (one, client, other) = (try await world.pod("one"), try await world.pod("client"), try await world.pod("other"))
            try await world.serving([one]) {
                try await world.service("web") { service in
                    service["spec", "type"] = "LoadBalancer"
                    service["spec", "loadBalancerSourceRanges"] = [.string(client.address + "/32")]
                }
                try await world.endpoints("web", [one.endpoint])
                try await eventually("who is let in is answered") {
                    try await world.ask(ServiceWorld.nodeAddress, 80, from: client.namespace) == ["one \(client.address)"]
                }
                #expect(try await world.ask(ServiceWorld.nodeAddress, 80, from: other.namespace) == ["timeout"])
                #expect(try await world.ask("10.96.1.1", 80, from: other.namespace) == ["one \(other.address)"])
            }
        }
    }

    @Test func `an external address leads to pods and is refused without them`() async throws {
        try await ServiceWorld.with { world in
            let (one, client) = (try await world.pod("one"), try await world.pod("client"))
            try await world.serving([one]) {
                try await world.service("web") { $0["spec", "externalIPs"] = ["198.51.100.7"] }
                try await eventually("it is closed") {
                    try await world.ask("198.51.100.7", 80, from: client.namespace) == ["refused"]
                }
                try await world.endpoints("web", [one.endpoint])
                try await eventually("it leads to the pod") {
                    try await world.ask("198.51.100.7", 80, from: client.namespace) == ["one \(client.address)"]
                }
            }
        }
    }

    @Test func `a client keeps its pod, and loses it only with the pod`() async throws {
        try await ServiceWorld.with { world in
            let client = try await world.pod("client")
            var pods: [ServiceWorld.Pod] = []
            for name in ["one", "two", "three"] { pods.append(try await world.pod(name)) }
            try await world.serving(pods) {
                try await world.service("web") { service in
                    service["spec", "sessionAffinity"] = "ClientIP"
                    service["spec", "sessionAffinityConfig"] = ["clientIP": ["timeoutSeconds": 60]]
                }
                try await world.endpoints("web", pods.map(\.endpoint))
                try await eventually("the service answers") {
                    try await world.ask("10.96.1.1", 80, from: client.namespace) != ["refused"]
                }
                let heard = Set(try await world.ask("10.96.1.1", 80, from: client.namespace, times: 30))
                #expect(heard.count == 1)
                let kept = pods.first { heard.first!.hasPrefix($0.name + " ") }!
                let others = pods.filter { $0.name != kept.name }
                // Another pod comes or goes: nothing changes for the client.
                try await world.endpoints("web", [kept.endpoint, others[0].endpoint])
                try await eventually { try await !world.rules().contains(others[1].address) }
                #expect(Set(try await world.ask("10.96.1.1", 80, from: client.namespace, times: 30)) == heard)
                try await world.endpoints("web", others.map(\.endpoint))
                try await eventually("its pod has gone") { try await !world.rules().contains("to/svc4/default/web/tcp/80/\(kept.address)") }
                let after = Set(try await world.ask("10.96.1.1", 80, from: client.namespace, times: 30))
                #expect(after.count == 1 && after != heard)
            }
        }
    }

    @Test func `ports that have no way are told in an event`() async throws {
        try await ServiceWorld.with { world in
            try await world.service("phone") { $0["spec", "ports"] = [["name": "s", "port": 2905, "protocol": "SCTP"]] }
            try await eventually("the event") { try await world.events().contains("UnsupportedProtocol") }
        }
    }

    @Test func `load balancers are told how many endpoints a service has here`() async throws {
        let loops = ServingLoops(count: 1)
        let result: Result<Void, any Error>
        do { result = .success(try await tellHealth(loops)) } catch { result = .failure(error) }
        await loops.shutDown()
        try result.get()
    }

    private func tellHealth(_ loops: ServingLoops) async throws {
        try await ServiceWorld.with(settings: { $0.loops = loops }) { world in
            let (one, client) = (try await world.pod("one"), try await world.pod("client"))
            try await world.service("web") { service in
                service["spec", "type"] = "LoadBalancer"
                service["spec", "externalTrafficPolicy"] = "Local"
                service["spec", "healthCheckNodePort"] = 31999
            }
            func health() async throws -> String {
                try await world.run(
                    in: client.namespace, "curl", "-sS", "-i", "--max-time", "3", "http://\(ServiceWorld.nodeAddress):31999/").text
            }
            try await eventually("there are none") { try await health().hasPrefix("HTTP/1.1 503 ") }
            try await world.endpoints("web", [one.endpoint])
            try await eventually("there is one") {
                let text = try await health()
                return text.hasPrefix("HTTP/1.1 200 ") && text.contains("X-Load-Balancing-Endpoint-Weight: 1")
                    && text.contains(#""service":{"namespace":"default","name":"web"},"localEndpoints":1"#)
            }
            try await world.store.delete(Resource.services.key(namespace: "default", "web"))
            try await eventually("the port is closed with its service") { try await health() == "" }
        }
    }
}

extension ServiceWorld {
    func status(_ service: String) -> JSONValue {
        cache.get(.services, namespace: "default", service)?.value["status"] ?? .object([:])
    }

    /// The reasons of all events.
    func events() async throws -> [String] {
        try await StoreClient(store: store).list(.events, namespace: nil, labels: .everything).compactMap { $0.json["reason"]?.string }
    }
}
