import JSON
import KubeSchema
import Linux

/// Policies as rules. Pure.
///
/// A pod that a policy selects has a chain for the direction, which asks each of its policies and drops what none lets
/// through; a policy's chain accepts. Both directions are base chains of their own, so that what one accepts the other
/// still sees. What belongs to a connection that was let through passes, and so does what the machine itself sends: that
/// never comes by the forward hook.
///
/// Invariants
/// 1. Policies add up: a pod is reached by whoever any of its policies lets through. (test: `policies add up`)
/// 2. A pod that no policy selects is not isolated. (test: `a pod without policies is open`)
/// 3. What rules hold and what Kubernetes says agree in any world.
///    (test: `rules let through what the model of policies lets through`)
struct PolicyRules {
    let pods: [ServiceName: PodDescription]
    let namespaces: [String: JSONValue]

    /// Where isolated pods' chains are found, by direction and family.
    static func isolated(_ direction: PolicyDescription.Direction, isIPv6: Bool) -> String {
        "isolated_\(direction.word)\(isIPv6 ? 6 : 4)"
    }

    /// The fixed part of our table that policies need.
    static let base: String = {
        var text = ""
        for direction in PolicyDescription.Direction.allCases {
            text += """
                  map \(isolated(direction, isIPv6: false)) { type ipv4_addr : verdict; }
                  map \(isolated(direction, isIPv6: true)) { type ipv6_addr : verdict; }

                """
        }
        for (direction, priority, side) in [(PolicyDescription.Direction.egress, -6, "saddr"), (.ingress, -5, "daddr")] {
            text += """
                  chain \(direction.word) {
                    type filter hook forward priority \(priority); policy accept;
                    ct state established,related accept
                    ip \(side) vmap @\(isolated(direction, isIPv6: false))
                    ip6 \(side) vmap @\(isolated(direction, isIPv6: true))
                  }

                """
        }
        return text
    }()

    private static func chain(_ policy: ServiceName, _ direction: PolicyDescription.Direction) -> String {
        "\(direction.word)/\(policy.word)"
    }

    /// The chain of a pod that some policies select.
    func part(of pod: PodDescription, _ policies: [PolicyDescription]) -> RulePart {
        var part = RulePart()
        for direction in PolicyDescription.Direction.allCases {
            let isolating = policies.filter { $0.rules[direction] != nil }.map(\.name).sorted()
            guard !isolating.isEmpty else { continue }
            let chain = "pod/\(direction.word)/\(pod.name.word)"
            let peer = direction == .ingress ? "saddr" : "daddr"
            // A pod always reaches itself, also by way of a service.
            var rules = pod.addresses.map { "\($0.isIPv6 ? "ip6" : "ip") \(peer) \($0) accept" }
            rules += isolating.map { "jump \(Self.chain($0, direction))" }
            part.chains[chain] = rules + ["drop"]
            for address in pod.addresses {
                part.add("\(address) : goto \(chain)", to: Self.isolated(direction, isIPv6: address.isIPv6))
            }
        }
        return part
    }

    /// The chains of a policy, with the sets of whom it lets through.
    func part(of policy: PolicyDescription) -> RulePart {
        var part = RulePart()
        for (direction, rules) in policy.rules {
            let chain = Self.chain(policy.name, direction)
            part.chains[chain] = []
            for (index, rule) in rules.enumerated() {
                let names = SetNames(prefix: "\(chain)/\(index)")
                part.chains[chain]! += self.rules(rule, direction, policy, names, &part)
            }
        }
        return part
    }

    private struct SetNames {
        var prefix: String
        func pods(_ isIPv6: Bool) -> String { "\(prefix)/pods\(isIPv6 ? 6 : 4)" }
        func blocks(_ isIPv6: Bool) -> String { "\(prefix)/blocks\(isIPv6 ? 6 : 4)" }
        func ports(_ isIPv6: Bool) -> String { "\(prefix)/ports\(isIPv6 ? 6 : 4)" }
    }

    private func rules(
        _ rule: PolicyDescription.Rule, _ direction: PolicyDescription.Direction, _ policy: PolicyDescription,
        _ names: SetNames, _ part: inout RulePart
    ) -> [String] {
        let numbers = Self.numbered(rule.ports)
        let named = rule.ports?.filter { if case .name = $0.choice { true } else { false } } ?? []
        guard let peers = rule.peers else {
            let targets = direction == .ingress ? pods.values.filter(policy.selects) : Array(pods.values)
            return numbers.map { $0 + " accept" } + self.named(named, targets, "", names, &part)
        }
        var rules: [String] = []
        let members = pods.values.filter { pod in peers.contains { isPeer(pod, $0, policy) } }
        let side = direction == .ingress ? "saddr" : "daddr"
        for isIPv6 in [false, true] {
            let family = isIPv6 ? "ip6" : "ip"
            let type = isIPv6 ? "ipv6_addr" : "ipv4_addr"
            let addresses = Set(members.flatMap(\.addresses).filter { $0.isIPv6 == isIPv6 }.map { "\($0)" })
            // There also when it is empty: then it is filled without a new rule when the first pod comes.
            var conditions: [String] = []
            if peers.contains(where: { if case .pods = $0 { true } else { false } }) {
                part.sets[names.pods(isIPv6)] = "type \(type);"
                part.elements[names.pods(isIPv6)] = addresses
                conditions.append("\(family) \(side) @\(names.pods(isIPv6))")
            }
            let blocks = Self.blocks(peers, isIPv6)
            if !blocks.isEmpty {
                part.sets[names.blocks(isIPv6)] = "type \(type); flags interval;"
                part.elements[names.blocks(isIPv6)] = blocks.elements
                conditions.append("\(family) \(side) @\(names.blocks(isIPv6))")
            }
            for condition in conditions { rules += numbers.map { "\(condition) \($0) accept" } }
            guard !named.isEmpty else { continue }
            if direction == .ingress {
                let targets = pods.values.filter(policy.selects)
                for condition in conditions { rules += self.named(named, targets, condition + " ", names, &part, isIPv6) }
            } else {
                let reached = pods.values.filter { pod in
                    peers.contains { isPeer(pod, $0, policy) } || pod.addresses.contains { blocks.contains($0) }
                }
                rules += self.named(named, reached, "", names, &part, isIPv6)
            }
        }
        return rules
    }

    /// Ports by name: each pod that is reached has its own number.
    private func named(
        _ ports: [PolicyDescription.Port], _ targets: [PodDescription], _ condition: String, _ names: SetNames,
        _ part: inout RulePart, _ only: Bool? = nil
    ) -> [String] {
        if ports.isEmpty { return [] }
        return [false, true].filter { only == nil || $0 == only }.map { isIPv6 in
            let name = names.ports(isIPv6)
            part.sets[name] = "type \(isIPv6 ? "ipv6_addr" : "ipv4_addr") . inet_proto . inet_service;"
            part.elements[name] = []
            for port in ports {
                guard case .name(let wanted) = port.choice else { continue }
                for target in targets {
                    for found in target.ports where found.name == wanted && found.transport == port.transport {
                        for address in target.addresses where address.isIPv6 == isIPv6 {
                            part.add("\(address) . \(found.transport) . \(found.number)", to: name)
                        }
                    }
                }
            }
            return "\(condition)\(isIPv6 ? "ip6" : "ip") daddr . meta l4proto . th dport @\(name) accept"
        }
    }

    func isPeer(_ pod: PodDescription, _ peer: PolicyDescription.Peer, _ policy: PolicyDescription) -> Bool {
        guard case .pods(let namespaceSelector, let selector) = peer else { return false }
        guard selector.matches(pod.labels) else { return false }
        guard let namespaceSelector else { return pod.name.namespace == policy.name.namespace }
        guard let labels = namespaces[pod.name.namespace] else { return false }
        return namespaceSelector.matches(labels)
    }

    private static func blocks(_ peers: [PolicyDescription.Peer], _ isIPv6: Bool) -> AddressRanges {
        var ranges = AddressRanges()
        for case .block(let subnet, let except) in peers where subnet.isIPv6 == isIPv6 {
            ranges.formUnion(AddressRanges(subnet, except: except))
        }
        return ranges
    }

    /// Conditions on ports by number: one for each protocol; without ports one that always holds.
    private static func numbered(_ ports: [PolicyDescription.Port]?) -> [String] {
        guard let ports else { return [""] }
        var conditions: [String] = []
        for transport in ["tcp", "udp", "sctp"] {
            let own = ports.filter { $0.transport == transport }
            if own.contains(where: { $0.choice == .all }) {
                conditions.append("meta l4proto \(transport)")
                continue
            }
            var ranges: [ClosedRange<Int>] = []
            for port in own {
                guard case .numbers(let range) = port.choice else { continue }
                ranges.append(Int(range.lowerBound)...Int(range.upperBound))
            }
            ranges = merged(ranges)
            guard !ranges.isEmpty else { continue }
            let list = ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            conditions.append("\(transport) dport { \(list.joined(separator: ", ")) }")
        }
        return conditions
    }

    private static func merged(_ ranges: [ClosedRange<Int>]) -> [ClosedRange<Int>] {
        var result: [ClosedRange<Int>] = []
        for range in ranges.sorted(by: { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }) {
            if let last = result.last, range.lowerBound <= last.upperBound + 1 {
                result[result.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                result.append(range)
            }
        }
        return result
    }
}
