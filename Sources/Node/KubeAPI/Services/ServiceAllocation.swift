import JSON
import KubeObjects
import KubeSchema
import Linux

/// Gives a service its addresses and ports (pkg/registry/core/service/storage/alloc.go). Pure but for chance.
///
/// Invariants
/// 1. No address and no port is given that another service has.
///    (test: `no two services get the same address or port`)
/// 2. What a client asks for it gets or is told why not. (test: `what is asked for is given or refused`)
struct ServiceAllocation {
    let ranges: [Subnet]
    let nodePorts: ClosedRange<UInt16>
    let taken: TakenPlaces
    let chance: Chance

    private static let addressless = "None"

    /// - Parameter old: the service before; nil for a new one.
    /// - Returns: what is wrong; then nothing was changed that counts.
    func fill(_ service: inout JSONValue, over old: JSONValue?) -> [Cause] {
        var causes: [Cause] = []
        if let old { keep(&service, old) }
        let type = service["spec", "type"]?.string ?? "ClusterIP"
        if type == "ExternalName" {
            for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] { service["spec", field] = nil }
        } else {
            causes += families(&service)
            if causes.isEmpty { causes += address(&service, old) }
        }
        let needsPorts =
            type == "NodePort"
            || type == "LoadBalancer" && service["spec", "allocateLoadBalancerNodePorts"]?.bool != false
        if causes.isEmpty { causes += ports(&service, old, needsPorts: needsPorts) }
        if causes.isEmpty { causes += healthPort(&service, old) }
        return causes
    }

    /// What an update leaves out stays (`patchAllocatedValues`).
    private func keep(_ service: inout JSONValue, _ old: JSONValue) {
        let (type, before) = (service["spec", "type"]?.string ?? "", old["spec", "type"]?.string ?? "")
        guard type != "ExternalName", before != "ExternalName" else { return }
        for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
            let isMissing = service["spec", field].map { $0 == "" || $0 == [] } ?? true
            if isMissing { service["spec", field] = old["spec", field] }
        }
        guard ["NodePort", "LoadBalancer"].contains(type), var ports = service["spec", "ports"]?.array else { return }
        let known = old["spec", "ports"]?.array ?? []
        for index in ports.indices where (ports[index]["nodePort"]?.integer ?? 0) == 0 {
            let same = known.first { $0["port"] == ports[index]["port"] && $0["protocol"] == ports[index]["protocol"] }
            if let number = same?["nodePort"] { ports[index]["nodePort"] = number }
        }
        service["spec", "ports"] = .array(ports)
    }

    private func cause(_ path: [String], _ value: JSONValue?, _ detail: String) -> Cause {
        Cause(
            reason: .invalid, path: path.reduce(FieldPath.root) { $0.child($1) }, value: value ?? .null, detail: detail)
    }

    private func family(_ range: Subnet) -> String { range.isIPv6 ? "IPv6" : "IPv4" }

    /// One family, the node's first, or the one that is asked for.
    private func families(_ service: inout JSONValue) -> [Cause] {
        let policy = service["spec", "ipFamilyPolicy"]?.string
        let asked = (service["spec", "ipFamilies"]?.array ?? []).compactMap(\.string)
        let served = ranges.map(family)
        if policy == "RequireDualStack", ranges.count < 2 {
            return [
                cause(
                    ["spec", "ipFamilyPolicy"], service["spec", "ipFamilyPolicy"],
                    "this cluster is not configured for dual-stack services")
            ]
        }
        for (index, wanted) in asked.enumerated() where !served.contains(wanted) {
            return [
                Cause(
                    reason: .invalid, path: FieldPath.root.child("spec").child("ipFamilies").index(index),
                    value: .string(wanted), detail: "not configured on this cluster")
            ]
        }
        service["spec", "ipFamilyPolicy"] = .string(policy ?? "SingleStack")
        var families = asked.isEmpty ? Array(served.prefix(1)) : asked
        // An address that is asked for says the family.
        if asked.isEmpty, let text = service["spec", "clusterIP"]?.string, let address = IPAddress(text) {
            families = [address.isIPv6 ? "IPv6" : "IPv4"]
        }
        if let policy, policy != "SingleStack" {
            for one in served where !families.contains(one) { families.append(one) }
        }
        service["spec", "ipFamilies"] = .array(families.map { .string($0) })
        return []
    }

    private func address(_ service: inout JSONValue, _ old: JSONValue?) -> [Cause] {
        let spec = service["spec"] ?? [:]
        var asked = (spec["clusterIPs"]?.array ?? []).compactMap(\.string)
        if let first = spec["clusterIP"]?.string, !first.isEmpty {
            if asked.isEmpty { asked = [first] }
            guard asked[0] == first else {
                return [cause(["spec", "clusterIPs"], spec["clusterIPs"], "first value must match `clusterIP`")]
            }
        }
        if asked.first == Self.addressless {
            service["spec", "clusterIP"] = .string(Self.addressless)
            service["spec", "clusterIPs"] = [.string(Self.addressless)]
            return []
        }
        let own = old.map { TakenPlaces(of: $0).addresses } ?? []
        var given: [IPAddress] = []
        for (index, family) in (spec["ipFamilies"]?.array ?? []).compactMap(\.string).enumerated() {
            guard let range = ranges.first(where: { self.family($0) == family }) else { continue }
            let text = index < asked.count ? asked[index] : nil
            switch address(text, in: range, own: own) {
            case .success(let address): given.append(address)
            case .failure(let refusal):
                return [
                    cause(
                        ["spec", "clusterIPs"], .array((text.map { [$0] } ?? asked).map { .string($0) }), refusal.why)
                ]
            }
        }
        service["spec", "clusterIP"] = given.first.map { .string("\($0)") }
        service["spec", "clusterIPs"] = .array(given.map { .string("\($0)") })
        return []
    }

    private struct Refusal: Error { var why: String }

    private func address(_ text: String?, in range: Subnet, own: Set<IPAddress>) -> Result<IPAddress, Refusal> {
        guard let text, !text.isEmpty else { return free(in: range) }
        guard let address = IPAddress(text) else {
            return .failure(Refusal(why: "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"))
        }
        guard range.contains(address), address != range.base else {
            return .failure(
                Refusal(
                    why:
                        "failed to allocate IP \(text): the provided IP (\(text)) is not in the valid range. The range of "
                        + "valid IPs is \(range)"))
        }
        guard own.contains(address) || !taken.addresses.contains(address) else {
            return .failure(Refusal(why: "failed to allocate IP \(text): provided IP is already allocated"))
        }
        return .success(address)
    }

    /// A free address, from a place that chance names: the lowest 16 or more are left for those who ask for one (KEP-3070).
    private func free(in range: Subnet) -> Result<IPAddress, Refusal> {
        let hosts: UInt64 = range.hostBits >= 24 ? 1 << 24 : 1 << UInt64(range.hostBits)
        guard hosts > 3 else { return .failure(Refusal(why: "failed to allocate a serviceIP: range is full")) }
        let last = hosts - 2
        let reserved = min(max(16, hosts / 16), 256)
        let lower: UInt64 = last > reserved ? reserved + 1 : 1
        for (first, count) in [(lower, last - lower + 1), (1, lower - 1)] where count > 0 {
            let start = chance.below(count)
            for step in 0..<count {
                guard let address = range.base.advanced(by: first + (start + step) % count) else { continue }
                if !taken.addresses.contains(address) { return .success(address) }
            }
        }
        return .failure(Refusal(why: "failed to allocate a serviceIP: range is full"))
    }

    // MARK: Ports

    private func ports(_ service: inout JSONValue, _ old: JSONValue?, needsPorts: Bool) -> [Cause] {
        guard var ports = service["spec", "ports"]?.array else { return [] }
        let own = old.map { TakenPlaces(of: $0).ports } ?? []
        var given: Set<TakenPlaces.Port> = []
        for index in ports.indices {
            let transport = ports[index]["protocol"]?.string ?? "TCP"
            let asked = ports[index]["nodePort"]?.integer ?? 0
            guard needsPorts || asked != 0 && service["spec", "type"]?.string == "LoadBalancer" else {
                // Of a type that has none, what was given before goes.
                ports[index]["nodePort"] = nil
                continue
            }
            let place = FieldPath.root.child("spec").child("ports").index(index).child("nodePort")
            func refused(_ why: String) -> [Cause] {
                [Cause(reason: .invalid, path: place, value: .integer(asked), detail: why)]
            }
            if asked != 0 {
                guard let number = UInt16(exactly: asked), nodePorts.contains(number) else {
                    return refused(
                        "provided port is not in the valid range. The range of valid ports is "
                            + "\(nodePorts.lowerBound)-\(nodePorts.upperBound)")
                }
                let port = TakenPlaces.Port(number: number, transport: transport)
                guard own.contains(port) || !taken.ports.contains(port) else {
                    return refused("provided port is already allocated")
                }
                given.insert(port)
            } else {
                guard let port = freePort(transport, given) else {
                    return refused("failed to allocate a nodePort: range is full")
                }
                given.insert(port)
                ports[index]["nodePort"] = .integer(Int64(port.number))
            }
        }
        service["spec", "ports"] = .array(ports)
        return []
    }

    /// Where load balancers ask whether there are endpoints on a node, of services whose traffic stays there.
    private func healthPort(_ service: inout JSONValue, _ old: JSONValue?) -> [Cause] {
        let spec = service["spec"] ?? [:]
        let before = old?["spec", "healthCheckNodePort"]?.integer ?? 0
        let asked = spec["healthCheckNodePort"]?.integer ?? 0
        guard spec["type"]?.string == "LoadBalancer", spec["externalTrafficPolicy"]?.string == "Local" else {
            if asked == before { service["spec", "healthCheckNodePort"] = nil }
            guard asked != 0, asked != before else { return [] }
            return [
                cause(
                    ["spec", "healthCheckNodePort"], .integer(asked),
                    "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'")
            ]
        }
        let given = TakenPlaces(of: ["spec": ["ports": spec["ports"] ?? []]]).ports
        func refused(_ why: String) -> [Cause] { [cause(["spec", "healthCheckNodePort"], .integer(asked), why)] }
        if before != 0, asked == 0 || asked == before {
            service["spec", "healthCheckNodePort"] = .integer(before)
            return []
        }
        guard before == 0 else { return refused("field is immutable") }
        guard asked != 0 else {
            guard let port = freePort("TCP", given) else { return refused("failed to allocate a nodePort: range is full") }
            service["spec", "healthCheckNodePort"] = .integer(Int64(port.number))
            return []
        }
        guard let number = UInt16(exactly: asked), nodePorts.contains(number) else {
            return refused(
                "failed to allocate requested HealthCheck NodePort \(asked): provided port is not in the valid range. The range of "
                    + "valid ports is \(nodePorts.lowerBound)-\(nodePorts.upperBound)")
        }
        let port = TakenPlaces.Port(number: number, transport: "TCP")
        guard !taken.ports.contains(port), !given.contains(port) else {
            return refused("failed to allocate requested HealthCheck NodePort \(asked): provided port is already allocated")
        }
        return []
    }

    private func freePort(_ transport: String, _ given: Set<TakenPlaces.Port>) -> TakenPlaces.Port? {
        let count = UInt64(nodePorts.count)
        let start = chance.below(count)
        for step in 0..<count {
            let number = nodePorts.lowerBound + UInt16((start + step) % count)
            let port = TakenPlaces.Port(number: number, transport: transport)
            if !taken.ports.contains(port), !given.contains(port) { return port }
        }
        return nil
    }
}
