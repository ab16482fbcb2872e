import JSON
import KubeObjects
import KubeStore
import Linux
import Networking
import TestKit
import Testing

@testable import Services

/// Worlds by chance: services, endpoints, policies and pods that come, change and go.
private struct ChanceWorld {
    var chance: SeededChance
    var model = ClusterModel()
    var policies = PolicyPlan()
    var objects: [ObjectKey: (Resource, JSONValue)] = [:]

    init(seed: UInt64) {
        chance = SeededChance(seed: seed)
        put(.nodes, "node", ["status": ["addresses": [["type": "InternalIP", "address": "192.0.2.10"]]]])
        put(.namespaces, "default", ["metadata": ["labels": ["team": "a"]]])
    }

    mutating func put(_ resource: Resource, _ name: String, _ json: JSONValue?) {
        let key = resource.key(namespace: "default", name)
        var object = json.map { KubeObject(json: $0) }
        object?.metadata.name = name
        if resource.isNamespaced { object?.metadata.namespace = "default" }
        objects[key] = object.map { (resource, $0.json) }
        model.take(resource, key, object)
        policies.take(resource, key, object)
    }

    /// The same cluster, seen at once.
    func anew() -> (ClusterModel, PolicyPlan) {
        var (model, policies) = (ClusterModel(), PolicyPlan())
        for (key, (resource, json)) in objects {
            model.take(resource, key, KubeObject(json: json))
            policies.take(resource, key, KubeObject(json: json))
        }
        return (model, policies)
    }

    mutating func change() {
        let number = Int.random(in: 0..<4, using: &chance)
        let isGone = Int.random(in: 0..<6, using: &chance) == 0
        switch Int.random(in: 0..<5, using: &chance) {
        case 0: put(.services, "s\(number)", isGone ? nil : service(number))
        case 1, 2: put(.endpointSlices, "slice\(number)", isGone ? nil : slice())
        case 3: put(.pods, "p\(number)", isGone ? nil : pod(number))
        default: put(.networkPolicies, "n\(number)", isGone ? nil : policy())
        }
    }

    private mutating func service(_ number: Int) -> JSONValue {
        Objects.service("s\(number)", address: "10.96.0.\(20 + number)") { [type = ["ClusterIP", "NodePort", "LoadBalancer"].randomElement(using: &chance)!, sticky = Bool.random(using: &chance)] service in
            service["spec", "type"] = .string(type)
            service["spec", "ports"] = [
                ["name": "http", "port": 80, "nodePort": .integer(Int64(30000 + number))],
                ["name": "dns", "port": 53, "protocol": "UDP", "nodePort": .integer(Int64(31000 + number))],
            ]
            if sticky { service["spec", "sessionAffinity"] = "ClientIP" }
        }
    }

    private mutating func slice() -> JSONValue {
        let endpoints = (0..<Int.random(in: 0..<4, using: &chance)).map { _ in
            let pod = Int.random(in: 0..<6, using: &chance)
            return Objects.endpoint("10.42.0.\(10 + pod)", uid: "u\(pod)", ready: Bool.random(using: &chance))
        }
        var slice = Objects.slice("s\(Int.random(in: 0..<4, using: &chance))", endpoints)
        slice["ports"] = [["name": "http", "port": 8080], ["name": "dns", "port": 5353, "protocol": "UDP"]]
        return slice
    }

    private mutating func pod(_ number: Int) -> JSONValue {
        [
            "metadata": ["labels": ["app": .string(["a", "b"].randomElement(using: &chance)!)]],
            "spec": ["containers": [["ports": [["name": "main", "containerPort": .integer(Int64(8080 + Int.random(in: 0..<2, using: &chance)))]]]]],
            "status": ["phase": "Running", "podIP": .string("10.42.0.\(10 + number)")],
        ]
    }

    private mutating func policy() -> JSONValue {
        func peer() -> JSONValue {
            switch Int.random(in: 0..<3, using: &chance) {
            case 0: ["podSelector": ["matchLabels": ["app": .string(["a", "b"].randomElement(using: &chance)!)]]]
            case 1: ["namespaceSelector": ["matchLabels": ["team": .string(["a", "x"].randomElement(using: &chance)!)]]]
            default: ["ipBlock": ["cidr": "10.42.0.8/29", "except": ["10.42.0.12/31"]]]
            }
        }
        func port() -> JSONValue {
            switch Int.random(in: 0..<4, using: &chance) {
            case 0: ["port": 8080]
            case 1: ["port": 8070, "endPort": 8080]
            case 2: ["port": "main"]
            default: ["protocol": "UDP"]
            }
        }
        func rules(_ side: String) -> JSONValue {
            .array((0..<Int.random(in: 0..<3, using: &chance)).map { _ in
                var rule: JSONValue = .object([:])
                if Bool.random(using: &chance) { rule[side] = .array((0..<Int.random(in: 1..<3, using: &chance)).map { _ in peer() }) }
                if Bool.random(using: &chance) { rule["ports"] = .array((0..<Int.random(in: 1..<3, using: &chance)).map { _ in port() }) }
                return rule
            })
        }
        var spec: JSONValue = ["podSelector": Bool.random(using: &chance) ? [:] : ["matchLabels": ["app": "a"]]]
        let types = [["Ingress"], ["Egress"], ["Ingress", "Egress"]].randomElement(using: &chance)!
        spec["policyTypes"] = .array(types.map { .string($0) })
        if types.contains("Ingress") { spec["ingress"] = rules("from") }
        if types.contains("Egress") { spec["egress"] = rules("to") }
        return ["spec": spec]
    }
}

@Suite(.timeLimit(.minutes(3)), .serialized) struct RuleTests {
    private static let settings = ServiceSettings(table: "forkless_test", podSubnets: [Subnet("10.42.0.0/16")!], gateway: IPAddress("10.42.0.1")!)

    @Test(arguments: UInt64(1)...20) func `the model is the same whatever way the cluster came to be`(seed: UInt64) {
        var world = ChanceWorld(seed: seed)
        var plan = DataPathPlan(Self.settings)
        var parts: [String: RulePart] = [:]
        func keep(_ new: [String: RulePart]) { for (key, part) in new { parts[key] = part.isEmpty ? nil : part } }
        for _ in 0..<60 {
            world.change()
            if Bool.random(using: &world.chance) { keep(plan.step(&world.model).parts.merging(world.policies.step()) { $1 }) }
        }
        keep(plan.step(&world.model).parts.merging(world.policies.step()) { $1 })
        var (model, policies) = world.anew()
        var fresh = DataPathPlan(Self.settings)
        let all = fresh.step(&model).parts.merging(policies.step()) { $1 }.filter { !$0.value.isEmpty }
        #expect(parts == all, "seed \(seed)")
        #expect(world.model.services == model.services && world.model.slices == model.slices)
    }

    @Test func `a change makes its own service dirty and no other`() {
        var world = ChanceWorld(seed: 1)
        world.put(.services, "a", Objects.service("a", address: "10.96.0.1"))
        world.put(.services, "b", Objects.service("b", address: "10.96.0.2"))
        _ = world.model.takeDirty()
        world.put(.endpointSlices, "x", Objects.slice("a", [Objects.endpoint("10.42.0.9", uid: "u")]))
        #expect(world.model.takeDirty() == [ServiceName(namespace: "default", name: "a")])
        world.put(.services, "b", Objects.service("b", address: "10.96.0.2") { $0["metadata", "labels"] = ["x": "y"] })
        #expect(world.model.takeDirty() == [], "labels of a service are no matter")
    }

    @Test(.enabled(if: isRoot), arguments: [3, 14] as [UInt64]) func `differences lead to the same rules as the whole`(seed: UInt64) async throws {
        let (one, two) = (try NetworkNamespace.make(), try NetworkNamespace.make())
        let (changed, whole) = (NFTProgram(machine: MachineNetwork(one)), NFTProgram(machine: MachineNetwork(two)))
        let socket = try await MachineNetwork(one).run { () throws(SystemError) in try PacketRuleSocket() }
        var (direct, byProgram) = (0, 0)
        var world = ChanceWorld(seed: seed)
        var plan = DataPathPlan(Self.settings)
        var book = RuleBook(table: Self.settings.table)
        book.base = BaseRules.text(clusterSubnets: Self.settings.clusterSubnets, keepsSources: true) + PolicyRules.base
        try await changed.run(book.whole)
        for round in 0..<60 {
            for _ in 0..<(round % 3 == 0 ? 3 : 1) { world.change() }
            let difference = book.change(plan.step(&world.model).parts.merging(world.policies.step()) { $1 })
            if let batch = difference.batch {
                if !batch.isEmpty { direct += 1 }
                try socket.perform(batch)
            } else {
                byProgram += 1
                try await changed.run(difference.text)
            }
        }
        // Each of both ways is known.
        #expect(direct > 10 && byProgram > 0, "\(direct) and \(byProgram)")
        try await whole.run(book.whole)
        func listing(_ place: SharedFD) async throws -> [Substring] {
            let text = try await CommandRunner.run(ServiceWorld.enter(place) + ["nft", "-s", "list", "ruleset"]).text
            withExtendedLifetime(place) {}
            // Chains and elements are listed in the order in which they came.
            return text.split(whereSeparator: { " ,\n\t{}".contains($0) }).sorted()
        }
        let (a, b) = (try await listing(one), try await listing(two))
        #expect(a == b && a.count > 200, "seed \(seed)")
    }

    @Test func `an element that two services share goes with the last of them`() {
        var book = RuleBook(table: "t")
        var part = RulePart()
        part.add("10.42.0.9", to: "endpoints4")
        #expect(book.change(["a": part]).text == "add element inet t endpoints4 { 10.42.0.9 }\n")
        #expect(book.change(["b": part]).text == "")
        #expect(book.change(["a": RulePart()]).text == "")
        #expect(book.change(["b": RulePart()]).text == "delete element inet t endpoints4 { 10.42.0.9 }\n")
    }

    @Test func `what comes and goes with pods needs no program`() throws {
        var book = RuleBook(table: "t")
        book.base = BaseRules.text(clusterSubnets: [], keepsSources: true) + PolicyRules.base
        func isDirect(_ part: RulePart, _ key: String = "a") -> Bool { book.change([key: part]).batch != nil }
        func rules(_ endpoints: [String], _ change: (inout JSONValue) -> Void = { _ in }) -> RulePart {
            let service = ServiceDescription(KubeObject(json: Objects.service("a", address: endpoints.first?.contains(":") == true ? "fd00::1" : "10.96.0.1", change)))!
            let slice = Objects.slice("a", endpoints.map { Objects.endpoint($0, uid: $0) })
            return ServiceRules(service: service, slices: [SliceDescription(KubeObject(json: slice))!]).part
        }
        for endpoints in [["10.42.0.9"], ["10.42.0.9", "10.42.0.10"], ["10.42.0.10"], [], ["fd00::9"], ["fd00::9", "fd00::a"], []] {
            #expect(isDirect(rules(endpoints) { $0["spec", "type"] = "NodePort" }), "\(endpoints)")
        }
        // A pod under policies there are.
        var isolation = RulePart()
        isolation.chains["pod/inward/default/p"] = ["ip saddr 10.42.0.9 accept", "jump inward/default/n", "drop"]
        isolation.add("10.42.0.9 : goto pod/inward/default/p", to: PolicyRules.isolated(.ingress, isIPv6: false))
        #expect(isDirect(isolation, "b") && isDirect(RulePart(), "b"))
        // Sets of clients that keep their endpoint are nft's.
        #expect(!isDirect(rules(["10.42.0.9", "10.42.0.10"]) { $0["spec", "sessionAffinity"] = "ClientIP" }))
    }

    @Test func `rules that are not understood whole are left to nft`() {
        for text in [
            "", "accept 3", "goto", "goto a b", "ip saddr 10.0.0.0/8 accept", "ip6 saddr 10.0.0.1 accept", "ip saddr 10.0.0.1",
            "tcp dport { 80 } accept", "meta l4proto tcp dnat ip to 10.0.0.1", "meta l4proto tcp dnat ip6 to 10.0.0.1:80",
            "meta l4proto tcp dnat ip to 10.0.0.1:80 random", "meta l4proto icmp dnat ip to 10.0.0.1:80",
            "meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.0.0.1 . 80 }",
            "meta l4proto tcp dnat ip to numgen random mod 1 map { 1 : 10.0.0.1 . 80 }",
            "meta l4proto tcp dnat ip to numgen inc mod 1 map { 0 : 10.0.0.1 . 80 }", "ip saddr @set goto a",
        ] { #expect(RuleLine(text) == nil, "\(text)") }
        for declaration in ["", "type", "type ipv4_addr", "type ipv4_addr; flags interval;", "type ifname;", "type ipv4_addr : mark;"] {
            #expect(ElementType(declaration) == nil, "\(declaration)")
        }
        let type = ElementType("type inet_proto . ipv4_addr . inet_service : verdict;")!
        for element in ["tcp . 10.0.0.1 . 80", "tcp . 10.0.0.1 : drop", "xyz . 10.0.0.1 . 80 : drop", "tcp . 10.0.0.1 . 99999 : drop", "tcp . fd00::1 . 80 : drop"] {
            #expect(type.element(element) == nil, "\(element)")
        }
    }

    @Test func `what belongs to a connection is looked at no further`() {
        let text = BaseRules.text(clusterSubnets: [Subnet("10.96.0.0/16")!], keepsSources: true) + PolicyRules.base
        let lines = text.split(separator: "\n").map { $0.drop { $0 == " " } }
        let filters = lines.indices.filter { lines[$0].hasPrefix("type filter") }
        #expect(filters.count == 4)
        for index in filters { #expect(lines[index + 1] == "ct state established,related accept") }
    }

    @Test func `a withdrawn pod is in no rule`() {
        var withdrawals = Withdrawals()
        withdrawals.add("u1", [IPAddress("10.42.0.9")!])
        let service = ServiceDescription(KubeObject(json: Objects.service("a", address: "10.96.0.1")))!
        let slices = [Objects.endpoint("10.42.0.9", uid: "u1"), Objects.endpoint("10.42.0.10", uid: "u2")].map {
            SliceDescription(KubeObject(json: Objects.slice("a", [$0])))!
        }
        var rules = ServiceRules(service: service, slices: slices)
        #expect("\(rules.part)".contains("10.42.0.9"))
        rules.withdrawals = withdrawals
        #expect(!"\(rules.part)".contains("10.42.0.9") && "\(rules.part)".contains("10.42.0.10"))
        // Its address is another pod's by now.
        rules.slices = [SliceDescription(KubeObject(json: Objects.slice("a", [Objects.endpoint("10.42.0.9", uid: "u3")])))!]
        #expect("\(rules.part)".contains("10.42.0.9"))
    }

    @Test func `endpoints that end are used when there are no others`() {
        let service = ServiceDescription(KubeObject(json: Objects.service("a", address: "10.96.0.1")))!
        func targets(_ endpoints: [JSONValue], _ service: ServiceDescription) -> [String] {
            let slice = SliceDescription(KubeObject(json: Objects.slice("a", endpoints)))!
            return ServiceRules(service: service, slices: [slice]).targets(of: service.ports[0], isIPv6: false).map { "\($0)" }
        }
        let ready = Objects.endpoint("10.42.0.1", uid: "1")
        let ending = Objects.endpoint("10.42.0.2", uid: "2", ready: false, terminating: true, serving: true)
        let starting = Objects.endpoint("10.42.0.3", uid: "3", ready: false)
        #expect(targets([ready, ending, starting], service) == ["10.42.0.1:8080"])
        #expect(targets([ending, starting], service) == ["10.42.0.2:8080"])
        #expect(targets([starting], service) == [])
        var publishing = service
        publishing.publishesNotReady = true
        #expect(targets([starting, ready], publishing) == ["10.42.0.1:8080", "10.42.0.3:8080"])
    }

    @Test func `a service without endpoints has no way and is refused`() {
        var service = ServiceDescription(KubeObject(json: Objects.service("a", address: "10.96.0.1")))!
        #expect(ServiceRules(service: service, slices: []).part.isEmpty)
        service.externalAddresses = [IPAddress("198.51.100.1")!]
        let claims = AddressClaims([service], nodeAddresses: [], reserved: []).claims[service.name]!
        #expect(ServiceRules(service: service, slices: [], claims: claims).part.elements == ["closed4": ["tcp . 198.51.100.1 . 80"]])
    }

    @Test func `a load balancer has all its ports or none`() {
        func balancer(_ name: String, _ created: String, _ ports: [Int64]) -> ServiceDescription {
            ServiceDescription(KubeObject(json: Objects.service(name, address: "10.96.0.1") { service in
                service["metadata", "creationTimestamp"] = .string(created)
                service["spec", "type"] = "LoadBalancer"
                service["spec", "ports"] = .array(ports.map { ["name": .string("p\($0)"), "port": .integer($0)] })
            }))!
        }
        let services = [balancer("new", "2026-02", [80, 443]), balancer("old", "2026-01", [80]), balancer("ssh", "2026-01", [22]), balancer("other", "2026-03", [443])]
        let claims = AddressClaims(services, nodeAddresses: [IPAddress("192.0.2.1")!], reserved: [22])
        #expect(claims.balancers.map(\.name).sorted() == ["old", "other"])
        #expect(claims.refused.map(\.name).sorted() == ["new", "ssh"])
    }

    @Test func `a port of the machine has one load balancer, the older one`() {
        var world = ChanceWorld(seed: 7)
        for _ in 0..<200 {
            world.change()
            let claims = AddressClaims(world.model.services.values, nodeAddresses: world.model.nodeAddresses, reserved: [])
            let all = claims.claims.values.flatMap { $0.map { "\($0.transport) \($0.address) \($0.port)" } }
            #expect(Set(all).count == all.count)
        }
    }

    @Test func `hostile objects make no rules and no trap`() {
        for name in ["a b", "x; flush ruleset", "{", "A", ""] {
            var object = KubeObject(json: Objects.service("a", address: "10.96.0.1"))
            object.metadata.name = name
            #expect(ServiceDescription(object) == nil, "\(name)")
            var pod = KubeObject(json: ["metadata": ["namespace": "default"], "status": ["podIP": "10.42.0.7"]])
            pod.metadata.name = name
            #expect(PodDescription(pod) == nil || name == "", "\(name)")
        }
        for json in [JSONValue.null, [:], ["spec": 3], ["spec": ["ports": [["port": -1], ["port": 99999], 7]]], ["spec": ["clusterIPs": ["x", 3, "None"]]]] as [JSONValue] {
            var object = json
            object["metadata"] = ["name": "a", "namespace": "b"]
            _ = ServiceDescription(KubeObject(json: object))
            _ = SliceDescription(KubeObject(json: object))
            _ = PolicyDescription(KubeObject(json: object))
            _ = IngressDescription(KubeObject(json: object))
        }
    }
}

@Suite struct PassTests {
    private actor Counter {
        var begun = 0
        private var waiters: [CheckedContinuation<Void, Never>] = []
        func pass() async {
            begun += 1
            await withCheckedContinuation { waiters.append($0) }
        }
        func open() { if !waiters.isEmpty { waiters.removeFirst().resume() } }
    }

    @Test func `those who ask during a pass share the next one`() async throws {
        let (passes, counter) = (Passes(), Counter())
        let first = await passes.request { await counter.pass() }
        try await eventually("a pass begins at once when there is none") { await counter.begun == 1 }
        var others: [Task<Void, Never>] = []
        for _ in 0..<5 { others.append(await passes.request { await counter.pass() }) }
        #expect(await counter.begun == 1)
        await counter.open()
        await first.value
        try await eventually("the next begins") { await counter.begun == 2 }
        await counter.open()
        for other in others { await other.value }
        #expect(await counter.begun == 2)
    }
}
