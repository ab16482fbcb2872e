package import JSON
import Linux
import Networking

extension CreateNetwork {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        var wish = NetworkService.Wish(name: try reader.required("name"))
        wish.subnets = try reader.parsedList("subnets", "a subnet (10.9.0.0/16)") { Subnet($0) }
        wish.gateways = try reader.parsedList("gateways", "an address") { IPAddress($0) }
        wish.choices = try reader.parsedList("ranges", "a subnet (10.9.1.0/24)") { Subnet($0) }
        wish.wantsIPv6 = try reader.flag("ipv6")
        wish.isInternal = try reader.flag("internal")
        let mtu: Int? = try reader.optional("mtu")
        if let mtu {
            guard let value = UInt32(exactly: mtu) else { throw reader.error("mtu", "\(mtu) is no number of bytes") }
            wish.mtu = value
        }
        wish.labels = try reader.dictionary("labels")
        self.init(wish)
    }

    package var json: JSONValue {
        .members(
            ("name", wish.name.json), ("subnets", wish.subnets.map(\.description).json),
            ("gateways", wish.gateways.map(\.description).json), ("ranges", wish.choices.map(\.description).json),
            ("ipv6", wish.wantsIPv6.json), ("internal", wish.isInternal.json), ("mtu", wish.mtu.map { Int($0).json }),
            ("labels", wish.labels.json))
    }
}

extension NetworkCreated {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(id: try reader.required("id"), name: try reader.required("name"))
    }

    package var json: JSONValue { ["id": id.json, "name": name.json] }
}

extension ListNetworks {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(filters: try reader.list("filters"))
    }

    package var json: JSONValue { ["filters": filters.json] }
}

extension NetworkList {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(networks: try reader.nestedList("networks"))
    }

    package var json: JSONValue { ["networks": .array(networks.map(\.json))] }
}

extension InspectNetwork {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(network: try reader.required("network"))
    }

    package var json: JSONValue { ["network": network.json] }
}

extension NetworkDetails {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        guard let ipv4 = try reader.object("ipv4", Self.range) else {
            throw reader.error("ipv4", "expected an object, found nothing")
        }
        let mtu: Int? = try reader.optional("mtu")
        let driver: String = try reader.required("driver")
        guard driver == NetworkDefinition.driver else { throw reader.error("driver", "\"\(driver)\" is not known") }
        let definition = NetworkDefinition(
            id: try reader.required("id"), name: try reader.required("name"), ipv4: ipv4,
            ipv6: try reader.object("ipv6", Self.range), isInternal: try reader.flag("internal"),
            mtu: mtu.flatMap { UInt32(exactly: $0) }, labels: try reader.dictionary("labels"),
            createdAt: try reader.required("createdAt"))
        // Follows from the id, and is there for people.
        let _: String = try reader.required("bridge")
        self.init(definition: definition, members: try reader.nestedList("containers"))
    }

    package var json: JSONValue {
        .members(
            ("id", definition.id.json), ("name", definition.name.json), ("driver", NetworkDefinition.driver.json),
            ("createdAt", definition.createdAt.json), ("internal", definition.isInternal.json),
            ("ipv4", Self.json(definition.ipv4)), ("ipv6", definition.ipv6.map(Self.json)),
            ("mtu", definition.mtu.map { Int($0).json }), ("bridge", definition.bridge.json),
            ("labels", definition.labels.json), ("containers", .array(members.map(\.json))))
    }

    private static func range(
        _ reader: inout JSONObjectReader
    ) throws(JSONShapeError) -> NetworkDefinition.Range {
        guard let subnet = try reader.parsed("subnet", "a subnet", { Subnet($0) }),
            let gateway = try reader.parsed("gateway", "an address", { IPAddress($0) })
        else { throw reader.error("subnet", "expected a subnet, and \"gateway\" beside it") }
        return NetworkDefinition.Range(
            subnet: subnet, gateway: gateway, choice: try reader.parsed("range", "a subnet") { Subnet($0) })
    }

    private static func json(_ range: NetworkDefinition.Range) -> JSONValue {
        .members(
            ("subnet", range.subnet.description.json), ("gateway", range.gateway.description.json),
            ("range", range.choice?.description.json))
    }
}

extension NetworkDetails.Member {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        guard let ipv4 = try reader.parsed("ipv4", "an address", { IPAddress($0) }) else {
            throw reader.error("ipv4", "expected an address, found nothing")
        }
        self.init(
            id: try reader.required("id"), name: try reader.required("name"), ipv4: ipv4,
            ipv6: try reader.parsed("ipv6", "an address") { IPAddress($0) },
            hardwareAddress: try reader.required("hardwareAddress"), aliases: try reader.list("aliases"))
    }

    package var json: JSONValue {
        .members(
            ("id", id.json), ("name", name.json), ("ipv4", ipv4.description.json), ("ipv6", ipv6?.description.json),
            ("hardwareAddress", hardwareAddress.json), ("aliases", aliases.json))
    }
}

extension RemoveNetwork {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(network: try reader.required("network"))
    }

    package var json: JSONValue { ["network": network.json] }
}

extension PruneNetworks {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(filters: try reader.list("filters"))
    }

    package var json: JSONValue { ["filters": filters.json] }
}

extension NetworksPruned {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(networks: try reader.list("networks"))
    }

    package var json: JSONValue { ["networks": networks.json] }
}

extension ConnectNetwork {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(container: try reader.required("container"), joining: try reader.nested("network"))
    }

    package var json: JSONValue { ["container": container.json, "network": joining.json] }
}

extension DisconnectNetwork {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(network: try reader.required("network"), container: try reader.required("container"))
    }

    package var json: JSONValue { ["network": network.json, "container": container.json] }
}
