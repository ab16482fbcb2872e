import CKernel

/// A conversation with a part of the kernel about one network namespace: that of the thread which opens it, wherever it is used.
///
/// Every call waits for the kernel's answer, which comes at once: netlink does its work in the sender's system call.
package struct NetlinkSocket: ~Copyable, Sendable {
    private let fd: OwnedFD

    /// What of the kernel one talks to, linux/netlink.h.
    package enum Family: CInt, Sendable {
        /// Links, addresses, routes: rtnetlink(7).
        case route = 0
        /// Sockets: sock_diag(7).
        case sockets = 4
        /// Tracked connections: linux/netfilter/nfnetlink_conntrack.h.
        case netfilter = 12
    }

    // netlink(7), linux/netlink.h
    private static let socketLevel: CInt = 270
    private static let optionExtendedAcknowledgement: CInt = 11
    private static let optionShortAcknowledgement: CInt = 10
    private static let typeError: UInt16 = 2
    private static let typeDone: UInt16 = 3
    private static let flagShort: UInt16 = 0x100
    private static let messageOfError: UInt16 = 1
    /// As much as the kernel puts into one answer to a dump, netlink(7).
    private static let receiveBytes = 64 << 10

    package init(_ family: Family = .route) throws(SystemError) {
        let type = CInt(SOCK_RAW.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let fd = OwnedFD(adopting: CInt(try call("make a netlink socket") { ck_socket(AF_NETLINK, type, family.rawValue) }))
        let raw = fd.raw
        // The kernel's own words about a refusal, and no copy of the request in it.
        try call("configure netlink") { ck_set_option(raw, Self.socketLevel, Self.optionExtendedAcknowledgement, 1) }
        try call("configure netlink") { ck_set_option(raw, Self.socketLevel, Self.optionShortAcknowledgement, 1) }
        self.fd = fd
    }

    /// Does one thing and waits until it is done.
    package borrowing func perform(_ request: NetlinkRequest) throws(SystemError) {
        try send(request, flags: NetlinkRequest.acknowledge)
        while true {
            for message in try receive() where message.type == Self.typeError {
                return try check(message, request)
            }
        }
    }

    /// Everything of a kind: the payloads of the kernel's answers.
    package borrowing func list(_ request: NetlinkRequest) throws(SystemError) -> [[UInt8]] {
        try send(request, flags: NetlinkRequest.dump)
        var payloads: [[UInt8]] = []
        while true {
            for message in try receive() {
                switch message.type {
                case Self.typeDone: return payloads
                case Self.typeError: try check(message, request)
                default: payloads.append(message.payload)
                }
            }
        }
    }

    private borrowing func send(_ request: NetlinkRequest, flags: UInt16) throws(SystemError) {
        let bytes = NetlinkMessage(
            type: request.type, flags: request.flags | NetlinkRequest.isRequest | flags, sequence: 1,
            payload: request.payload
        ).encoded
        let raw = fd.raw
        try call(request.operation, request.subject) { bytes.withUnsafeBytes { ck_write(raw, $0.baseAddress, $0.count) } }
    }

    private borrowing func receive() throws(SystemError) -> [NetlinkMessage] {
        var room = [UInt8](repeating: 0, count: Self.receiveBytes)
        let raw = fd.raw
        let count = try call("read from netlink") {
            room.withUnsafeMutableBytes { ck_read(raw, $0.baseAddress, $0.count) }
        }
        return NetlinkMessage.decode(room[..<count])
    }

    private borrowing func check(_ message: NetlinkMessage, _ request: NetlinkRequest) throws(SystemError) {
        let code = Int32(bitPattern: NetlinkReader.number32(message.payload[...], at: 0))
        guard code != 0 else { return }
        // Behind the code comes the header of the request; with the short form nothing else of it.
        let words = message.flags & Self.flagShort == 0 ? 4 + Int(NetlinkReader.number32(message.payload[...], at: 4)) : 20
        let said = NetlinkReader.attributes(message.payload, after: words)[Self.messageOfError].map(NetlinkReader.text)
        throw SystemError(
            request.operation, request.subject, code: Errno(-code), advice: said.map { "The kernel says: \($0)." } ?? "")
    }
}

/// One request, with the words for an error about it.
package struct NetlinkRequest: Sendable {
    package var type: UInt16
    package var flags: UInt16 = 0
    package var payload: [UInt8]
    package var operation: String
    package var subject: String

    static let isRequest: UInt16 = 1
    static let acknowledge: UInt16 = 4
    static let dump: UInt16 = 0x300
    /// NLM_F_CREATE | NLM_F_EXCL: refused when it is there.
    static let create: UInt16 = 0x600
}
