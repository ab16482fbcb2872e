internal import JSON
package import KubeObjects
package import KubeStore
package import Linux

/// Writes which pods are behind each service (discovery/v1.EndpointSlice).
package struct EndpointSliceController: Controller {
    package let name = "endpointslice-controller"
    package let resources: [Resource] = [.services, .pods, .endpointSlices, .nodes, .namespaces]

    static let serviceName = "kubernetes.io/service-name"
    static let managedBy = "endpointslice.kubernetes.io/managed-by"
    static let manager = "endpointslice-controller.k8s.io"
    static let headless = "service.kubernetes.io/headless"

    private let pods = EndpointPods()

    package init() {}

    package func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
        pods.forget(change)
        return ServicePods.concerned(by: change, writing: .endpointSlices, in: view)
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
        let wanted = endpoints(of: service, families, in: view)
        let actions = writing.actions(own, wanted, families: families) + removals
        return Decision(ActiveNamespaces.possible(actions, in: namespace, view))
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

    private func endpoints(
        of service: KubeObject, _ families: [String], in view: any ObjectView
    ) -> [EndpointGroup: [JSONValue]] {
        let publishes = service.spec["publishNotReadyAddresses"]?.bool ?? false
        let areFixed = EndpointPort.areFixed(service)
        var zones: [String: JSONValue] = [:]
        var groups: [EndpointGroup: [JSONValue]] = [:]
        for family in families {
            var group: EndpointGroup?
            var list: [JSONValue] = []
            for pod in pods.behind(service, in: view) {
                guard let place = pod.place(family) else { continue }
                if group == nil || !areFixed {
                    if let group { groups[group, default: []] += list }
                    list = []
                    group = EndpointGroup(
                        addressType: family, ports: EndpointPort.ports(of: service, in: pod.object))
                }
                var endpoint = place.endpoint
                if publishes { endpoint["conditions", "ready"] = true }
                if let hostname = pod.hostname(in: service) { endpoint["hostname"] = .string(hostname) }
                if let zone = zone(of: pod.node, &zones, view) { endpoint["zone"] = zone }
                list.append(endpoint)
            }
            if let group { groups[group, default: []] += list }
        }
        return groups
    }

    private func zone(of node: String, _ zones: inout [String: JSONValue], _ view: any ObjectView) -> JSONValue? {
        guard !node.isEmpty else { return nil }
        if zones[node] == nil {
            let labels = view.get(.nodes, namespace: nil, node)?.value["metadata", "labels"]
            zones[node] = labels?["topology.kubernetes.io/zone"] ?? .null
        }
        return zones[node].flatMap { $0.isNull ? Optional.none : $0 }
    }
}
