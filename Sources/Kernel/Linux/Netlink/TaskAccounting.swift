import CKernel

/// The kernel's account of every task that ends, generic netlink (Documentation/accounting/taskstats.rst, which needs
/// CONFIG_TASKSTATS and CAP_NET_ADMIN in the first user namespace).
package final class TaskAccounting: Sendable {
    private let socket: SharedFD

    private static let family: CInt = 16  // NETLINK_GENERIC
    private static let forceReceiveBuffer: CInt = 33  // SO_RCVBUFFORCE
    private static let bufferBytes: CInt = 32 << 20
    /// A record for a thread and one for its process: twice sizeof(struct taskstats), with room for fields to come.
    private static let datagramBytes = 2048

    // linux/genetlink.h, linux/taskstats.h
    private static let controlFamily: UInt16 = 16
    private static let getFamily: UInt8 = 3
    private static let familyIdentity: UInt16 = 1
    private static let familyName: UInt16 = 2
    private static let get: UInt8 = 1
    private static let registerProcessors: UInt16 = 3

    package init() throws(SystemError) {
        let type = CInt(SOCK_RAW.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let fd = OwnedFD(
            adopting: CInt(try call("open the kernel's accounting") { ck_socket(AF_NETLINK, type, Self.family) }))
        let raw = fd.raw
        try call("enlarge the buffer for accounting") {
            ck_set_option(raw, SOL_SOCKET, Self.forceReceiveBuffer, Self.bufferBytes)
        }
        var name = NetlinkWriter()
        name.attribute(Self.familyName, "TASKSTATS")
        let answer = try Self.ask(raw, Self.controlFamily, Self.getFamily, name.bytes)
        guard let number = answer[Self.familyIdentity] else {
            throw SystemError("open the kernel's accounting", code: .notSupported, advice: "It has no TASKSTATS.")
        }
        var processors = NetlinkWriter()
        processors.attribute(Self.registerProcessors, try Self.possibleProcessors())
        _ = try Self.ask(raw, NetlinkReader.number16(number, at: 0), Self.get, processors.bytes)
        try Files.setNonBlocking(raw)
        socket = SharedFD(fd)
    }

    /// All that there could be: a processor that is switched on later is heard, too.
    private static func possibleProcessors() throws(SystemError) -> String {
        let text = try Files.readText("/sys/devices/system/cpu/possible")
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }

    /// Sends a request and reads up to its acknowledgement: the attributes of what came before that.
    private static func ask(
        _ fd: CInt, _ family: UInt16, _ command: UInt8, _ attributes: [UInt8]
    ) throws(SystemError) -> [UInt16: ArraySlice<UInt8>] {
        let header: [UInt8] = [command, 1, 0, 0]
        let request = NetlinkMessage(type: family, flags: 5, sequence: 1, payload: header + attributes).encoded
        try call("ask for the kernel's accounting") {
            request.withUnsafeBytes { ck_write(fd, $0.baseAddress, $0.count) }
        }
        var answer: [UInt16: ArraySlice<UInt8>] = [:]
        while true {
            var room = [UInt8](repeating: 0, count: 16 << 10)
            let count = try call("ask for the kernel's accounting") {
                room.withUnsafeMutableBytes { ck_read(fd, $0.baseAddress, $0.count) }
            }
            for message in NetlinkMessage.decode(room[..<count]) {
                guard message.type == 2 else {  // NLMSG_ERROR
                    if message.type == family { answer = NetlinkReader.attributes(message.payload, after: 4) }
                    continue
                }
                let code = Int32(bitPattern: NetlinkReader.number32(message.payload[...], at: 0))
                guard code != 0 else { return answer }
                let advice =
                    code == -EPERM
                    ? "The kernel tells it to root alone (CAP_NET_ADMIN)." : "The kernel must have CONFIG_TASKSTATS."
                throw SystemError("ask for the kernel's accounting", code: Errno(-code), advice: advice)
            }
        }
    }

    /// Readable when records wait.
    package var fd: CInt { socket.raw }

    package struct Batch: Sendable {
        package var records: [TaskRecord] = []
        /// The buffer was full: an unknown number of records is lost.
        package var isOverrun = false
        package var isFull = false
    }

    /// Up to 64 messages that wait; does not block.
    package func take() throws(SystemError) -> Batch {
        var batch = Batch()
        do {
            batch.isFull = try Datagrams.take(from: socket.raw, of: Self.datagramBytes) { bytes in
                for message in NetlinkMessage.decode(bytes) {
                    if let record = TaskRecord(message: message.payload) { batch.records.append(record) }
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

/// What one task (a thread) used until its end.
package struct TaskRecord: Hashable, Sendable {
    /// A file as the kernel names it to programs.
    package struct File: Hashable, Sendable {
        package var major: UInt32
        package var minor: UInt32
        package var inode: UInt64

        package init(major: UInt32, minor: UInt32, inode: UInt64) {
            self.major = major
            self.minor = minor
            self.inode = inode
        }
    }

    package var thread: Int32
    /// The process; kernels before 5.19 do not say it, and it is then the thread.
    package var process: Int32
    /// The process whose child it was when it ended.
    package var parent: Int32 = 0
    package var uid: UInt32
    package var gid: UInt32
    package var name: [UInt8]
    /// Whether it was the last thread of its process. (Always, where the kernel does not say it.)
    package var isLast: Bool
    /// Time on a processor, nanoseconds.
    package var cpuNanoseconds: Int
    /// The same by ticks of the clock: too coarse for short programs, but user mode and kernel apart.
    /// nil where nobody counted them.
    package var userNanoseconds: Int?
    package var systemNanoseconds: Int?
    package var peakResidentBytes: Int
    /// From and to storage.
    package var readBytes: Int?
    package var writtenBytes: Int?
    package var minorFaults: Int?
    package var majorFaults: Int?
    /// What it ran; nil where the kernel does not say it (before 5.19).
    package var executable: File?

    /// A record that is put together elsewhere; what is not filled in is 0 or not known.
    package init(thread: Int32, process: Int32, isLast: Bool = true) {
        self.thread = thread
        self.process = process
        self.isLast = isLast
        (uid, gid, name) = (0, 0, [])
        (cpuNanoseconds, peakResidentBytes) = (0, 0)
    }

    private static let task: UInt16 = 4  // TASKSTATS_TYPE_AGGR_PID
    private static let statistics: UInt16 = 3
    /// ac_tgid and the executable come with version 12.
    private static let versionWithProcess = 12
    private static let lastOfGroup: UInt8 = 0x20

    /// From the payload of a message; nil when it is no record of a task.
    init?(message: [UInt8]) {
        guard let task = NetlinkReader.attributes(message, after: 4)[Self.task],
            let bytes = NetlinkReader.attributes(Array(task), after: 0)[Self.statistics], bytes.count >= 352
        else { return nil }
        var record = taskstats()
        bytes.withUnsafeBytes { ck_taskstats($0.baseAddress, $0.count, &record) }
        let knowsProcess = Int(record.version) >= Self.versionWithProcess
        thread = Int32(bitPattern: record.ac_pid)
        parent = Int32(bitPattern: record.ac_ppid)
        process = knowsProcess ? Int32(bitPattern: record.ac_tgid) : thread
        uid = record.ac_uid
        gid = record.ac_gid
        var letters = [CChar](repeating: 0, count: Int(TS_COMM_LEN))
        ck_taskstats_name(&record, &letters)
        name = letters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        isLast = !knowsProcess || record.ac_flag & Self.lastOfGroup != 0
        func number(_ value: UInt64) -> Int { Int(clamping: value) }
        let user = number(record.ac_utime).multipliedReportingOverflow(by: 1000).partialValue
        let system = number(record.ac_stime).multipliedReportingOverflow(by: 1000).partialValue
        (userNanoseconds, systemNanoseconds) = (user, system)
        // sum_exec_runtime; the ticks where a kernel has no such clock.
        cpuNanoseconds =
            record.cpu_run_virtual_total > 0
            ? number(record.cpu_run_virtual_total) : user &+ system
        peakResidentBytes = number(record.hiwater_rss).multipliedReportingOverflow(by: 1024).partialValue
        readBytes = number(record.read_bytes)
        writtenBytes = number(record.write_bytes)
        minorFaults = number(record.ac_minflt)
        majorFaults = number(record.ac_majflt)
        guard knowsProcess, record.ac_exe_inode != 0 else { return }
        executable = File(
            major: ck_exit_major(record.ac_exe_dev), minor: ck_exit_minor(record.ac_exe_dev), inode: record.ac_exe_inode
        )
    }
}
