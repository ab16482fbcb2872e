import CKernel

/// The kernel's process events: every fork, exec and exit of the machine, connector netlink (linux/cn_proc.h, which needs
/// CONFIG_PROC_EVENTS and CAP_NET_ADMIN in the first user and network namespace).
package final class ProcessEvents: Sendable {
    private let socket: SharedFD

    private static let family: CInt = 11  // NETLINK_CONNECTOR
    private static let group: UInt32 = 1  // CN_IDX_PROC
    private static let listen: UInt32 = 1  // PROC_CN_MCAST_LISTEN
    private static let forceReceiveBuffer: CInt = 33  // SO_RCVBUFFORCE
    /// So much waits while this process does not run: an event takes less than 1 KiB of it, a burst is thousands.
    private static let bufferBytes: CInt = 32 << 20
    private static let datagramBytes = 256

    package init() throws(SystemError) {
        let type = CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        do {
            let fd = OwnedFD(
                adopting: CInt(try call("listen to process events") { ck_socket(AF_NETLINK, type, Self.family) }))
            let raw = fd.raw
            try call("listen to process events") { ck_bind_netlink(raw, Self.group) }
            try call("enlarge the buffer for process events") {
                ck_set_option(raw, SOL_SOCKET, Self.forceReceiveBuffer, Self.bufferBytes)
            }
            let request = ProcessEvent.request(Self.listen)
            try call("listen to process events") { request.withUnsafeBytes { ck_write(raw, $0.baseAddress, $0.count) } }
            socket = SharedFD(fd)
        } catch {
            throw SystemError(error.operation, error.subject, code: error.code, advice: Self.advice(error.code))
        }
    }

    private static func advice(_ code: Errno) -> String {
        switch code {
        case .notPermitted, .accessDenied: "The kernel tells them to root alone (CAP_NET_ADMIN)."
        case .connectionRefused, Errno(EPROTONOSUPPORT):
            "They are told in the first network namespace only, by kernels with CONFIG_PROC_EVENTS."
        default: ""
        }
    }

    /// Readable when events wait.
    package var fd: CInt { socket.raw }

    /// What one look found.
    package struct Batch: Sendable {
        package var events: [ProcessEvent] = []
        /// The buffer was full: an unknown number of events is lost.
        package var isOverrun = false
        /// Messages that are none of those known here.
        package var unreadable = 0
        /// More may wait.
        package var isFull = false
    }

    /// Up to 64 events that wait; does not block.
    package func take() throws(SystemError) -> Batch {
        var batch = Batch()
        do {
            batch.isFull = try Datagrams.take(from: socket.raw, of: Self.datagramBytes) { bytes in
                for message in NetlinkMessage.decode(bytes) {
                    switch ProcessEvent.decode(message.payload) {
                    case .event(let event): batch.events.append(event)
                    case .other: break
                    case .unreadable: batch.unreadable += 1
                    }
                }
            }
        } catch {
            guard error.code == Errno(ENOBUFS) else { throw error }
            batch.isOverrun = true
            batch.isFull = true
        }
        return batch
    }
}

/// One event. Times are nanoseconds of CLOCK_MONOTONIC.
package enum ProcessEvent: Hashable, Sendable {
    /// A process forked another. (What is a new thread is no event here.)
    case forked(at: Int, parent: Int32, child: Int32)
    case executed(at: Int, pid: Int32)
    /// As wait(2) would put it into its status.
    case exited(at: Int, pid: Int32, status: ExitStatus)

    enum Decoded: Hashable, Sendable {
        case event(ProcessEvent)
        /// Threads, changes of identity, names and sessions; acknowledgements.
        case other
        case unreadable
    }

    // linux/connector.h: struct cn_msg; linux/cn_proc.h: struct proc_event.
    private static let connectorBytes = 20
    private static let fork: UInt32 = 1
    private static let exec: UInt32 = 2
    private static let exit: UInt32 = 0x8000_0000

    /// What asks for events, or for no more.
    static func request(_ operation: UInt32) -> [UInt8] {
        var writer = NetlinkWriter()
        for number in [1, 1, 0, 0] as [UInt32] { writer.append(number) }
        writer.append(UInt16(4))
        writer.append(UInt16(0))
        writer.append(operation)
        return NetlinkMessage(type: 3, flags: 0, payload: writer.bytes).encoded  // NLMSG_DONE
    }

    static func decode(_ payload: [UInt8]) -> Decoded {
        func number(_ offset: Int) -> UInt32 { NetlinkReader.number32(payload[...], at: offset) }
        let event = connectorBytes
        guard payload.count >= event + 24, number(0) == 1, number(4) == 1 else { return .unreadable }
        let at = Int(truncatingIfNeeded: UInt64(number(event + 8)) | UInt64(number(event + 12)) << 32)
        func pid(_ index: Int) -> Int32 { Int32(bitPattern: number(event + 16 + index * 4)) }
        switch number(event) {
        case fork:
            guard payload.count >= event + 32 else { return .unreadable }
            // A thread: its group is another's.
            guard pid(2) == pid(3) else { return .other }
            return .event(.forked(at: at, parent: pid(1), child: pid(3)))
        case exec: return .event(.executed(at: at, pid: pid(1)))
        case exit:
            guard payload.count >= event + 28 else { return .unreadable }
            guard pid(0) == pid(1) else { return .other }
            return .event(.exited(at: at, pid: pid(1), status: ExitStatus(waitStatus: pid(2))))
        default: return .other
        }
    }
}

/// Several datagrams in one system call, recvmmsg(2).
enum Datagrams {
    /// Hands over each that waits, at most 64; true: there were so many that more may wait.
    static func take(from fd: CInt, of bytes: Int, _ body: (ArraySlice<UInt8>) -> Void) throws(SystemError) -> Bool {
        // Not cleared: that would cost more than what is read.
        try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: bytes * Int(CK_MANY)) { room throws(SystemError) in
            var lengths = [UInt32](repeating: 0, count: Int(CK_MANY))
            let count: Int
            do throws(SystemError) {
                count = try call("receive from the kernel") { ck_receive_many(fd, room.baseAddress, bytes, &lengths) }
            } catch {
                guard error.code == .again else { throw error }
                return false
            }
            for index in 0..<count {
                body(Array(room[(index * bytes)..<(index * bytes + Int(lengths[index]))])[...])
            }
            return count == Int(CK_MANY)
        }
    }
}
