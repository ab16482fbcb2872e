import JSON
import KubeObjects
import KubeSchema
import Linux

/// A networking.k8s.io/v1.NetworkPolicy.
struct PolicyDescription: Hashable, Sendable {
    enum Direction: String, Hashable, Sendable, CaseIterable {
        case ingress
        case egress

        /// In the names of chains: those of Kubernetes mean something else to nft(8).
        var word: String { self == .ingress ? "inward" : "outward" }
    }

    /// Who is let through.
    enum Peer: Hashable, Sendable {
        /// Pods of the policy's own namespace, or of the namespaces with such labels.
        case pods(namespaces: LabelSelector?, LabelSelector)
        case block(Subnet, except: [Subnet])
    }

    enum PortChoice: Hashable, Sendable {
        /// Every port of a protocol.
        case all
        case numbers(ClosedRange<UInt16>)
        /// Whatever number the pod that is reached has for it.
        case name(String)
    }

    struct Port: Hashable, Sendable {
        /// "tcp", "udp", "sctp"
        var transport: String
        var choice: PortChoice
    }

    struct Rule: Hashable, Sendable {
        /// nil: everybody.
        var peers: [Peer]?
        /// nil: all, and protocols without ports.
        var ports: [Port]?
    }

    var name: ServiceName
    var pods: LabelSelector
    /// Directions in which pods are isolated, and what is let through all the same.
    var rules: [Direction: [Rule]] = [:]

    /// nil for an object that rules cannot be made for. A selector that cannot be read selects nothing to let through, and
    /// everything to isolate.
    init?(_ object: KubeObject) {
        name = ServiceName(namespace: object.namespace ?? "", name: object.name)
        guard name.isPlainPolicy else { return nil }
        let spec = object.spec
        pods = (try? LabelSelector(object: spec["podSelector"] ?? .object([:]))) ?? .everything
        let ingress = spec["ingress"]?.array ?? []
        let egress = spec["egress"]?.array ?? []
        let types = (spec["policyTypes"]?.array ?? []).compactMap(\.string)
        if types.isEmpty || types.contains("Ingress") { rules[.ingress] = ingress.map { Self.rule($0, "from") } }
        if types.contains("Egress") || types.isEmpty && !egress.isEmpty { rules[.egress] = egress.map { Self.rule($0, "to") } }
    }

    private static func rule(_ json: JSONValue, _ side: String) -> Rule {
        let peers = json[side]?.array ?? []
        let ports = json["ports"]?.array ?? []
        return Rule(
            peers: peers.isEmpty ? nil : peers.compactMap(peer), ports: ports.isEmpty ? nil : ports.compactMap(port))
    }

    private static func peer(_ json: JSONValue) -> Peer? {
        if let block = json["ipBlock"], !block.isNull {
            guard let subnet = block["cidr"]?.string.flatMap(Subnet.init(loose:)) else { return nil }
            return .block(
                subnet, except: (block["except"]?.array ?? []).compactMap { $0.string.flatMap(Subnet.init(loose:)) })
        }
        let namespaces = json["namespaceSelector"].flatMap { $0.isNull ? nil : $0 }
        let pods = json["podSelector"].flatMap { $0.isNull ? nil : $0 }
        guard namespaces != nil || pods != nil, let podSelector = try? LabelSelector(object: pods ?? .object([:])) else {
            return nil
        }
        guard let namespaces else { return .pods(namespaces: nil, podSelector) }
        guard let selector = try? LabelSelector(object: namespaces) else { return nil }
        return .pods(namespaces: selector, podSelector)
    }

    private static func port(_ json: JSONValue) -> Port? {
        let transport = (json["protocol"]?.string ?? "TCP").lowercased()
        guard ["tcp", "udp", "sctp"].contains(transport) else { return nil }
        guard let port = json["port"], !port.isNull else { return Port(transport: transport, choice: .all) }
        if let name = port.string { return Port(transport: transport, choice: .name(name)) }
        guard let first = port.integer.flatMap({ UInt16(exactly: $0) }) else { return nil }
        let last = json["endPort"]?.integer.flatMap { UInt16(exactly: $0) } ?? first
        guard first <= last else { return nil }
        return Port(transport: transport, choice: .numbers(first...last))
    }

    /// Whether a policy is about a pod.
    func selects(_ pod: PodDescription) -> Bool { pod.name.namespace == name.namespace && pods.matches(pod.labels) }
}

extension ServiceName {
    /// As part of a chain's name, which has 255 bytes at most: the beginning and a hash (FNV-1a) of a long one.
    var word: String {
        let text = description
        guard text.utf8.count > 150 else { return text }
        return text.prefix(130) + "." + String(FNV1a(text).value, radix: 16)
    }

    /// Whether both parts may stand in rules: names of policies may have dots, RFC 1123.
    var isPlainPolicy: Bool {
        (1...253).contains(name.utf8.count) && namespace.utf8.count <= 63
            && (namespace + name).utf8.allSatisfy {
                (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
            }
    }
}
