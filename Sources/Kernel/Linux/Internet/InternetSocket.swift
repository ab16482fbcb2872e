import CKernel

/// An address and a port.
package struct InternetEndpoint: Hashable, Sendable, CustomStringConvertible {
    package var address: IPAddress
    package var port: UInt16

    package init(_ address: IPAddress, _ port: UInt16) {
        self.address = address
        self.port = port
    }

    package var description: String { address.isIPv6 ? "[\(address)]:\(port)" : "\(address):\(port)" }
}

/// UDP and TCP sockets, ip(7): non-blocking and close-on-exec, in the network namespace of the thread that makes them.
package enum InternetSocket {
    package enum Kind: Hashable, Sendable {
        case datagram
        case stream
    }

    /// A socket bound to an endpoint; a stream listens unless told not to. Port 0 is a free port: see `local`.
    ///
    /// - Parameter aheadOfAddress: also when the machine does not have the address yet (IP_FREEBIND): it is reached
    ///   there once it has.
    /// - Throws: `SystemError`; EADDRINUSE when somebody else has it, EADDRNOTAVAIL when the address is not ours.
    package static func bind(
        _ kind: Kind, to endpoint: InternetEndpoint, listens: Bool = true, backlog: CInt = 128,
        aheadOfAddress: Bool = false
    ) throws(SystemError) -> OwnedFD {
        let fd = try make(kind, isIPv6: endpoint.address.isIPv6)
        let raw = fd.raw
        if aheadOfAddress { try set(raw, CInt(IPPROTO_IP), IP_FREEBIND) }
        if endpoint.address.isIPv6 { try set(raw, CInt(IPPROTO_IPV6), IPV6_V6ONLY) }
        if kind == .stream { try set(raw, SOL_SOCKET, SO_REUSEADDR) }
        var native = endpoint.native
        try call("bind a socket to", "\(endpoint)") { ck_bind_internet(raw, &native) }
        if kind == .stream, listens { try call("listen at", "\(endpoint)") { ck_listen(raw, backlog) } }
        return fd
    }

    /// A socket that talks to one peer. A stream may still be connecting: writable means that it is over.
    package static func connect(_ kind: Kind, to endpoint: InternetEndpoint) throws(SystemError) -> OwnedFD {
        let fd = try make(kind, isIPv6: endpoint.address.isIPv6)
        let raw = fd.raw
        var native = endpoint.native
        do throws(SystemError) {
            try call("connect to", "\(endpoint)") { ck_connect_internet(raw, &native) }
        } catch { guard error.code == Errno(EINPROGRESS) else { throw error } }
        return fd
    }

    /// Sends one datagram.
    package static func send(_ bytes: [UInt8], to endpoint: InternetEndpoint, from fd: CInt) throws(SystemError) {
        var native = endpoint.native
        try call("send to", "\(endpoint)") { bytes.withUnsafeBytes { ck_send_to(fd, $0.baseAddress, $0.count, &native) } }
    }

    /// Takes one datagram into `room`: its length and sender, or nil when none is there.
    package static func receive(
        _ fd: CInt, into room: inout [UInt8]
    ) throws(SystemError) -> (count: Int, sender: InternetEndpoint)? {
        var native = ck_endpoint()
        do throws(SystemError) {
            let count = try call("receive a datagram") {
                room.withUnsafeMutableBytes { ck_receive_from(fd, $0.baseAddress, $0.count, &native) }
            }
            return InternetEndpoint(native).map { (count, $0) }
        } catch {
            guard error.code == .again else { throw error }
            return nil
        }
    }

    /// What a socket is bound to.
    package static func local(_ fd: CInt) throws(SystemError) -> InternetEndpoint? {
        var native = ck_endpoint()
        try call("ask for the address of a socket") { ck_local_endpoint(fd, &native) }
        return InternetEndpoint(native)
    }

    /// Who is at the other end of a connected socket.
    package static func peer(_ fd: CInt) throws(SystemError) -> InternetEndpoint? {
        var native = ck_endpoint()
        try call("ask for the peer of a socket") { ck_peer_endpoint(fd, &native) }
        return InternetEndpoint(native)
    }

    private static func make(_ kind: Kind, isIPv6: Bool) throws(SystemError) -> OwnedFD {
        let type = kind == .stream ? SOCK_STREAM : SOCK_DGRAM
        let flags = CInt(type.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        return OwnedFD(adopting: CInt(try call("make a socket") { ck_socket(isIPv6 ? AF_INET6 : AF_INET, flags, 0) }))
    }

    private static func set(_ fd: CInt, _ level: CInt, _ option: CInt) throws(SystemError) {
        try call("set an option of a socket") { ck_set_option(fd, level, option, 1) }
    }
}

extension InternetEndpoint {
    var native: ck_endpoint {
        var native = ck_endpoint()
        native.family = UInt16(address.isIPv6 ? AF_INET6 : AF_INET)
        native.port = port
        withUnsafeMutableBytes(of: &native.address) { $0.copyBytes(from: address.bytes) }
        return native
    }

    init?(_ native: ck_endpoint) {
        let count = CInt(native.family) == AF_INET ? 4 : CInt(native.family) == AF_INET6 ? 16 : 0
        guard count > 0 else { return nil }
        let bytes = withUnsafeBytes(of: native.address) { Array($0.prefix(count)) }
        self.init(IPAddress(bytes: bytes), native.port)
    }
}
