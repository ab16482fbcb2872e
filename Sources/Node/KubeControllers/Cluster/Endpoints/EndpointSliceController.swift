internal import JSON
package import KubeObjects
package import KubeStore
package import Linux

/// Writes which pods are behind each service (discovery/v1.EndpointSlice).
package struct EndpointSliceController: Controller {
    package let name = "endpointslice-controller"
    package let resources: [Resource] = [.services, .pods, .endpointSlices, .nodes]

    static let serviceName = "kubernetes.io/service-name"
    static let managedBy = "endpointslice.kubernetes.io/managed-by"
    static let manager = "endpointslice-controller.k8s.io"
    static let headless = "service.kubernetes.io/headless"

    package init() {}

    package func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
        ServicePods.concerned(by: change, writing: .endpointSlices, in: view)
    }

    package func decide(_ key: ObjectKey, in view: any ObjectView, now: Timestamp) -> Decision {
        guard let service = view.get(.services, namespace: key.namespace, key.name).map(KubeObject.init),
            !service.isBeingDeleted, ServicePods.selector(of: service) != nil, let namespace = key.namespace
        else { return Decision() }
        let slices = view.objects(.endpointSlices, namespace: namespace).map(KubeObject.init).filter {
            let labels = $0.metadata.labels
            return labels[Self.serviceName] == service.name && labels[Self.managedBy] == Self.manager
                && !$0.isBeingDeleted
        }
        // Those of a service of the same name before this one go at once, not when they are collected.
        let (own, foreign) = (
            slices.filter { $0.metadata.controller?.uid == service.uid },
            slices.filter { $0.metadata.controller?.uid != service.uid }
        )
        let families = Self.families(of: service)
        let writing = SliceWriting(
            service: service.name, namespace: namespace, owner: OwnerReference(controller: service, .services),
            labels: Self.labels(of: service), annotations: [:], now: now)
        let removals = foreign.map { slice in
            ObjectAction.delete(
                .endpointSlices, namespace: namespace, name: slice.name, DeletionOptions(uid: slice.uid))
        }
        let wanted = Self.endpoints(of: service, families, in: view)
        return Decision(writing.actions(own, wanted, families: families) + removals)
    }

    static func families(of service: KubeObject) -> [String] {
        let families = (service.spec["ipFamilies"]?.array ?? []).compactMap(\.string)
        return families.isEmpty ? ["IPv4"] : families
    }

    private static func labels(of service: KubeObject) -> [String: String] {
        var labels = service.metadata.labels
        labels[headless] = ServicePods.isHeadless(service) ? "" : nil
        labels[serviceName] = service.name
        labels[managedBy] = manager
        return labels
    }

    private static func endpoints(
        of service: KubeObject, _ families: [String], in view: any ObjectView
    ) -> [EndpointGroup: [JSONValue]] {
        var zones: [String: JSONValue] = [:]
        var groups: [EndpointGroup: [JSONValue]] = [:]
        for pod in ServicePods.pods(behind: service, in: view) {
            let ports = EndpointPort.ports(of: service, in: pod)
            let node = pod.spec["nodeName"]?.string ?? ""
            if zones[node] == nil, !node.isEmpty {
                let labels = view.get(.nodes, namespace: nil, node)?.value["metadata", "labels"]
                zones[node] = labels?["topology.kubernetes.io/zone"] ?? .null
            }
            for family in families {
                guard let address = ServicePods.address(pod, family) else { continue }
                var endpoint = endpoint(pod, address, of: service)
                if let zone = zones[node], !zone.isNull { endpoint["zone"] = zone }
                groups[EndpointGroup(addressType: family, ports: ports), default: []].append(endpoint)
            }
        }
        return groups
    }

    /// discovery/v1.Endpoint.
    private static func endpoint(_ pod: KubeObject, _ address: String, of service: KubeObject) -> JSONValue {
        let isServing = ServicePods.isReady(pod.json)
        let isTerminating = pod.isBeingDeleted
        let publishes = service.spec["publishNotReadyAddresses"]?.bool ?? false
        var endpoint: JSONValue = [
            "addresses": [.string(address)],
            "conditions": [
                "ready": .bool(publishes || isServing && !isTerminating), "serving": .bool(isServing),
                "terminating": .bool(isTerminating),
            ],
        ]
        if let hostname = ServicePods.hostname(pod, in: service) { endpoint["hostname"] = .string(hostname) }
        endpoint["targetRef"] = ServicePods.reference(pod)
        if let node = pod.spec["nodeName"] { endpoint["nodeName"] = node }
        return endpoint
    }
}

extension ServicePods {
    /// The pod's address of a family: "IPv4" or "IPv6".
    static func address(_ pod: KubeObject, _ family: String) -> String? {
        addresses(pod.json).first { $0.contains(":") == (family == "IPv6") }
    }

    /// The name that the pod has below the service's in DNS: pods of a stateful set.
    static func hostname(_ pod: KubeObject, in service: KubeObject) -> String? {
        guard let hostname = pod.spec["hostname"]?.string, !hostname.isEmpty,
            pod.spec["subdomain"]?.string == service.name
        else { return nil }
        return hostname
    }

    /// core/v1.ObjectReference.
    static func reference(_ pod: KubeObject) -> JSONValue {
        [
            "kind": "Pod", "namespace": .string(pod.namespace ?? ""), "name": .string(pod.name),
            "uid": .string(pod.uid),
        ]
    }
}
