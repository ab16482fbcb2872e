import JSON
import KubeObjects
import Linux

/// What policies need of a pod.
struct PodDescription: Hashable, Sendable {
    /// A port that a container has a name for.
    struct NamedPort: Hashable, Sendable {
        var name: String
        var transport: String
        var number: UInt16
    }

    var name: ServiceName
    var labels: JSONValue
    var addresses: [IPAddress]
    var ports: Set<NamedPort>

    /// nil for a pod without addresses of its own: one that has ended, has not begun, or is on the machine's network.
    ///
    /// - Parameter admitted: the pod's addresses, where they are known before its status says them.
    init?(_ object: KubeObject, admitted: [IPAddress]? = nil) {
        guard object.spec["hostNetwork"]?.bool != true, !["Succeeded", "Failed"].contains(object.status["phase"]?.string)
        else { return nil }
        let texts =
            (object.status["podIPs"]?.array ?? []).compactMap { $0["ip"]?.string } + [object.status["podIP"]?.string].compactMap(\.self)
        addresses = Set(admitted ?? texts.compactMap { IPAddress($0) }).sorted()
        guard !addresses.isEmpty else { return nil }
        name = ServiceName(namespace: object.namespace ?? "", name: object.name)
        guard name.isPlainPolicy else { return nil }
        labels = object.json["metadata", "labels"] ?? .object([:])
        ports = []
        for container in (object.spec["containers"]?.array ?? []) + Self.sidecars(object) {
            for port in container["ports"]?.array ?? [] {
                guard let name = port["name"]?.string,
                    let number = port["containerPort"]?.integer.flatMap({ UInt16(exactly: $0) })
                else { continue }
                ports.insert(NamedPort(name: name, transport: (port["protocol"]?.string ?? "TCP").lowercased(), number: number))
            }
        }
    }

    private static func sidecars(_ object: KubeObject) -> [JSONValue] {
        (object.spec["initContainers"]?.array ?? []).filter { $0["restartPolicy"]?.string == "Always" }
    }
}
