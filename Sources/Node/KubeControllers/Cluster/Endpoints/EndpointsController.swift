internal import JSON
package import KubeObjects
package import KubeStore
package import Linux

/// Writes the older form of which pods are behind each service (core/v1.Endpoints): one object with all addresses, at most a
/// thousand, of the service's first address family, without pods that terminate.
package struct EndpointsController: Controller {
    package let name = "endpoint-controller"
    package let resources: [Resource] = [.services, .pods, .endpoints, .namespaces]

    static let managedBy = "endpoints.kubernetes.io/managed-by"
    static let overCapacity = "endpoints.kubernetes.io/over-capacity"
    static let capacity = 1000

    private let pods = EndpointPods()

    package init() {}

    package func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
        pods.forget(change)
        return ServicePods.concerned(by: change, writing: .endpoints, in: view)
    }

    package func decide(_ key: ObjectKey, in view: any ObjectView, now: Timestamp) -> Decision {
        let existing = view.get(.endpoints, namespace: key.namespace, key.name).map(KubeObject.init)
        guard let service = view.get(.services, namespace: key.namespace, key.name).map(KubeObject.init) else {
            guard let existing, existing.metadata.labels[Self.managedBy] == name, !existing.isBeingDeleted else {
                return Decision()
            }
            let options = DeletionOptions(uid: existing.uid)
            return Decision([.delete(.endpoints, namespace: key.namespace, name: key.name, options)])
        }
        guard !service.isBeingDeleted, ServicePods.selector(of: service) != nil else { return Decision() }
        let (subsets, isTruncated) = Self.subsets(addresses(of: service, in: view))
        var endpoints = existing ?? KubeObject(json: ["apiVersion": "v1", "kind": "Endpoints"])
        if existing == nil {
            endpoints.metadata.name = service.name
            endpoints.metadata.namespace = service.namespace
        }
        var labels = service.metadata.labels
        labels[EndpointSliceController.headless] = ServicePods.isHeadless(service) ? "" : nil
        labels[Self.managedBy] = name
        if endpoints.metadata.labels != labels { endpoints.metadata.labels = labels }
        var notes = endpoints.metadata.annotations
        notes[Self.overCapacity] = isTruncated ? "truncated" : nil
        if (endpoints.json["subsets"]?.array ?? []) != subsets {
            endpoints.json["subsets"] = subsets.isEmpty ? nil : .array(subsets)
            notes[SliceWriting.lastChange] = now.description
        }
        if endpoints.metadata.annotations != notes { endpoints.metadata.annotations = notes }
        guard let existing else {
            return Decision(ActiveNamespaces.possible([.create(.endpoints, endpoints)], in: key.namespace, view))
        }
        return Decision(existing == endpoints ? [] : [.update(.endpoints, endpoints)])
    }

    private struct Address {
        var ip: String
        var json: JSONValue
        var ports: [EndpointPort]
        var isReady: Bool
    }

    /// Addresses with the same ports are one subset.
    private static func subsets(_ addresses: [Address]) -> (subsets: [JSONValue], isTruncated: Bool) {
        var all = addresses
        let isTruncated = all.count > capacity
        if isTruncated { all = Array((all.filter(\.isReady) + all.filter { !$0.isReady }).prefix(capacity)) }
        var groups: [[EndpointPort]: [Address]] = [:]
        for address in all { groups[address.ports, default: []].append(address) }
        let sorted = groups.sorted { a, b in
            a.key.map { "\($0.name) \($0.number)" }.lexicographicallyPrecedes(b.key.map { "\($0.name) \($0.number)" })
        }
        let subsets = sorted.map { ports, addresses -> JSONValue in
            let sorted = addresses.sorted { $0.ip < $1.ip }
            let (ready, others) = (sorted.filter(\.isReady), sorted.filter { !$0.isReady })
            var subset: JSONValue = [:]
            if !ready.isEmpty { subset["addresses"] = .array(ready.map(\.json)) }
            if !others.isEmpty { subset["notReadyAddresses"] = .array(others.map(\.json)) }
            if !ports.isEmpty {
                subset["ports"] = .array(
                    ports.map { port in
                        var json = port.json
                        // The only port of a service has no name here, rather than an empty one.
                        if port.name.isEmpty { json["name"] = nil }
                        return json
                    })
            }
            return subset
        }
        return (subsets, isTruncated)
    }

    private func addresses(of service: KubeObject, in view: any ObjectView) -> [Address] {
        let publishes = service.spec["publishNotReadyAddresses"]?.bool ?? false
        let family = EndpointSliceController.families(of: service)[0]
        let wantsPorts = !(service.spec["ports"]?.array ?? []).isEmpty
        let areFixed = EndpointPort.areFixed(service)
        var fixed: [EndpointPort]?
        return pods.behind(service, in: view).compactMap { pod in
            guard publishes || !pod.isTerminating, let place = pod.place(family) else { return nil }
            let ports = fixed ?? EndpointPort.ports(of: service, in: pod.object)
            if areFixed { fixed = ports }
            if wantsPorts, ports.isEmpty { return nil }
            var json: JSONValue = ["ip": .string(place.address)]
            if let hostname = pod.hostname(in: service) { json["hostname"] = .string(hostname) }
            if !pod.node.isEmpty { json["nodeName"] = .string(pod.node) }
            json["targetRef"] = pod.reference
            return Address(ip: place.address, json: json, ports: ports, isReady: publishes || pod.isReady)
        }
    }
}
