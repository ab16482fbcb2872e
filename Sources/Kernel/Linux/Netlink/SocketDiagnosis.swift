import CKernel

/// A TCP socket as the kernel tells of it: sock_diag(7), linux/inet_diag.h, linux/tcp.h.
package struct SocketState: Hashable, Sendable {
    /// Its state in the protocol, net/tcp_states.h.
    package enum Phase: UInt8, Sendable {
        case established = 1
        case synSent = 2
        case synReceived = 3
        case finWait1 = 4
        case finWait2 = 5
        case timeWait = 6
        case closed = 7
        case closeWait = 8
        case lastAck = 9
        case listening = 10
        case closing = 11
    }

    package var phase: Phase
    package var localPort: UInt16
    package var peer: InternetEndpoint
    /// Tells it from every other socket of the machine, now and later.
    package var cookie: UInt64
    /// Bytes that the program has not read; of a listener, connections that it has not accepted.
    package var unread: UInt32
    /// Bytes that the peer has not acknowledged.
    package var unsent: UInt32
    /// How long ago data went each way, milliseconds; nil where the kernel did not say it.
    package var sinceSent: UInt32?
    package var sinceReceived: UInt32?
    package var bytesReceived: UInt64 = 0
    package var bytesAcknowledged: UInt64 = 0

    package init(
        phase: Phase, localPort: UInt16, peer: InternetEndpoint, cookie: UInt64, unread: UInt32 = 0, unsent: UInt32 = 0,
        sinceSent: UInt32? = nil, sinceReceived: UInt32? = nil
    ) {
        self.phase = phase
        self.localPort = localPort
        self.peer = peer
        self.cookie = cookie
        self.unread = unread
        self.unsent = unsent
        self.sinceSent = sinceSent
        self.sinceReceived = sinceReceived
    }
}

package enum SocketDiagnosis {
    private static let byFamily: UInt16 = 20
    private static let tcp: UInt8 = 6
    private static let information: UInt16 = 2
    /// struct inet_diag_msg
    private static let messageBytes = 72
    /// struct inet_diag_req_v2 without its beginning: a socket that is not given.
    private static let anySocketBytes = 48

    /// All TCP sockets of the calling thread's network namespace, but for those that only wait for stray packets.
    package static func tcpSockets() throws(SystemError) -> [SocketState] {
        let socket = try NetlinkSocket(.sockets)
        var found: [SocketState] = []
        for family in [AF_INET, AF_INET6] {
            do throws(SystemError) {
                found += try socket.list(request(UInt8(family))).compactMap(state)
            } catch {
                // A kernel without IPv6 has no such sockets.
                guard family == AF_INET6, error.code == .noEntry else { throw error }
            }
        }
        return found
    }

    private static func request(_ family: UInt8) -> NetlinkRequest {
        var writer = NetlinkWriter()
        writer.bytes = [family, tcp, 1 << UInt8(information - 1), 0]
        let all: UInt32 = 0xfff
        writer.append(all & ~(1 << UInt32(SocketState.Phase.timeWait.rawValue)))
        writer.bytes += [UInt8](repeating: 0, count: anySocketBytes)
        return NetlinkRequest(type: byFamily, payload: writer.bytes, operation: "list TCP sockets", subject: "")
    }

    static func state(_ payload: [UInt8]) -> SocketState? {
        guard payload.count >= messageBytes, let phase = SocketState.Phase(rawValue: payload[1]) else { return nil }
        func port(_ at: Int) -> UInt16 { UInt16(payload[at]) << 8 | UInt16(payload[at + 1]) }
        func number(_ at: Int) -> UInt32 { NetlinkReader.number32(payload[...], at: at) }
        // The identity begins behind four bytes: ports, addresses of 16 bytes, a link, a cookie.
        let isIPv6 = CInt(payload[0]) == AF_INET6
        let peer = IPAddress(bytes: Array(payload[24..<(isIPv6 ? 40 : 28)]))
        var state = SocketState(
            phase: phase, localPort: port(4), peer: InternetEndpoint(peer.unmapped, port(6)),
            cookie: UInt64(number(44)) | UInt64(number(48)) << 32, unread: number(56), unsent: number(60))
        if let detail = NetlinkReader.attributes(payload, after: messageBytes)[information], detail.count >= 136 {
            // struct tcp_info
            func field(_ at: Int) -> UInt32 { NetlinkReader.number32(detail, at: at) }
            state.sinceSent = field(44)
            state.sinceReceived = field(52)
            state.bytesAcknowledged = UInt64(field(120)) | UInt64(field(124)) << 32
            state.bytesReceived = UInt64(field(128)) | UInt64(field(132)) << 32
        }
        return state
    }
}

extension IPAddress {
    /// The IPv4 address that one of IPv6 stands for (::ffff:10.0.0.1), RFC 4291 2.5.5.2; else itself.
    package var unmapped: IPAddress {
        guard isIPv6, bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xff, bytes[11] == 0xff else { return self }
        return IPAddress(bytes: Array(bytes[12...]))
    }
}
