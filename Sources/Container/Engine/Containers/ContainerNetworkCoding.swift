package import JSON
import Linux
package import Networking

/// {"kind":"none"}, {"kind":"host"}, {"kind":"container","container":...}, {"kind":"pod","pod":...},
/// {"kind":"joined","networks":[...]}
extension ContainerNetwork: NodeValue {
    private enum Kind: String, CaseIterable {
        case isolated = "none"
        case host, container, pod, joined
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        switch try reader.word("kind") as Kind {
        case .isolated: self = .isolated
        case .host: self = .host
        case .container: self = .container(try reader.required("container"))
        case .pod: self = .pod(try reader.required("pod"))
        case .joined:
            let networks: [NetworkAttachment.Joining] = try reader.nestedList("networks")
            guard !networks.isEmpty else { throw reader.error("networks", "expected one network or more, found none") }
            self = .joined(networks)
        }
    }

    package var json: JSONValue {
        switch self {
        case .isolated: ["kind": "none"]
        case .host: ["kind": "host"]
        case .container(let container): ["kind": "container", "container": container.json]
        case .pod(let pod): ["kind": "pod", "pod": pod.json]
        case .joined(let networks): .members(("kind", "joined"), ("networks", .array(networks.map(\.json))))
        }
    }
}

/// {"network":...,"aliases":[...],"ipv4":...,"ipv6":...}
extension NetworkAttachment.Joining: NodeValue {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            network: try reader.required("network"), aliases: try reader.list("aliases"),
            ipv4: try reader.parsed("ipv4", "an address") { IPAddress($0) },
            ipv6: try reader.parsed("ipv6", "an address") { IPAddress($0) })
    }

    package var json: JSONValue {
        .members(
            ("network", network.json), ("aliases", aliases.json), ("ipv4", ipv4?.description.json),
            ("ipv6", ipv6?.description.json))
    }
}

/// {"name":...,"address":...}; without an address it is the machine as the container sees it.
extension NetworkAttachment.ExtraHost: NodeValue {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            name: try reader.required("name"), address: try reader.parsed("address", "an address") { IPAddress($0) })
    }

    package var json: JSONValue { .members(("name", name.json), ("address", address?.description.json)) }
}

/// {"transport":"tcp","hostAddress":...,"hostPort":...,"containerPort":...}
extension PublishedPort: NodeValue {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        guard
            let transport = try reader.parsed("transport", "tcp or udp", { Transport(rawValue: $0) }),
            let address = try reader.parsed("hostAddress", "an address", { IPAddress($0) })
        else { throw reader.error("transport", "expected tcp or udp, and \"hostAddress\" beside it") }
        self.init(
            transport, hostAddress: address, hostPort: try Self.port("hostPort", &reader),
            containerPort: try Self.port("containerPort", &reader))
    }

    private static func port(_ key: String, _ reader: inout JSONObjectReader) throws(JSONShapeError) -> UInt16 {
        let number: Int = try reader.required(key)
        guard let port = UInt16(exactly: number) else { throw reader.error(key, "\(number) is no port") }
        return port
    }

    package var json: JSONValue {
        [
            "transport": transport.rawValue.json, "hostAddress": hostAddress.description.json,
            "hostPort": Int(hostPort).json, "containerPort": Int(containerPort).json,
        ]
    }
}
