package import Linux

/// What a program is born with beside arguments, environment and streams, as the kernel tells it of the waiting shim.
package struct CallTraits: Hashable, Sendable {
    package var umask: UInt32 = 0o022
    /// Real, effective, saved; an effective id that differs from the real one marks a caller of raised rights.
    package var users: [UInt32] = []
    package var groups: [UInt32] = []
    /// Supplementary groups.
    package var supplementary: [UInt32] = []
    package var ignoredSignals: UInt64 = 0
    package var noNewPrivileges = false
    /// 0: no filter of system calls.
    package var filterMode = 0
    /// Effective capabilities.
    package var capabilities: UInt64 = 0
    package var nice: Int32 = 0
    package var processGroup: Int32 = 0
    package var session: Int32 = 0
    /// The number of the controlling terminal; 0: none.
    package var terminal: Int32 = 0
    package var parent: Int32 = 0
    /// sched(7); 0: the usual one.
    package var policy: Int32 = 0
    /// "R", "S", "T" ...
    package var state: UInt8 = 0

    /// Reads them, proc_pid_status(5) and proc_pid_stat(5).
    package init(pid: Int32) throws(SystemError) {
        let status = try Files.readText("/proc/\(pid)/status")
        let stat = try Files.read("/proc/\(pid)/stat")
        self.init(status: status, stat: stat)
    }

    /// From the texts of both files.
    package init(status: String, stat: [UInt8]) {
        for line in status.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...]
            let words = value.split(whereSeparator: { $0 == " " || $0 == "\t" })
            let first = words.first ?? ""
            switch line[..<colon] {
            case "Umask": umask = UInt32(first, radix: 8) ?? umask
            case "Uid": users = words.prefix(3).compactMap { UInt32($0) }
            case "Gid": groups = words.prefix(3).compactMap { UInt32($0) }
            case "Groups": supplementary = words.compactMap { UInt32($0) }
            case "SigIgn": ignoredSignals = UInt64(first, radix: 16) ?? 0
            case "CapEff": capabilities = UInt64(first, radix: 16) ?? 0
            case "NoNewPrivs": noNewPrivileges = first == "1"
            case "Seccomp": filterMode = Int(first) ?? 0
            default: break
            }
        }
        // The name stands in parentheses and may hold anything: the fields begin after the last one.
        guard let close = stat.lastIndex(of: UInt8(ascii: ")")) else { return }
        let fields = stat[(close + 1)...].split(separator: UInt8(ascii: " ")).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard fields.count > 16 else { return }
        state = fields[0].utf8.first ?? 0
        parent = Int32(fields[1]) ?? 0
        processGroup = Int32(fields[2]) ?? 0
        session = Int32(fields[3]) ?? 0
        terminal = Int32(fields[4]) ?? 0
        nice = Int32(fields[16]) ?? 0
        if fields.count > 38 { policy = Int32(fields[38]) ?? 0 }
    }
}

/// The limits of a process that programs inherit, getrlimit(2).
package struct CallLimit: Hashable, Sendable {
    package var resource: Int32
    package var soft: UInt64
    package var hard: UInt64

    /// All of them, in the kernel's order: proc_pid_limits(5), which needs fewer rights than prlimit(2).
    package static func all(of pid: Int32) throws(SystemError) -> [CallLimit] {
        parse(try Files.readText("/proc/\(pid)/limits"))
    }

    /// The first words of the lines, by RLIMIT_ number.
    private static let names = [
        "cpu time", "file size", "data size", "stack size", "core file size", "resident set", "processes", "open files",
        "locked memory", "address space", "file locks", "pending signals", "msgqueue size", "nice priority",
        "realtime priority", "realtime timeout",
    ]

    static func parse(_ text: String) -> [CallLimit] {
        var limits: [CallLimit] = []
        for line in text.split(separator: "\n") {
            guard let resource = names.firstIndex(where: { line.hasPrefix("Max " + $0 + " ") }) else { continue }
            let values = line.dropFirst(4 + names[resource].utf8.count).split(separator: " ").prefix(2)
            let numbers = values.compactMap { $0 == "unlimited" ? UInt64.max : UInt64($0) }
            guard numbers.count == 2 else { continue }
            limits.append(CallLimit(resource: Int32(resource), soft: numbers[0], hard: numbers[1]))
        }
        return limits
    }
}
