import JSON
import Linux

/// Addresses and node ports that services have.
struct TakenPlaces: Hashable, Sendable {
    /// A port of one protocol.
    struct Port: Hashable, Sendable {
        var number: UInt16
        /// "TCP", "UDP", "SCTP".
        var transport: String
    }

    var addresses: Set<IPAddress> = []
    var ports: Set<Port> = []

    mutating func formUnion(_ other: TakenPlaces) {
        addresses.formUnion(other.addresses)
        ports.formUnion(other.ports)
    }

    mutating func subtract(_ other: TakenPlaces) {
        addresses.subtract(other.addresses)
        ports.subtract(other.ports)
    }

    init() {}

    /// What a service has.
    init(of service: JSONValue) {
        let spec = service["spec"]
        for address in spec?["clusterIPs"]?.array ?? [spec?["clusterIP"] ?? .null] {
            if let address = address.string.flatMap({ IPAddress($0) }) { addresses.insert(address) }
        }
        for port in spec?["ports"]?.array ?? [] {
            if let number = port["nodePort"]?.integer.flatMap({ UInt16(exactly: $0) }), number > 0 {
                ports.insert(Port(number: number, transport: port["protocol"]?.string ?? "TCP"))
            }
        }
        if let number = spec?["healthCheckNodePort"]?.integer.flatMap({ UInt16(exactly: $0) }), number > 0 {
            ports.insert(Port(number: number, transport: "TCP"))
        }
    }
}
