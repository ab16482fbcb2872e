import JSON
import KubeObjects
import KubeStore
import KubeSchema
import Linux

/// A service's place: namespace and name.
struct ServiceName: Hashable, Comparable, Sendable, CustomStringConvertible {
    var namespace: String
    var name: String

    var description: String { "\(namespace)/\(name)" }

    static func < (a: ServiceName, b: ServiceName) -> Bool { (a.namespace, a.name) < (b.namespace, b.name) }

    /// Whether both parts may stand in rules and names: DNS labels, RFC 1123, as admission lets through.
    var isPlain: Bool { [namespace, name].allSatisfy(Self.isLabel) }

    static func isLabel(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count)
            && text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "-") }
    }
}

/// What clients speak to a service. The words are those of nft(8).
enum Transport: String, Hashable, Sendable, CaseIterable {
    case tcp
    case udp

    /// core/v1.Protocol; nil for SCTP, which has no way here.
    init?(kubernetes word: String?) {
        switch word ?? "TCP" {
        case "TCP": self = .tcp
        case "UDP": self = .udp
        default: return nil
        }
    }
}

/// What the way to a service and its names need of a core/v1.Service.
struct ServiceDescription: Hashable, Sendable {
    struct Port: Hashable, Sendable {
        /// Empty for the only port of a service.
        var name: String
        var transport: Transport
        var port: UInt16
        var nodePort: UInt16?
    }

    var name: ServiceName
    /// RFC 3339: who comes first gets what only one can have.
    var createdAt: String
    /// Empty for a service without an address of its own, be it headless or a name for something elsewhere.
    var clusterAddresses: [IPAddress] = []
    var isHeadless = false
    /// ExternalName.
    var externalName: String?
    var isLoadBalancer = false
    /// Whether somebody else provides its load balancer.
    var hasForeignBalancer = false
    var ports: [Port] = []
    var externalAddresses: [IPAddress] = []
    /// Who may use a load balancer's addresses; empty: everybody.
    var sourceRanges: [Subnet] = []
    /// How long a client keeps its endpoint, seconds; nil: for one connection.
    var affinitySeconds: Int64?
    var publishesNotReady = false
    /// `healthCheckNodePort`: where load balancers ask whether there are endpoints.
    var healthPort: UInt16?
    /// Labels of its pods.
    var selector: JSONValue?
    /// The function that answers requests of ingresses.
    var function: String?
    /// Ports with a protocol that has no way here.
    var unservedPorts: [String] = []

    init(name: ServiceName, createdAt: String = "") {
        self.name = name
        self.createdAt = createdAt
    }

    /// Our own class of load balancers; one without a class is ours, too.
    static let balancerClass = "forkless.dev/node"

    /// nil for an object that rules cannot be made for.
    init?(_ object: KubeObject) {
        self.init(
            name: ServiceName(namespace: object.namespace ?? "", name: object.name),
            createdAt: object.metadata.creationTimestamp ?? "")
        guard name.isPlain else { return nil }
        let spec = object.spec
        let type = spec["type"]?.string ?? "ClusterIP"
        for port in spec["ports"]?.array ?? [] { take(port, hasNodePort: type == "NodePort" || type == "LoadBalancer") }
        selector = spec["selector"]
        function = object.metadata.annotations[IngressPlan.functionAnnotation]
        publishesNotReady = spec["publishNotReadyAddresses"]?.bool ?? false
        if type == "ExternalName" {
            externalName = spec["externalName"]?.string
            return
        }
        let addresses = (spec["clusterIPs"]?.array ?? [spec["clusterIP"] ?? ""]).compactMap(\.string)
        isHeadless = addresses.first == "None"
        clusterAddresses = addresses.compactMap { IPAddress($0) }
        externalAddresses = (spec["externalIPs"]?.array ?? []).compactMap { $0.string.flatMap { IPAddress($0) } }
        if type == "LoadBalancer" {
            hasForeignBalancer = (spec["loadBalancerClass"]?.string ?? Self.balancerClass) != Self.balancerClass
            isLoadBalancer = !hasForeignBalancer
            if spec["externalTrafficPolicy"]?.string == "Local" {
                healthPort = spec["healthCheckNodePort"]?.integer.flatMap { UInt16(exactly: $0) }.flatMap { $0 > 0 ? $0 : nil }
            }
            sourceRanges = (spec["loadBalancerSourceRanges"]?.array ?? []).compactMap { text in
                text.string.flatMap(Subnet.init(loose:))
            }
        }
        if spec["sessionAffinity"]?.string == "ClientIP" {
            affinitySeconds = spec["sessionAffinityConfig", "clientIP", "timeoutSeconds"]?.integer ?? 10800
        }
    }

    private mutating func take(_ port: JSONValue, hasNodePort: Bool) {
        guard let number = port["port"]?.integer.flatMap({ UInt16(exactly: $0) }), number > 0 else { return }
        guard let transport = Transport(kubernetes: port["protocol"]?.string) else {
            return unservedPorts.append("\(number)/\(port["protocol"]?.string ?? "")")
        }
        let nodePort = port["nodePort"]?.integer.flatMap { UInt16(exactly: $0) } ?? 0
        ports.append(
            Port(
                name: port["name"]?.string ?? "", transport: transport, port: number,
                nodePort: hasNodePort && nodePort > 0 ? nodePort : nil))
    }
}

extension Subnet {
    /// Reads "10.1.2.3/16", in which Kubernetes lets bits after the prefix be set.
    init?(loose text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(parts[0]), let prefix = Int(parts[1]),
            (0...address.bytes.count * 8).contains(prefix)
        else { return nil }
        self.init(containing: address, prefix: prefix)
    }
}
