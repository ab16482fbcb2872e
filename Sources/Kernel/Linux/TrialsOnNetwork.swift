import CKernel

/// Trials of the machine's network and of the sockets of its daemons. No packet leaves the machine.
extension Trial {
    /// Making sockets for packets of any content, packet(7) and raw(7).
    package static func rawSockets() -> [String: Outcome] {
        [
            // ETH_P_ALL, in network byte order.
            "packet": attempt(Int(SYS_socket), Int(AF_PACKET), Int(SOCK_RAW.rawValue), Int(UInt16(3).bigEndian)),
            "raw": attempt(Int(SYS_socket), Int(AF_INET), Int(SOCK_RAW.rawValue), Int(IPPROTO_ICMP)),
        ]
    }

    /// Binding a TCP port of 127.0.0.1; 0 is any.
    package static func bindLoopback(port: UInt16) -> Outcome {
        withSocket(AF_INET, CInt(SOCK_STREAM.rawValue)) { fd in
            var at = endpoint([127, 0, 0, 1], AF_INET, port)
            return ck_bind_internet(fd, &at)
        }
    }

    /// Whether there is a way to a host outside: connecting a UDP socket sends nothing, udp(7). The addresses are of
    /// documentation, RFC 5737 and RFC 3849.
    package static func routesOutside() -> [String: Outcome] {
        let outside4: [UInt8] = [192, 0, 2, 1]
        let outside6: [UInt8] = [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1]
        var outcomes: [String: Outcome] = [:]
        for (name, family, address) in [("IPv4", AF_INET, outside4), ("IPv6", AF_INET6, outside6)] {
            outcomes[name] = withSocket(family, CInt(SOCK_DGRAM.rawValue)) { fd in
                var to = endpoint(address, family, 9)
                return ck_connect_internet(fd, &to)
            }
        }
        return outcomes
    }

    /// Connecting to a Unix socket: a path, or an abstract name, which begins with "@".
    package static func connectLocal(_ name: String) -> Outcome {
        withSocket(AF_UNIX, CInt(SOCK_STREAM.rawValue)) { connectOrListen($0, name, listens: false) }
    }

    private static func withSocket(_ family: CInt, _ type: CInt, _ body: (CInt) -> Int) -> Outcome {
        let socket = ck_socket(family, type | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
        guard socket >= 0 else { return .refused(Errno(CInt(-socket))) }
        defer { _ = ck_close(CInt(socket)) }
        return outcome(body(CInt(socket)), 0)
    }

    private static func endpoint(_ address: [UInt8], _ family: CInt, _ port: UInt16) -> ck_endpoint {
        var endpoint = ck_endpoint()
        withUnsafeMutableBytes(of: &endpoint.address) { $0.copyBytes(from: address) }
        endpoint.family = UInt16(family)
        endpoint.port = port
        return endpoint
    }

    fileprivate static func connectOrListen(_ fd: CInt, _ name: String, listens: Bool) -> Int {
        var bytes = Array(name.utf8)
        if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
        return bytes.withUnsafeBytes { raw in
            ck_local_socket(fd, raw.baseAddress?.assumingMemoryBound(to: CChar.self), raw.count, listens ? 1 : 0)
        }
    }
}

extension StreamSocket {
    /// Listens at an abstract name, which is gone with the descriptor: "@name" without its "@", unix(7).
    package static func listen(atAbstract name: String) throws(SystemError) -> OwnedFD {
        let fd = OwnedFD(
            adopting: CInt(
                try call("make a socket") {
                    ck_socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
                }))
        try call("listen at", "@" + name) { Trial.connectOrListen(fd.raw, "@" + name, listens: true) }
        return fd
    }
}
