import JSON
import KubeObjects
import KubeStore
import Linux

/// Some endpoints of a service, discovery.k8s.io/v1.EndpointSlice.
struct SliceDescription: Hashable, Sendable {
    struct Port: Hashable, Sendable {
        var name: String
        var transport: Transport
        var number: UInt16
    }

    struct Endpoint: Hashable, Sendable {
        var address: IPAddress
        var isReady = true
        /// Whether it answers, also while it ends.
        var isServing = true
        var isTerminating = false
        /// The pod behind it.
        var podUID: String?
        var podName: String?
        var hostname: String?
    }

    var service: ServiceName
    var ports: [Port]
    var endpoints: [Endpoint]

    static let serviceLabel = "kubernetes.io/service-name"

    /// nil for one that belongs to no service, or whose addresses are names.
    init?(_ object: KubeObject) {
        guard let name = object.metadata.labels[Self.serviceLabel], object.json["addressType"]?.string != "FQDN" else {
            return nil
        }
        service = ServiceName(namespace: object.namespace ?? "", name: name)
        ports = (object.json["ports"]?.array ?? []).compactMap { port in
            guard let number = port["port"]?.integer.flatMap({ UInt16(exactly: $0) }), number > 0,
                let transport = Transport(kubernetes: port["protocol"]?.string)
            else { return nil }
            return Port(name: port["name"]?.string ?? "", transport: transport, number: number)
        }
        endpoints = (object.json["endpoints"]?.array ?? []).compactMap(Self.endpoint)
    }

    init(service: ServiceName, ports: [Port], endpoints: [Endpoint]) {
        self.service = service
        self.ports = ports
        self.endpoints = endpoints
    }

    /// The addresses of an endpoint stand for the same, and clients use the first.
    private static func endpoint(_ json: JSONValue) -> Endpoint? {
        guard let address = json["addresses"]?[0]?.string.flatMap({ IPAddress($0) }) else { return nil }
        var endpoint = Endpoint(address: address)
        let conditions = json["conditions"]
        // What is not said is true, but for the end.
        endpoint.isReady = conditions?["ready"]?.bool ?? true
        endpoint.isServing = conditions?["serving"]?.bool ?? endpoint.isReady
        endpoint.isTerminating = conditions?["terminating"]?.bool ?? false
        endpoint.hostname = json["hostname"]?.string
        if let target = json["targetRef"], target["kind"]?.string == "Pod" {
            endpoint.podUID = target["uid"]?.string
            endpoint.podName = target["name"]?.string
        }
        return endpoint
    }
}
