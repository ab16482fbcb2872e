import CKernel

/// A connection that the kernel tracks: conntrack, linux/netfilter/nfnetlink_conntrack.h.
package struct TrackedConnection: Hashable, Sendable {
    /// One direction of it.
    package struct Way: Hashable, Sendable {
        package var source: IPAddress
        package var target: IPAddress
        package var sourcePort: UInt16
        package var targetPort: UInt16
    }

    /// IPPROTO_TCP and the like.
    package var transport: UInt8
    /// As whoever began it sees it.
    package var original: Way
    /// As whoever answers does: from where it was led to.
    package var reply: Way
    /// Whether its target was changed.
    package var isRedirected: Bool
    /// The attribute that names it to the kernel.
    fileprivate var tuple: [UInt8]

    package static let tcp: UInt8 = 6
    package static let udp: UInt8 = 17
}

/// Looks at tracked connections and removes some, in the network namespace of the thread that opens it.
package struct ConnectionTracking: ~Copyable {
    private let socket: NetlinkSocket

    // linux/netfilter/nfnetlink.h and nfnetlink_conntrack.h
    private static let get: UInt16 = 1 << 8 | 1
    private static let delete: UInt16 = 1 << 8 | 2
    private static let original: UInt16 = 1
    private static let reply: UInt16 = 2
    private static let status: UInt16 = 3
    private static let addresses: UInt16 = 1
    private static let protocolPart: UInt16 = 2
    private static let number: UInt16 = 1
    private static let sourcePort: UInt16 = 2
    private static let targetPort: UInt16 = 3
    /// IPS_DST_NAT
    private static let redirected: UInt32 = 1 << 5
    /// struct nfgenmsg
    private static let headerBytes = 4

    package init() throws(SystemError) { socket = try NetlinkSocket(.netfilter) }

    /// All connections of a family.
    package borrowing func list(isIPv6: Bool) throws(SystemError) -> [TrackedConnection] {
        let request = NetlinkRequest(
            type: Self.get, payload: Self.header(isIPv6), operation: "list tracked connections", subject: "")
        return try socket.list(request).compactMap(Self.connection)
    }

    /// Forgets a connection: its next packet begins a new one. One that is gone is fine.
    package borrowing func remove(_ connection: TrackedConnection) throws(SystemError) {
        var writer = NetlinkWriter()
        writer.bytes = Self.header(connection.original.source.isIPv6)
        // The highest bit: made of attributes.
        writer.attribute(Self.original | 0x8000, connection.tuple)
        do throws(SystemError) {
            try socket.perform(
                NetlinkRequest(
                    type: Self.delete, payload: writer.bytes, operation: "forget a tracked connection",
                    subject: "\(connection.original.source)"))
        } catch { guard error.code == .noEntry else { throw error } }
    }

    private static func header(_ isIPv6: Bool) -> [UInt8] { [UInt8(isIPv6 ? AF_INET6 : AF_INET), 0, 0, 0] }

    private static func connection(_ payload: [UInt8]) -> TrackedConnection? {
        let attributes = NetlinkReader.attributes(payload, after: headerBytes)
        guard let tuple = attributes[original], let (transport, way) = way(tuple),
            let (_, back) = attributes[reply].flatMap(Self.way)
        else { return nil }
        let status = attributes[status].map { big($0, 4) } ?? 0
        return TrackedConnection(
            transport: transport, original: way, reply: back, isRedirected: status & redirected != 0,
            tuple: Array(tuple))
    }

    private static func way(_ bytes: ArraySlice<UInt8>) -> (UInt8, TrackedConnection.Way)? {
        let parts = NetlinkReader.attributes(Array(bytes), after: 0)
        guard let addressPart = parts[addresses], let portPart = parts[protocolPart] else { return nil }
        let places = NetlinkReader.attributes(Array(addressPart), after: 0)
        let ports = NetlinkReader.attributes(Array(portPart), after: 0)
        func address(_ four: UInt16, _ six: UInt16) -> IPAddress? {
            guard let found = places[four] ?? places[six], found.count == 4 || found.count == 16 else { return nil }
            return IPAddress(bytes: Array(found))
        }
        guard let source = address(1, 3), let target = address(2, 4), let transport = ports[number]?.first else {
            return nil
        }
        return (
            transport,
            TrackedConnection.Way(
                source: source, target: target,
                sourcePort: UInt16(truncatingIfNeeded: ports[sourcePort].map { big($0, 2) } ?? 0),
                targetPort: UInt16(truncatingIfNeeded: ports[targetPort].map { big($0, 2) } ?? 0))
        )
    }

    private static func big(_ bytes: ArraySlice<UInt8>, _ count: Int) -> UInt32 {
        bytes.prefix(count).reduce(0) { $0 << 8 | UInt32($1) }
    }
}
