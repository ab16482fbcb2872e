import JSON
import Linux

/// Networks and attachments as JSON, for the files of `NetworkDirectory`.
extension NetworkDefinition {
    static let version = 1

    var json: JSONValue {
        var object: JSONObject = [
            "version": .integer(Int64(Self.version)), "id": .string(id), "name": .string(name),
            "ipv4": ipv4.json, "internal": .bool(isInternal), "labels": labels.json,
            "createdAt": .integer(Int64(createdAt.nanoseconds)),
        ]
        if let ipv6 { object["ipv6"] = ipv6.json }
        if let mtu { object["mtu"] = .integer(Int64(mtu)) }
        return .object(object)
    }

    init(json: JSONValue) throws(JSONShapeError) {
        var reader = try JSONObjectReader(json)
        let version: Int = try reader.required("version")
        guard version == Self.version else {
            throw reader.error("version", "is \(version); this node reads \(Self.version)")
        }
        let ipv4 = try reader.object("ipv4", Range.init(reading:))
        guard let ipv4 else { throw reader.error("ipv4", "expected an object, found nothing") }
        self.init(
            id: try reader.required("id"), name: try reader.required("name"), ipv4: ipv4,
            ipv6: try reader.object("ipv6", Range.init(reading:)), isInternal: try reader.required("internal"),
            mtu: try reader.optional("mtu"), labels: try reader.dictionary("labels"),
            createdAt: Timestamp(nanoseconds: try reader.required("createdAt")))
    }
}

extension NetworkDefinition.Range {
    var json: JSONValue {
        var object: JSONObject = ["subnet": .string("\(subnet)"), "gateway": .string("\(gateway)")]
        if let choice { object["choice"] = .string("\(choice)") }
        return .object(object)
    }

    init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        let text: String = try reader.required("subnet")
        guard let subnet = Subnet(text) else { throw reader.error("subnet", "\"\(text)\" is no subnet") }
        var choice: Subnet?
        if let text: String = try reader.optional("choice") {
            choice = Subnet(text)
            guard choice != nil else { throw reader.error("choice", "\"\(text)\" is no subnet") }
        }
        self.init(subnet: subnet, gateway: try reader.address("gateway"), choice: choice)
    }
}

extension JSONObjectReader {
    mutating func address(_ key: String) throws(JSONShapeError) -> IPAddress {
        guard let address = try optionalAddress(key) else { throw error(key, "expected an address, found nothing") }
        return address
    }

    mutating func optionalAddress(_ key: String) throws(JSONShapeError) -> IPAddress? {
        guard let text: String = try optional(key) else { return nil }
        guard let address = IPAddress(text) else { throw error(key, "\"\(text)\" is no address") }
        return address
    }
}

/// What is kept of a container's networks while it runs.
struct AttachmentRecord: Hashable, Sendable {
    var containerID: String
    var containerName: String
    var endpoints: [NetworkEndpoint]
    var ports: [PublishedPort]
    var nameServers: [IPAddress]
    /// The namespace's inode: no two have one at the same time.
    var namespace: UInt64

    var json: JSONValue {
        [
            "version": 1, "namespace": .string(String(namespace)), "containerID": .string(containerID), "containerName": .string(containerName),
            "endpoints": .array(endpoints.map(\.json)), "ports": .array(ports.map(\.json)),
            "nameServers": .array(nameServers.map { .string("\($0)") }),
        ]
    }

    init(
        containerID: String, containerName: String, endpoints: [NetworkEndpoint], ports: [PublishedPort],
        nameServers: [IPAddress], namespace: UInt64
    ) {
        self.containerID = containerID
        self.containerName = containerName
        self.endpoints = endpoints
        self.ports = ports
        self.nameServers = nameServers
        self.namespace = namespace
    }

    init(json: JSONValue) throws(JSONShapeError) {
        var reader = try JSONObjectReader(json)
        let version: Int = try reader.required("version")
        guard version == 1 else { throw reader.error("version", "is \(version); this node reads 1") }
        let text: String = try reader.required("namespace")
        guard let namespace = UInt64(text) else { throw reader.error("namespace", "\"\(text)\" is no number") }
        let servers: [String] = try reader.list("nameServers")
        self.init(
            containerID: try reader.required("containerID"), containerName: try reader.required("containerName"),
            endpoints: try reader.array("endpoints", NetworkEndpoint.init(reading:)),
            ports: try reader.array("ports", PublishedPort.init(reading:)),
            nameServers: servers.compactMap { IPAddress($0) }, namespace: namespace)
    }
}

extension NetworkEndpoint {
    var json: JSONValue {
        var object: JSONObject = [
            "network": .string(network), "networkID": .string(networkID), "interface": .string(interface),
            "hostLink": .string(hostLink), "ipv4": .string("\(ipv4)"), "aliases": .array(aliases.map { .string($0) }),
        ]
        if let ipv6 { object["ipv6"] = .string("\(ipv6)") }
        return .object(object)
    }

    init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            network: try reader.required("network"), networkID: try reader.required("networkID"),
            interface: try reader.required("interface"), hostLink: try reader.required("hostLink"),
            ipv4: try reader.address("ipv4"), ipv6: try reader.optionalAddress("ipv6"),
            aliases: try reader.list("aliases"))
    }
}

extension PublishedPort {
    var json: JSONValue {
        [
            "transport": .string(transport.rawValue), "hostAddress": .string("\(hostAddress)"),
            "hostPort": .integer(Int64(hostPort)), "containerPort": .integer(Int64(containerPort)),
        ]
    }

    init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        let word: String = try reader.required("transport")
        guard let transport = Transport(rawValue: word) else { throw reader.error("transport", "\"\(word)\" is not tcp or udp") }
        self.init(
            transport, hostAddress: try reader.address("hostAddress"), hostPort: try reader.required("hostPort"),
            containerPort: try reader.required("containerPort"))
    }
}
