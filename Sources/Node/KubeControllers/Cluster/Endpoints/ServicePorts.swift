internal import JSON
internal import KubeObjects

/// The ports of a pod behind a service.
struct EndpointPort: Hashable {
    /// Empty for a service's only port.
    var name: String
    var transport: String
    var number: Int64
    var appProtocol: String?

    /// discovery/v1.EndpointPort.
    var json: JSONValue {
        var port: JSONValue = ["name": .string(name), "protocol": .string(transport), "port": .integer(number)]
        if let appProtocol { port["appProtocol"] = .string(appProtocol) }
        return port
    }

    /// What the service's ports are in this pod. A name that the pod does not know leaves that port out.
    static func ports(of service: KubeObject, in pod: KubeObject) -> [EndpointPort] {
        (service.spec["ports"]?.array ?? []).compactMap { port in
            let transport = port["protocol"]?.string ?? "TCP"
            guard let number = number(port, transport, pod) else { return nil }
            return EndpointPort(
                name: port["name"]?.string ?? "", transport: transport, number: number,
                appProtocol: port["appProtocol"]?.string)
        }
    }

    /// Whether the service's ports are the same in every pod: none is looked up by name.
    static func areFixed(_ service: KubeObject) -> Bool {
        (service.spec["ports"]?.array ?? []).allSatisfy { ($0["targetPort"]?.string ?? "").isEmpty }
    }

    private static func number(_ port: JSONValue, _ transport: String, _ pod: KubeObject) -> Int64? {
        switch port["targetPort"] {
        case .integer(let number) where number != 0: return number
        case .string(let name) where !name.isEmpty: return named(name, transport, pod)
        default: return port["port"]?.integer
        }
    }

    private static func named(_ name: String, _ transport: String, _ pod: KubeObject) -> Int64? {
        let sidecars = (pod.spec["initContainers"]?.array ?? []).filter { $0["restartPolicy"]?.string == "Always" }
        for container in (pod.spec["containers"]?.array ?? []) + sidecars {
            for port in container["ports"]?.array ?? []
            where port["name"]?.string == name && (port["protocol"]?.string ?? "TCP") == transport {
                return port["containerPort"]?.integer
            }
        }
        return nil
    }
}
