internal import JSON
package import KubeObjects
package import KubeStore
package import Linux

/// Copies Endpoints that a user writes, for a service without a selector, into slices: everybody else reads slices only
/// (endpointslicemirroring-controller).
package struct EndpointSliceMirroring: Controller {
    package let name = "endpointslicemirroring-controller"
    package let resources: [Resource] = [.endpoints, .services, .endpointSlices, .namespaces]

    static let manager = "endpointslicemirroring-controller.k8s.io"
    static let skip = "endpointslice.kubernetes.io/skip-mirror"
    /// Addresses of a subset that are mirrored, at most (--mirroring-max-endpoints-per-subset).
    static let limit = 1000

    package init() {}

    package func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
        switch change.resource {
        case .endpoints, .services: return [Resource.endpoints.key(namespace: change.key.namespace, change.key.name)]
        default:
            let labels = (change.new ?? change.old)?.value["metadata", "labels"]
            guard labels?[EndpointSliceController.managedBy]?.string == Self.manager,
                let name = labels?[EndpointSliceController.serviceName]?.string, !name.isEmpty
            else { return [] }
            return [Resource.endpoints.key(namespace: change.key.namespace, name)]
        }
    }

    package func decide(_ key: ObjectKey, in view: any ObjectView, now: Timestamp) -> Decision {
        guard let namespace = key.namespace else { return Decision() }
        let slices = view.objects(.endpointSlices, namespace: namespace).map(KubeObject.init).filter {
            let labels = $0.metadata.labels
            return labels[EndpointSliceController.serviceName] == key.name
                && labels[EndpointSliceController.managedBy] == Self.manager && !$0.isBeingDeleted
        }
        guard let endpoints = view.get(.endpoints, namespace: namespace, key.name).map(KubeObject.init),
            isMirrored(endpoints, in: view)
        else {
            return Decision(
                slices.map { slice in
                    let options = DeletionOptions(uid: slice.uid)
                    return .delete(.endpointSlices, namespace: namespace, name: slice.name, options)
                })
        }
        var labels = endpoints.metadata.labels
        labels[EndpointSliceController.serviceName] = key.name
        labels[EndpointSliceController.managedBy] = Self.manager
        var notes = endpoints.metadata.annotations
        notes[SliceWriting.lastChange] = nil
        notes["kubectl.kubernetes.io/last-applied-configuration"] = nil
        let writing = SliceWriting(
            service: key.name, namespace: namespace, owner: OwnerReference(controller: endpoints, .endpoints),
            labels: labels, annotations: notes, now: now)
        let actions = writing.actions(slices, Self.groups(endpoints), families: [])
        return Decision(ActiveNamespaces.possible(actions, in: namespace, view))
    }

    private func isMirrored(_ endpoints: KubeObject, in view: any ObjectView) -> Bool {
        let labels = endpoints.metadata.labels
        guard !endpoints.isBeingDeleted, labels[Self.skip] != "true",
            labels[EndpointsController.managedBy] != EndpointsController().name,
            endpoints.metadata.annotations["control-plane.alpha.kubernetes.io/leader"] == nil,
            let service = view.get(.services, namespace: endpoints.namespace, endpoints.name).map(KubeObject.init)
        else { return false }
        return ServicePods.selector(of: service) == nil && !service.isBeingDeleted
    }

    private static func groups(_ endpoints: KubeObject) -> [EndpointGroup: [JSONValue]] {
        var groups: [EndpointGroup: [JSONValue]] = [:]
        for subset in endpoints.json["subsets"]?.array ?? [] {
            let ports = EndpointGroup(KubeObject(json: subset)).ports
            let ready = (subset["addresses"]?.array ?? []).map { ($0, true) }
            let others = (subset["notReadyAddresses"]?.array ?? []).map { ($0, false) }
            for (address, isReady) in (ready + others).prefix(limit) {
                guard let ip = address["ip"]?.string else { continue }
                var endpoint: JSONValue = [
                    "addresses": [.string(ip)], "conditions": ["ready": .bool(isReady)],
                ]
                for field in ["hostname", "targetRef", "nodeName"] {
                    if let value = address[field] { endpoint[field] = value }
                }
                let family = ip.contains(":") ? "IPv6" : "IPv4"
                groups[EndpointGroup(addressType: family, ports: ports), default: []].append(endpoint)
            }
        }
        return groups
    }
}
