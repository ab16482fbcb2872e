import CKernel

/// Requests about addresses and routes: rtnetlink(7), linux/if_addr.h, linux/rtnetlink.h.
extension NetlinkRequest {
    private static let newAddress: UInt16 = 20
    private static let newRoute: UInt16 = 24
    private static let getRoute: UInt16 = 26
    private static let deleteRoute: UInt16 = 25

    /// Gives a link an address, usable at once: nobody else can have it, so IPv6 does not look for a duplicate.
    package static func addAddress(_ address: IPAddress, prefix: Int, link: Int32) -> NetlinkRequest {
        var writer = NetlinkWriter()
        writer.append(UInt8(address.isIPv6 ? AF_INET6 : AF_INET))
        writer.append(UInt8(prefix))
        writer.append(UInt8(address.isIPv6 ? 2 : 0))  // IFA_F_NODAD
        writer.append(UInt8(0))
        writer.append(link)
        writer.attribute(1, address.bytes)
        writer.attribute(2, address.bytes)
        return NetlinkRequest(
            type: newAddress, flags: create, payload: writer.bytes, operation: "add address",
            subject: "\(address)/\(prefix)")
    }

    /// The route to everywhere else.
    package static func addDefaultRoute(by gateway: IPAddress, link: Int32) -> NetlinkRequest {
        defaultRoute(newRoute, gateway, link, flags: create, "add default route by")
    }

    package static func removeDefaultRoute(by gateway: IPAddress, link: Int32) -> NetlinkRequest {
        defaultRoute(deleteRoute, gateway, link, flags: 0, "remove default route by")
    }

    private static func defaultRoute(
        _ type: UInt16, _ gateway: IPAddress, _ link: Int32, flags: UInt16, _ operation: String
    ) -> NetlinkRequest {
        var writer = routeHeader(gateway.isIPv6)
        writer.attribute(5, gateway.bytes)
        writer.attribute(4, UInt32(bitPattern: link))
        return NetlinkRequest(
            type: type, flags: flags, payload: writer.bytes, operation: operation, subject: "\(gateway)")
    }

    /// A route to a subnet whose hosts a link leads to.
    package static func addRoute(to subnet: Subnet, link: Int32) -> NetlinkRequest {
        route(newRoute, subnet, link, flags: create, "add route to")
    }

    package static func removeRoute(to subnet: Subnet, link: Int32) -> NetlinkRequest {
        route(deleteRoute, subnet, link, flags: 0, "remove route to")
    }

    private static func route(
        _ type: UInt16, _ subnet: Subnet, _ link: Int32, flags: UInt16, _ operation: String
    ) -> NetlinkRequest {
        var writer = routeHeader(subnet.isIPv6)
        writer.bytes[1] = UInt8(subnet.prefix)
        // RT_SCOPE_LINK: there is no gateway on the way.
        writer.bytes[6] = 253
        writer.attribute(1, subnet.base.bytes)
        writer.attribute(4, UInt32(bitPattern: link))
        return NetlinkRequest(
            type: type, flags: flags, payload: writer.bytes, operation: operation, subject: "\(subnet)")
    }

    /// For `NetlinkSocket.routedSubnets`.
    static func allRoutes(isIPv6: Bool) -> NetlinkRequest {
        NetlinkRequest(type: getRoute, payload: routeHeader(isIPv6).bytes, operation: "list routes", subject: "")
    }

    /// struct rtmsg: the main table, set by an administrator, a route to one host or network.
    private static func routeHeader(_ isIPv6: Bool) -> NetlinkWriter {
        var writer = NetlinkWriter()
        writer.bytes = [UInt8(isIPv6 ? AF_INET6 : AF_INET), 0, 0, 0, 254, 4, 0, 1, 0, 0, 0, 0]
        return writer
    }
}

extension NetlinkSocket {
    /// The subnets that this namespace has routes to, the default route left out: what a new network must not hide.
    package borrowing func routedSubnets(isIPv6: Bool) throws(SystemError) -> [Subnet] {
        let size = isIPv6 ? 16 : 4
        return try list(.allRoutes(isIPv6: isIPv6)).compactMap { payload in
            guard payload.count >= 12, let base = NetlinkReader.attributes(payload, after: 12)[1], base.count == size,
                (1...size * 8).contains(Int(payload[1]))
            else { return nil }
            return Subnet(containing: IPAddress(bytes: Array(base)), prefix: Int(payload[1]))
        }
    }
}
