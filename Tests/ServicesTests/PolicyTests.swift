import JSON
import KubeObjects
import KubeStore
import Linux
import TestKit
import Testing

@testable import Services

/// Policies between pods on one bridge, in the kernel of this machine.
@Suite(.enabled(if: isRoot), .leavesNoTrace, .timeLimit(.minutes(4)), .serialized) struct PolicyTests {
    @Test func `a policy holds between pods on one bridge`() async throws {
        try await ServiceWorld.with { world in
            let (server, friend, stranger) = (try await world.pod("server"), try await world.pod("friend"), try await world.pod("stranger"))
            for pod in [server, friend, stranger] { try await world.object(pod) }
            try await world.serving([server]) {
                try await world.service("web")
                try await world.endpoints("web", [server.endpoint])
                try await eventually("a pod without policies is open") {
                    try await world.ask("10.96.1.1", 80, from: stranger.namespace) == ["server \(stranger.address)"]
                }
                try await world.policy(
                    "friends", [
                        "podSelector": ["matchLabels": ["app": "server"]], "policyTypes": ["Ingress"],
                        "ingress": [["from": [["podSelector": ["matchLabels": ["app": "friend"]]]], "ports": [["port": 8080]]]],
                    ])
                try await eventually("the stranger is kept out") {
                    try await world.ask(server.address, 8080, from: stranger.namespace) == ["timeout"]
                }
                #expect(try await world.ask("10.96.1.1", 80, from: stranger.namespace) == ["timeout"])
                for address in [server.address, "10.96.1.1"] {
                    let port: UInt16 = address == server.address ? 8080 : 80
                    #expect(try await world.ask(address, port, from: friend.namespace) == ["server \(friend.address)"])
                    #expect(try await world.ask(address, port, from: world.machineNamespace)[0].hasPrefix("server "), "the node reaches its pods")
                    #expect(try await world.ask(address, port, from: server.namespace)[0].hasPrefix("server "), "a pod reaches itself")
                }
                // The stranger gets a friend's label: no policy has changed.
                try await world.object(stranger, labels: ["app": "friend"])
                try await eventually("the stranger is a friend now") {
                    try await world.ask(server.address, 8080, from: stranger.namespace) == ["server \(stranger.address)"]
                }
                try await world.store.delete(Resource.networkPolicies.key(namespace: "default", "friends"))
                try await world.object(stranger)
                try await eventually("the policy is gone") {
                    try await world.ask(server.address, 8080, from: stranger.namespace) == ["server \(stranger.address)"]
                }
            }
        }
    }

    @Test func `a policy holds before the status of a new pod says its address`() async throws {
        try await ServiceWorld.with { world in
            let (server, client) = (try await world.pod("server"), try await world.pod("client"))
            try await world.policy("closed", ["podSelector": ["matchLabels": ["app": "server"]], "policyTypes": ["Ingress"]])
            try await eventually("the policy is known") {
                world.cache.get(.networkPolicies, namespace: "default", "closed") != nil
            }
            for pod in [server, client] {
                let object = KubeObject(json: [
                    "metadata": [
                        "name": .string(pod.name), "namespace": "default", "uid": .string(pod.uid),
                        "labels": ["app": .string(pod.name)],
                    ],
                    "spec": ["containers": [["name": "main"]]], "status": ["phase": "Pending"],
                ])
                try await world.store.create(Resource.pods.key(namespace: "default", pod.name), object.json)
                await world.router.admit(object, addresses: [pod.address])
            }
            try await world.serving([server]) {
                // The first packet of all: no status has been written.
                let closed = try await world.ask(server.address, 8080, from: client.namespace)
                #expect(closed == ["timeout"])
                let open = try await world.ask(client.address, 8080, from: server.namespace)
                #expect(open == ["refused"])
            }
        }
    }

    @Test func `what a pod may ask is limited by egress`() async throws {
        try await ServiceWorld.with { world in
            let (server, other, client) = (try await world.pod("server"), try await world.pod("other"), try await world.pod("client"))
            for pod in [server, other, client] { try await world.object(pod) }
            try await world.serving([server, other]) {
                try await world.policy(
                    "only", [
                        "podSelector": ["matchLabels": ["app": "client"]], "policyTypes": ["Egress"],
                        "egress": [["to": [["ipBlock": ["cidr": "10.42.0.0/16", "except": [.string(other.address + "/32")]]]], "ports": [["port": "main", "protocol": "TCP"], ["port": 8000, "endPort": 8100]]]],
                    ])
                try await eventually("what is excepted is closed") {
                    try await world.ask(other.address, 8080, from: client.namespace) == ["timeout"]
                }
                #expect(try await world.ask(server.address, 8080, from: client.namespace) == ["server \(client.address)"])
                #expect(try await world.ask(server.address, 9090, from: client.namespace) == ["timeout"], "another port")
                #expect(try await world.ask(client.address, 7, from: server.namespace) == ["refused"], "ingress is open")
                let dig = try await world.run(in: client.namespace, "dig", "@" + ServiceWorld.gateway, "+short", "dns-version.cluster.local", "TXT")
                #expect(dig.text == "\"1.1.0\"\n", "the node answers names")
            }
        }
    }

    @Test func `a port by name is what the pod has for it`() async throws {
        try await ServiceWorld.with { world in
            let (server, client) = (try await world.pod("server"), try await world.pod("client"))
            try await world.object(server, ports: [["name": "main", "containerPort": 8080]])
            try await world.object(client)
            try await world.serving([server]) {
                try await world.serving([server], port: 9090) {
                    try await world.policy(
                        "named", [
                            "podSelector": ["matchLabels": ["app": "server"]],
                            "ingress": [["from": [["namespaceSelector": ["matchLabels": ["kubernetes.io/metadata.name": "default"]]]], "ports": [["port": "main"]]]],
                        ])
                    try await eventually("another port is closed") {
                        try await world.ask(server.address, 9090, from: client.namespace) == ["timeout"]
                    }
                    #expect(try await world.ask(server.address, 8080, from: client.namespace) == ["timeout"], "the namespace has no labels")
                    try await world.store.create(
                        Resource.namespaces.key("default"),
                        ["metadata": ["name": "default", "labels": ["kubernetes.io/metadata.name": "default"]]])
                    try await eventually("the namespace has its label") {
                        try await world.ask(server.address, 8080, from: client.namespace) == ["server \(client.address)"]
                    }
                    #expect(try await world.ask(server.address, 9090, from: client.namespace) == ["timeout"])
                }
            }
        }
    }

    @Test func `a connection that was let through goes on under a new policy`() async throws {
        try await ServiceWorld.with { world in
            let (server, client) = (try await world.pod("server"), try await world.pod("client"))
            try await world.object(server)
            try await world.serving([server], Servers.http) {
                // Asks before and while the policy comes, and twenty times more when a file says that it is there.
                let script = """
                    import http.client,os,sys,time
                    c=http.client.HTTPConnection(sys.argv[1],8080,timeout=30)
                    def ask(): c.request("GET","/"); assert c.getresponse().read()==b"server"; time.sleep(0.02)
                    ask(); print("open",flush=True)
                    while not os.path.exists(sys.argv[2]): ask()
                    for i in range(20): ask()
                    print("kept",flush=True); time.sleep(600)
                    """
                let (log, mark) = (
                    "/tmp/forkless-services-kept-\(OwnProcess.pid)", "/tmp/forkless-services-closed-\(OwnProcess.pid)"
                )
                defer { for file in [log, mark] { try? Files.remove(file) } }
                try await BackgroundServer.running(
                    ServiceWorld.enter(client.namespace) + ["python3", "-c", script, server.address, mark], log: log
                ) { asker in
                    _ = try await asker.until("the connection is there") { $0.contains("open") ? true : nil }
                    try await world.policy("closed", ["podSelector": [:], "policyTypes": ["Ingress"]])
                    try await eventually("it is closed") {
                        try await world.ask(server.address, 8080, from: client.namespace) == ["timeout"]
                    }
                    try Files.replace(mark, with: [])
                    _ = try await asker.until("the connection is kept") { $0.contains("kept") ? true : nil }
                }
            }
        }
    }

    @Test func `where policies cannot hold, each of them says so`() async throws {
        try await ServiceWorld.with(settings: { $0.passBridged = { false } }) { world in
            try await world.policy("closed", ["podSelector": [:], "policyTypes": ["Ingress"]])
            try await eventually("an event says it") { try await world.events().contains("NotEnforced") }
        }
    }

    @Test func `nothing comes in and nothing goes out by default, and pods of the machine's network are left alone`() async throws {
        try await ServiceWorld.with { world in
            let (server, client) = (try await world.pod("server"), try await world.pod("client"))
            for pod in [server, client] { try await world.object(pod) }
            // A pod with the node's address, as those of the machine's network have.
            try await world.store.create(
                Resource.pods.key(namespace: "default", "host"),
                [
                    "metadata": ["name": "host", "namespace": "default", "uid": "uid-host"], "spec": ["hostNetwork": true],
                    "status": ["phase": "Running", "podIP": .string(ServiceWorld.nodeAddress)],
                ])
            try await world.serving([server, client]) {
                try await world.policy("none", ["podSelector": [:], "policyTypes": ["Ingress", "Egress"]])
                for (from, to) in [(client, server), (server, client)] {
                    try await eventually("\(from.name) does not reach \(to.name)") {
                        try await world.ask(to.address, 8080, from: from.namespace) == ["timeout"]
                    }
                }
                #expect(try await world.ask(server.address, 8080, from: world.machineNamespace)[0].hasPrefix("server "))
                // One side alone is not enough.
                try await world.policy("out", ["podSelector": ["matchLabels": ["app": "client"]], "policyTypes": ["Egress"], "egress": [[:]]])
                try await Task.sleep(for: .milliseconds(300))
                #expect(try await world.ask(server.address, 8080, from: client.namespace) == ["timeout"])
                try await world.policy(
                    "in", ["podSelector": ["matchLabels": ["app": "server"]], "ingress": [["ports": [["port": 8000, "endPort": 8080]]]]])
                try await eventually("both sides let it through") {
                    try await world.ask(server.address, 8080, from: client.namespace) == ["server \(client.address)"]
                }
                #expect(try await world.ask(client.address, 8080, from: server.namespace) == ["timeout"])
            }
        }
    }
}

extension ServiceWorld {
    /// Stores a pod as an object; its label "app" is its name.
    func object(_ pod: Pod, labels: JSONValue? = nil, ports: JSONValue = []) async throws {
        let key = Resource.pods.key(namespace: "default", pod.name)
        let object: JSONValue = [
            "metadata": [
                "name": .string(pod.name), "namespace": "default", "uid": .string(pod.uid),
                "labels": labels ?? ["app": .string(pod.name)],
            ],
            "spec": ["containers": [["name": "main", "ports": ports]]],
            "status": ["phase": "Running", "podIP": .string(pod.address), "podIPs": [["ip": .string(pod.address)]]],
        ]
        do throws(ObjectStoreFailure) { try await store.create(key, object) } catch { try await store.update(key, object) }
    }

    func policy(_ name: String, _ spec: JSONValue) async throws {
        try await store.create(
            Resource.networkPolicies.key(namespace: "default", name),
            ["metadata": ["name": .string(name), "namespace": "default"], "spec": spec])
    }
}
