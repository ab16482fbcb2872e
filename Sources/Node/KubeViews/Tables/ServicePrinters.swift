import JSON

/// Services, the addresses behind them, and what leads to them.
enum ServicePrinters {
    static let all: [String: Printer] = [
        "Service": service, "Endpoints": endpoints, "EndpointSlice.discovery.k8s.io": slice,
        "Ingress.networking.k8s.io": ingress, "IngressClass.networking.k8s.io": ingressClass,
        "NetworkPolicy.networking.k8s.io": policy,
    ]

    private static let service = Printer(
        ["type", "clusterIPs", "externalIPs", "externalName", "ports", "selector"].map { "spec." + $0 }
            + ["status.loadBalancer"]
    ) { subject in
        let spec = subject.spec
        let ports = spec.list("ports").map { port in
            let node = port["nodePort"]?.integer ?? 0
            return "\(port["port"]?.integer ?? 0)\(node > 0 ? ":\(node)" : "")/\(port.text("protocol"))"
        }
        return [
            subject.name, .string(spec.text("type")),
            .string(spec.list("clusterIPs").first?.string ?? TableSubject.none), .string(externalAddress(subject)),
            .string(ports.isEmpty ? TableSubject.none : ports.joined(separator: ",")), subject.age,
            .string((spec["selector"] ?? .null).labelText),
        ]
    }

    private static func externalAddress(_ subject: TableSubject) -> String {
        let external = subject.spec.list("externalIPs").compactMap(\.string)
        switch subject.spec.text("type") {
        case "ClusterIP", "NodePort": return external.isEmpty ? TableSubject.none : external.joined(separator: ",")
        case "LoadBalancer":
            let all = loadBalancer(subject) + external
            return all.isEmpty ? "<pending>" : all.joined(separator: ",")
        case "ExternalName": return subject.spec.text("externalName")
        default: return TableSubject.unknown
        }
    }

    private static func loadBalancer(_ subject: TableSubject) -> [String] {
        let places = (subject.status["loadBalancer"] ?? .null).list("ingress").map { place in
            place.text("ip", or: place.text("hostname"))
        }
        return Set(places.filter { !$0.isEmpty }).sorted()
    }

    // MARK: Endpoints

    private static let endpoints = Printer(["subsets.addresses.ip", "subsets.ports.port"]) { subject in
        [subject.name, .string(addresses(subject.json.list("subsets"))), subject.age]
    }

    private static func addresses(_ subsets: [JSONValue]) -> String {
        guard !subsets.isEmpty else { return TableSubject.none }
        var all = ShortList()
        for subset in subsets {
            let ports = subset.list("ports").map { ":\($0["port"]?.integer ?? 0)" }
            for port in ports.isEmpty ? [""] : ports {
                for address in subset.list("addresses") {
                    let ip = address.text("ip")
                    all.add(!port.isEmpty && ip.utf8.contains(UInt8(ascii: ":")) ? "[\(ip)]\(port)" : ip + port)
                }
            }
        }
        return all.text
    }

    private static let slice = Printer(["addressType", "ports", "endpoints.addresses"]) { subject in
        var (ports, addresses) = (ShortList(), ShortList())
        for port in subject.json.list("ports") {
            ports.add(port["port"]?.integer.map { "\($0)" } ?? port["name"]?.string ?? "*")
        }
        for endpoint in subject.json.list("endpoints") {
            for address in endpoint.list("addresses") { addresses.add(address.string ?? "") }
        }
        return [
            subject.name, .string(subject.json.text("addressType")), .string(ports.textOrUnset),
            .string(addresses.textOrUnset), subject.age,
        ]
    }

    // MARK: Ingresses and policies

    private static let ingress = Printer(
        ["spec.ingressClassName", "spec.rules.host", "spec.tls", "status.loadBalancer"]
    ) { subject in
        let spec = subject.spec
        return [
            subject.name, .string(spec["ingressClassName"]?.string ?? TableSubject.none),
            .string(hosts(spec.list("rules"))), .string(loadBalancer(subject).joined(separator: ",")),
            .string(spec.list("tls").isEmpty ? "80" : "80, 443"), subject.age,
        ]
    }

    private static func hosts(_ rules: [JSONValue]) -> String {
        var (hosts, hasMore) = ([String](), false)
        for rule in rules {
            if hosts.count == ShortList.limit { hasMore = true }
            let host = rule.text("host")
            if !hasMore, !host.isEmpty { hosts.append(host) }
        }
        if hosts.isEmpty { return "*" }
        return hosts.joined(separator: ",") + (hasMore ? " + \(rules.count - ShortList.limit) more..." : "")
    }

    private static let ingressClass = Printer(["spec"]) { subject in
        var parameters = TableSubject.none
        if let reference = subject.spec["parameters"] {
            let group = reference["apiGroup"]?.string.map { "." + $0 } ?? ""
            parameters = "\(reference.text("kind"))\(group)/\(reference.text("name"))"
        }
        return [subject.name, .string(subject.spec.text("controller")), .string(parameters), subject.age]
    }

    private static let policy = Printer(["spec.podSelector"]) { subject in
        [subject.name, .string((subject.spec["podSelector"] ?? .object([:])).selectorText), subject.age]
    }
}

/// The first three of many, and how many come after them.
struct ShortList {
    static let limit = 3
    private var shown: [String] = []
    private var count = 0

    mutating func add(_ text: String) {
        if shown.count < Self.limit { shown.append(text) }
        count += 1
    }

    var text: String {
        shown.joined(separator: ",") + (count > Self.limit ? " + \(count - Self.limit) more..." : "")
    }

    var textOrUnset: String { text.isEmpty ? TableSubject.unset : text }
}
