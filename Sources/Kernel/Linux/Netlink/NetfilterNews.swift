import CKernel

/// What the kernel tells of changes to packet rules, whoever makes them: nfnetlink's group for nftables,
/// linux/netfilter/nfnetlink.h and nf_tables.h, in the network namespace of the thread that opens it.
package final class NetfilterNews: Sendable {
    package enum Event: Hashable, Sendable {
        case madeTable(String)
        case removedTable(String)
        /// More happened than the kernel could keep for us.
        case missedSome
    }

    private let socket: SharedFD

    private static let family: CInt = 12  // NETLINK_NETFILTER
    private static let group: CInt = 7  // NFNLGRP_NFTABLES
    private static let socketLevel: CInt = 270
    private static let addMembership: CInt = 1
    /// NFNL_SUBSYS_NFTABLES in the upper byte of a message's type.
    private static let subsystem: UInt16 = 10 << 8
    private static let makeTable: UInt16 = 0
    private static let removeTable: UInt16 = 2
    private static let tableName: UInt16 = 1
    /// struct nfgenmsg
    private static let headerBytes = 4
    private static let receiveBytes = 64 << 10

    package init() throws(SystemError) {
        let type = CInt(SOCK_RAW.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        let fd = OwnedFD(adopting: CInt(try call("listen to netfilter") { ck_socket(AF_NETLINK, type, Self.family) }))
        let raw = fd.raw
        // A message that says nothing gives the socket a number: without one it counts as the sender of every piece of
        // news, and is left out.
        let nothing = NetlinkMessage(type: 1, flags: 0, payload: []).encoded
        try call("listen to netfilter") { nothing.withUnsafeBytes { ck_write(raw, $0.baseAddress, $0.count) } }
        try call("listen to netfilter") { ck_set_option(raw, Self.socketLevel, Self.addMembership, Self.group) }
        socket = SharedFD(fd)
    }

    /// What has happened since the last call; waits until there is something.
    ///
    /// - Throws: `SystemError`; ECANCELED when the task was.
    package func next() async throws(SystemError) -> [Event] {
        while true {
            let events = try take()
            if !events.isEmpty { return events }
            try await Readiness.shared.readable(socket.raw)
        }
    }

    private func take() throws(SystemError) -> [Event] {
        var events: [Event] = []
        var room = [UInt8](repeating: 0, count: Self.receiveBytes)
        while true {
            do throws(SystemError) {
                guard let count = try Files.readAvailable(socket.raw, into: &room) else { return events }
                events += NetlinkMessage.decode(room[..<count]).compactMap(Self.event)
            } catch {
                guard error.code == Errno(ENOBUFS) else { throw error }
                events.append(.missedSome)
            }
        }
    }

    private static func event(_ message: NetlinkMessage) -> Event? {
        guard let name = NetlinkReader.attributes(message.payload, after: headerBytes)[tableName].map(NetlinkReader.text) else {
            return nil
        }
        switch message.type {
        case subsystem | makeTable: return .madeTable(name)
        case subsystem | removeTable: return .removedTable(name)
        default: return nil
        }
    }
}
