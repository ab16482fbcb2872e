internal import JSON
internal import KubeObjects
internal import KubeSchema
internal import KubeStore

/// How much of each resource of a quota a namespace uses (the evaluators of k8s.io/kubernetes/pkg/quota).
struct QuotaUsage {
    private let namespace: String
    private let view: any ObjectView
    private let kinds: KindIndex
    private let pods: [KubeObject]
    private let isScoped: Bool
    private let demand: (requests: [String: Quantity], limits: [String: Quantity])

    /// - Parameter kinds: those that can be counted.
    init(_ quota: KubeObject, kinds: KindIndex, in view: any ObjectView) {
        namespace = quota.namespace ?? ""
        self.view = view
        self.kinds = kinds
        let scope = QuotaScope(quota)
        isScoped = !scope.isEmpty
        pods = view.objects(.pods, namespace: namespace).map(KubeObject.init).filter {
            !SchedulingPod.isFinished($0.json) && scope.admits($0)
        }
        demand = Self.demand(of: pods)
    }

    /// - Parameter name: as in `spec.hard`.
    /// - Returns: nil for a kind whose objects are not all seen yet.
    func used(_ name: String) -> Quantity? {
        switch name {
        case "pods": return Quantity(Int64(pods.count))
        case "cpu", "memory", "ephemeral-storage": return demand.requests[name] ?? .zero
        case "services.nodeports": return count(.services) { Self.nodePorts($0) }
        case "services.loadbalancers": return count(.services) { $0["spec", "type"] == "LoadBalancer" ? 1 : 0 }
        case "requests.storage": return storage(class: nil)
        default: break
        }
        if name.hasPrefix("requests.") { return demand.requests[String(name.dropFirst(9))] ?? .zero }
        if name.hasPrefix("limits.") { return demand.limits[String(name.dropFirst(7))] ?? .zero }
        if name.hasPrefix("hugepages-") { return demand.requests[name] ?? .zero }
        if name.hasPrefix("count/") { return all(String(name.dropFirst(6))) }
        for (suffix, isCount) in [("/requests.storage", false), ("/persistentvolumeclaims", true)] {
            let marker = ".storageclass.storage.k8s.io" + suffix
            guard name.hasSuffix(marker) else { continue }
            let storageClass = String(name.dropLast(marker.count))
            return isCount ? claims(class: storageClass) : storage(class: storageClass)
        }
        return all(name)
    }

    /// All objects of a kind. Ended pods are counted among them.
    private func all(_ name: String) -> Quantity? {
        guard !isScoped, let kind = kinds.resource(named: name), kind.isNamespaced else { return .zero }
        return view.has(kind) ? count(kind) { _ in 1 } : nil
    }

    private func count(_ resource: Resource, _ part: (JSONValue) -> Int) -> Quantity {
        Quantity(Int64(view.objects(resource, namespace: namespace).reduce(0) { $0 + part($1.value) }))
    }

    private static func nodePorts(_ service: JSONValue) -> Int {
        let type = service["spec", "type"]?.string
        let ports = service["spec", "ports"]?.array ?? []
        if type == "NodePort" { return ports.count }
        guard type == "LoadBalancer" else { return 0 }
        return service["spec", "allocateLoadBalancerNodePorts"] == false
            ? ports.count { ($0["nodePort"]?.integer ?? 0) > 0 } : ports.count
    }

    private func claims(class name: String) -> Quantity {
        count(.persistentVolumeClaims) { VolumeChoice.className(KubeObject(json: $0)) == name ? 1 : 0 }
    }

    private func storage(class name: String?) -> Quantity {
        view.objects(.persistentVolumeClaims, namespace: namespace).map(KubeObject.init).filter {
            name == nil || VolumeChoice.className($0) == name
        }.reduce(.zero) { sum, claim in
            let text = claim.spec["resources"]?["requests"]?["storage"]?.string ?? "0"
            return sum + ((try? Quantity(text)) ?? .zero)
        }
    }

    private static func demand(
        of pods: [KubeObject]
    ) -> (requests: [String: Quantity], limits: [String: Quantity]) {
        var requests: [String: Quantity] = [:]
        var limits: [String: Quantity] = [:]
        for pod in pods {
            for (name, amount) in PodDemand.requests(of: pod).byName {
                requests[name] = (requests[name] ?? .zero) + quantity(name, amount)
            }
            for (name, amount) in PodDemand.limits(of: pod).byName {
                limits[name] = (limits[name] ?? .zero) + quantity(name, amount)
            }
        }
        return (requests, limits)
    }

    private static func quantity(_ name: String, _ amount: Int64) -> Quantity {
        if name == "cpu" { return Quantity(thousandths: amount) }
        let isBytes = name == "memory" || name == "ephemeral-storage" || name.hasPrefix("hugepages-")
        return Quantity(amount, format: isBytes ? .binarySI : .decimalSI)
    }
}
