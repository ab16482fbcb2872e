import CKernel

/// The way of `PacketRuleBatch` to the kernel, in the network namespace of the thread that opens it, wherever it is used.
///
/// Changes wait for each other in the kernel and may wait for a grace period there: not for the cooperative pool.
package final class PacketRuleSocket: Sendable {
    private let fd: SharedFD

    // netlink(7), socket(7)
    private static let netfilter: CInt = 12
    private static let socketLevel: CInt = 270
    private static let shortAcknowledgement: CInt = 10
    private static let extendedAcknowledgement: CInt = 11
    private static let sendBufferForce: CInt = 32
    private static let typeError: UInt16 = 2
    private static let messageOfError: UInt16 = 1
    private static let receiveBytes = 64 << 10
    /// What a batch may have at most: it is one message of the socket's. 10,000 endpoints take less than 1 MB.
    private static let sendBytes: CInt = 8 << 20

    package init() throws(SystemError) {
        let type = CInt(SOCK_RAW.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        let fd = OwnedFD(
            adopting: CInt(try call("make a netlink socket") { ck_socket(AF_NETLINK, type, Self.netfilter) }))
        let raw = fd.raw
        try call("configure netlink") { ck_set_option(raw, Self.socketLevel, Self.shortAcknowledgement, 1) }
        try call("configure netlink") { ck_set_option(raw, Self.socketLevel, Self.extendedAcknowledgement, 1) }
        try call("configure netlink") { ck_set_option(raw, SOL_SOCKET, Self.sendBufferForce, Self.sendBytes) }
        self.fd = SharedFD(fd)
    }

    /// Makes all changes or none.
    ///
    /// - Throws: `SystemError` with what the kernel said of the first change that it refused.
    package func perform(_ batch: PacketRuleBatch) throws(SystemError) {
        if batch.isEmpty { return }
        let bytes = batch.encoded
        let raw = fd.raw
        try call("change packet rules of", batch.table) {
            bytes.withUnsafeBytes { ck_write(raw, $0.baseAddress, $0.count) }
        }
        // The kernel has worked in that call: its answers are there.
        var room = [UInt8](repeating: 0, count: Self.receiveBytes)
        var isDone = false
        var refusal: SystemError?
        while let count = try Files.readAvailable(raw, into: &room) {
            for message in NetlinkMessage.decode(room[..<count]) where message.type == Self.typeError {
                let code = Int32(bitPattern: NetlinkReader.number32(message.payload[...], at: 0))
                if code == 0 { isDone = true } else { refusal = refusal ?? Self.refusal(-code, message, batch) }
            }
        }
        if let refusal { throw refusal }
        guard isDone else {
            throw SystemError("change packet rules of", batch.table, code: .again, advice: "The kernel gave no answer.")
        }
    }

    private static func refusal(_ code: Int32, _ message: NetlinkMessage, _ batch: PacketRuleBatch) -> SystemError {
        // Behind the code comes the header of the change, which has its number.
        let number = NetlinkReader.number32(message.payload[...], at: 12)
        let said = NetlinkReader.attributes(message.payload, after: 20)[messageOfError].map(NetlinkReader.text)
        return SystemError(
            "change packet rules of", "\(batch.table) (change \(number))", code: Errno(code),
            advice: said.map { "The kernel says: \($0)." } ?? "")
    }
}
