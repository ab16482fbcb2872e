internal import JSON
internal import KubeObjects
internal import KubeSchema
internal import KubeStore
internal import Synchronization

/// A pod as endpoints see it.
struct EndpointPod {
    /// An address with the discovery/v1.Endpoint that a service has for it, unless it asks for something special.
    struct Place {
        let address: String
        let isIPv6: Bool
        let endpoint: JSONValue
    }

    let object: KubeObject
    let labels: JSONValue?
    let places: [Place]
    let isReady: Bool
    let isTerminating: Bool
    let isFinished: Bool
    let node: String
    /// core/v1.ObjectReference.
    let reference: JSONValue

    init(_ stored: StoredObject) {
        object = KubeObject(stored)
        labels = object.json["metadata"]?["labels"]
        let ready = ServicePods.isReady(object.json)
        let isTerminating = object.isBeingDeleted
        isReady = ready
        self.isTerminating = isTerminating
        isFinished = SchedulingPod.isFinished(object.json)
        node = object.spec["nodeName"]?.string ?? ""
        let reference: JSONValue = [
            "kind": "Pod", "namespace": .string(object.namespace ?? ""), "name": .string(object.name),
            "uid": .string(object.uid),
        ]
        self.reference = reference
        let node = node
        places = ServicePods.addresses(object.json).map { address in
            var endpoint: JSONValue = [
                "addresses": [.string(address)],
                "conditions": [
                    "ready": .bool(ready && !isTerminating), "serving": .bool(ready),
                    "terminating": .bool(isTerminating),
                ],
            ]
            endpoint["targetRef"] = reference
            if !node.isEmpty { endpoint["nodeName"] = .string(node) }
            return Place(address: address, isIPv6: address.contains(":"), endpoint: endpoint)
        }
    }

    /// - Parameter family: "IPv4" or "IPv6".
    func place(_ family: String) -> Place? { places.first { $0.isIPv6 == (family == "IPv6") } }

    /// The name that the pod has below the service's in DNS: pods of a stateful set.
    func hostname(in service: KubeObject) -> String? {
        guard let hostname = object.spec["hostname"]?.string, !hostname.isEmpty,
            object.spec["subdomain"]?.string == service.name
        else { return nil }
        return hostname
    }
}

/// Pods as endpoints see them, each read once for each of its versions: a pod that becomes ready is told while hundreds beside
/// it are as they were.
final class EndpointPods: Sendable {
    private let known = Mutex<[ObjectKey: (stored: StoredObject, pod: EndpointPod)]>([:])

    /// Pods with an address that have not ended and that the service selects, in no order. Terminating ones are among them.
    func behind(_ service: KubeObject, in view: any ObjectView) -> [EndpointPod] {
        guard let selector = ServicePods.selector(of: service) else { return [] }
        let stored = view.objects(.pods, namespace: service.namespace)
        return known.withLock { known in
            stored.compactMap { stored in
                let pod: EndpointPod
                if let found = known[stored.key], found.stored === stored {
                    pod = found.pod
                } else {
                    pod = EndpointPod(stored)
                    known[stored.key] = (stored, pod)
                }
                return !pod.isFinished && !pod.places.isEmpty && selector.matches(pod.labels) ? pod : nil
            }
        }
    }

    func forget(_ change: ObjectCache.Change) {
        guard change.new == nil, change.resource == .pods else { return }
        known.withLock { $0[change.key] = nil }
    }
}
