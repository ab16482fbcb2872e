import JSON
import KubeObjects
import KubeSchema
import Linux
import TestKit
import Testing

@testable import Services

/// Reads the rules that policies become as the kernel would, for one packet.
private struct RuleReader {
    var parts: [RulePart]
    var source: IPAddress
    var target: IPAddress
    var transport: String
    var port: UInt16

    private func chain(_ name: String) -> [String] { parts.lazy.compactMap { $0.chains[name] }.first! }
    private func elements(_ name: String) -> Set<String> { parts.reduce(into: []) { $0.formUnion($1.elements[name] ?? []) } }

    /// Whether a base chain lets the packet go on.
    func passes(_ direction: PolicyDescription.Direction) -> Bool {
        let key = direction == .ingress ? target : source
        let entry = elements(PolicyRules.isolated(direction, isIPv6: false)).first { $0.hasPrefix("\(key) : goto ") }
        guard let entry else { return true }
        return run(String(entry.dropFirst("\(key) : goto ".count))) ?? true
    }

    private func run(_ name: String) -> Bool? {
        for rule in chain(name) {
            if rule.hasPrefix("jump ") {
                if let verdict = run(String(rule.dropFirst(5))) { return verdict }
            } else if holds(rule) {
                return rule.hasSuffix("accept")
            }
        }
        return nil
    }

    private func holds(_ rule: String) -> Bool {
        var words = rule.split(separator: " ").map(String.init)[...]
        words = words.dropLast()
        while let word = words.popFirst() {
            switch word {
            case "ip6": return false
            case "ip":
                let side = words.popFirst()!
                let address = side == "saddr" ? source : target
                if words.first == "." {
                    // daddr . meta l4proto . th dport @set
                    let set = words.dropFirst(6).first!.dropFirst()
                    words = words.dropFirst(7)
                    guard elements(String(set)).contains("\(address) . \(transport) . \(port)") else { return false }
                } else {
                    let operand = words.popFirst()!
                    guard operand.hasPrefix("@") ? contains(String(operand.dropFirst()), address) : operand == "\(address)" else { return false }
                }
            case "meta": guard words.popFirst() == "l4proto", words.popFirst() == transport else { return false }
            case "tcp", "udp", "sctp":
                guard word == transport, words.popFirst() == "dport", words.popFirst() == "{" else { return false }
                var found = false
                while let item = words.popFirst(), item != "}" {
                    let ends = item.split(whereSeparator: { $0 == "-" || $0 == "," }).map { UInt16($0)! }
                    if ends[0] <= port, port <= ends[ends.count - 1] { found = true }
                }
                if !found { return false }
            default: Issue.record("a word that nobody knows: \(word) in \(rule)")
            }
        }
        return true
    }

    private func contains(_ set: String, _ address: IPAddress) -> Bool {
        elements(set).contains { element in
            let ends = element.split(separator: "-").map { IPAddress($0)! }
            return ends[0] <= address && address <= ends[ends.count - 1]
        }
    }
}

@Suite(.timeLimit(.minutes(2))) struct PolicyRuleTests {
    private func pod(_ name: String, _ address: String, _ labels: JSONValue, namespace: String = "default", port: Int64 = 8080) -> PodDescription {
        PodDescription(KubeObject(json: [
            "metadata": ["name": .string(name), "namespace": .string(namespace), "labels": labels],
            "spec": ["containers": [["ports": [["name": "main", "containerPort": .integer(port)]]]]],
            "status": ["phase": "Running", "podIP": .string(address)],
        ]))!
    }

    private func policy(_ name: String, _ spec: JSONValue) -> PolicyDescription {
        PolicyDescription(KubeObject(json: ["metadata": ["name": .string(name), "namespace": "default"], "spec": spec]))!
    }

    private func reader(_ pods: [PodDescription], _ policies: [PolicyDescription]) -> RuleReader {
        let rules = PolicyRules(
            pods: Dictionary(uniqueKeysWithValues: pods.map { ($0.name, $0) }), namespaces: ["default": ["team": "a"], "other": ["team": "b"]])
        let parts = policies.map(rules.part(of:)) + pods.map { pod in rules.part(of: pod, policies.filter { $0.selects(pod) }) }
        return RuleReader(parts: parts, source: .anyIPv4, target: .anyIPv4, transport: "tcp", port: 1)
    }

    /// What Kubernetes says, written as plainly as it can be.
    private func allows(
        _ policies: [PolicyDescription], _ pods: [PodDescription], _ direction: PolicyDescription.Direction, _ source: IPAddress,
        _ target: IPAddress, _ transport: String, _ port: UInt16
    ) -> Bool {
        let (own, peer) = direction == .ingress ? (target, source) : (source, target)
        guard let subject = pods.first(where: { $0.addresses.contains(own) }) else { return true }
        let isolating = policies.filter { $0.selects(subject) && $0.rules[direction] != nil }
        if isolating.isEmpty || own == peer { return true }
        let peerPod = pods.first { $0.addresses.contains(peer) }
        let reached = pods.first { $0.addresses.contains(target) }
        let labels: [String: JSONValue] = ["default": ["team": "a"], "other": ["team": "b"]]
        return isolating.contains { policy in
            policy.rules[direction]!.contains { rule in
                let fromPeer = rule.peers.map { peers in
                    peers.contains { candidate in
                        switch candidate {
                        case .block(let block, let except): block.contains(peer) && !except.contains { $0.contains(peer) }
                        case .pods(let namespaces, let selector):
                            peerPod.map { pod in
                                selector.matches(pod.labels)
                                    && (namespaces.map { $0.matches(labels[pod.name.namespace]) } ?? (pod.name.namespace == policy.name.namespace))
                            } ?? false
                        }
                    }
                } ?? true
                let toPort = rule.ports.map { ports in
                    ports.contains { candidate in
                        guard candidate.transport == transport else { return false }
                        switch candidate.choice {
                        case .all: return true
                        case .numbers(let range): return range.contains(port)
                        case .name(let name): return reached?.ports.contains { $0.name == name && $0.transport == transport && $0.number == port } ?? false
                        }
                    }
                } ?? true
                return fromPeer && toPort
            }
        }
    }

    @Test(arguments: UInt64(1)...40) func `rules let through what the model of policies lets through`(seed: UInt64) {
        var chance = SeededChance(seed: seed)
        let pods = (0..<6).map { number in
            pod("p\(number)", "10.42.0.\(8 + number)", ["app": .string(["a", "b"].randomElement(using: &chance)!)],
                namespace: number < 4 ? "default" : "other", port: [8080, 9090].randomElement(using: &chance)!)
        }
        let peers: [JSONValue] = [
            ["podSelector": ["matchLabels": ["app": "a"]]], ["podSelector": [:]], ["namespaceSelector": ["matchLabels": ["team": "b"]]],
            ["namespaceSelector": [:], "podSelector": ["matchLabels": ["app": "b"]]],
            ["ipBlock": ["cidr": "10.42.0.8/29", "except": ["10.42.0.9/32", "10.42.0.12/31"]]], ["ipBlock": ["cidr": "0.0.0.0/0"]],
        ]
        let ports: [JSONValue] = [["port": 8080], ["port": 8000, "endPort": 8080], ["port": 8079, "endPort": 9090], ["port": "main"], ["protocol": "UDP"], ["port": 53, "protocol": "UDP"]]
        func rules(_ side: String) -> JSONValue {
            .array((0..<Int.random(in: 0..<3, using: &chance)).map { _ in
                var rule: JSONValue = .object([:])
                if Int.random(in: 0..<4, using: &chance) > 0 { rule[side] = .array((0..<Int.random(in: 1..<3, using: &chance)).map { _ in peers.randomElement(using: &chance)! }) }
                if Bool.random(using: &chance) { rule["ports"] = .array((0..<Int.random(in: 1..<4, using: &chance)).map { _ in ports.randomElement(using: &chance)! }) }
                return rule
            })
        }
        let policies = (0..<Int.random(in: 0..<4, using: &chance)).map { number in
            let selector: JSONValue = Bool.random(using: &chance) ? [:] : ["matchLabels": ["app": "a"]]
            var spec: JSONValue = ["podSelector": selector, "ingress": rules("from")]
            // Without types: ingress always, egress where there are rules for it.
            if Bool.random(using: &chance) { spec["egress"] = rules("to") }
            return policy("n\(number)", spec)
        }
        var reader = self.reader(pods, policies)
        let addresses = pods.flatMap(\.addresses) + [IPAddress("10.42.0.15")!, IPAddress("192.0.2.1")!]
        for source in addresses {
            for target in addresses {
                for (transport, port) in [("tcp", 8080), ("tcp", 9090), ("tcp", 7999), ("udp", 53), ("udp", 8080)] as [(String, UInt16)] {
                    (reader.source, reader.target, reader.transport, reader.port) = (source, target, transport, port)
                    for direction in PolicyDescription.Direction.allCases {
                        let expected = allows(policies, pods, direction, source, target, transport, port)
                        #expect(reader.passes(direction) == expected, "seed \(seed): \(direction) \(source) to \(target) \(transport) \(port)")
                    }
                }
            }
        }
    }

    @Test func `policies add up`() {
        let pods = [pod("s", "10.42.0.8", ["app": "s"]), pod("a", "10.42.0.9", ["app": "a"]), pod("b", "10.42.0.10", ["app": "b"])]
        func from(_ app: String) -> JSONValue { ["podSelector": ["matchLabels": ["app": "s"]], "ingress": [["from": [["podSelector": ["matchLabels": ["app": .string(app)]]]]]]] }
        func passes(_ policies: [PolicyDescription], _ source: String) -> Bool {
            var reader = self.reader(pods, policies)
            (reader.source, reader.target) = (IPAddress(source)!, IPAddress("10.42.0.8")!)
            return reader.passes(.ingress)
        }
        #expect(passes([policy("a", from("a"))], "10.42.0.9") && !passes([policy("a", from("a"))], "10.42.0.10"))
        #expect(passes([policy("a", from("a")), policy("b", from("b"))], "10.42.0.10"))
    }

    @Test func `a pod without policies is open`() {
        let pods = [pod("s", "10.42.0.8", ["app": "s"])]
        #expect(reader(pods, [policy("other", ["podSelector": ["matchLabels": ["app": "x"]]])]).passes(.ingress))
        #expect(PolicyRules(pods: [:], namespaces: [:]).part(of: pods[0], []).isEmpty)
    }

    @Test(arguments: UInt64(1)...20) func `ranges hold what was put in and not what was taken out`(seed: UInt64) {
        var chance = SeededChance(seed: seed)
        func subnet() -> Subnet {
            Subnet(containing: IPAddress(bytes: [10, 0, 0, UInt8.random(in: 0...255, using: &chance)]), prefix: Int.random(in: 24...32, using: &chance))
        }
        var ranges = AddressRanges()
        var model: Set<UInt8> = []
        for _ in 0..<4 {
            let block = subnet()
            let holes = (0..<Int.random(in: 0..<3, using: &chance)).map { _ in subnet() }
            ranges.formUnion(AddressRanges(block, except: holes))
            for last in UInt8.min...UInt8.max {
                let address = IPAddress(bytes: [10, 0, 0, last])
                if block.contains(address), !holes.contains(where: { $0.contains(address) }) { model.insert(last) }
            }
        }
        #expect(Set((UInt8.min...UInt8.max).filter { ranges.contains(IPAddress(bytes: [10, 0, 0, $0])) }) == model, "seed \(seed)")
        for (a, b) in zip(ranges.ranges, ranges.ranges.dropFirst()) { #expect(a.last.advanced(by: 1)! < b.first) }
    }
}
