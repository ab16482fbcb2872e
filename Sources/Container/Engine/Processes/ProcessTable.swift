import Linux

/// The processes of one container, read from /proc: nothing of the container runs for it (CVE-2022-1227), and nothing
/// that it says of itself but its words is believed.
///
/// All functions block, shortly.
enum ProcessTable {
    /// What is in the cgroups of this process, or below them: what it started and what was executed beside it.
    static func processes(besides pid: Int32) throws(SystemError) -> [ProcessSummary] {
        let own = cgroups(of: pid)
        guard !own.isEmpty else { return [] }
        let bootTime = try self.bootTime()
        let users = Users.ofMachine()
        var found: [ProcessSummary] = []
        for name in try Files.list("/proc") {
            guard let candidate = Int32(name), cgroups(of: candidate).contains(where: { isBelow($0, own) }),
                // One that ended meanwhile is no process of the container any more.
                let process = read(candidate, bootTime, users)
            else { continue }
            found.append(process)
        }
        return found.sorted { ($0.startedAt, $0.pid) < ($1.startedAt, $1.pid) }
    }

    /// "HIERARCHY:PATH" of the cgroups that Forkless made for a process, cgroups(7).
    private static func cgroups(of pid: Int32) -> [String] {
        guard let text = try? Files.readText("/proc/\(pid)/cgroup") else { return [] }
        return text.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, parts[2].contains("/forkless") else { return nil }
            return "\(parts[0]):\(parts[2])"
        }
    }

    private static func isBelow(_ cgroup: String, _ own: [String]) -> Bool {
        own.contains { cgroup == $0 || cgroup.hasPrefix($0 + "/") }
    }

    /// proc_stat(5), btime: seconds since 1970.
    private static func bootTime() throws(SystemError) -> Int {
        for line in try Files.readText("/proc/stat").split(separator: "\n") where line.hasPrefix("btime ") {
            if let seconds = Int(line.dropFirst(6)) { return seconds }
        }
        throw SystemError("read the machine's start from", "/proc/stat", code: .invalid)
    }

    private static func read(_ pid: Int32, _ bootTime: Int, _ users: Users) -> ProcessSummary? {
        guard let text = try? Files.readText("/proc/\(pid)/stat"), let stat = ProcessStat(text),
            let status = try? Files.readText("/proc/\(pid)/status"),
            let words = try? Files.read("/proc/\(pid)/cmdline", limit: 1 << 20)
        else { return nil }
        let uid = status.split(separator: "\n").first { $0.hasPrefix("Uid:") }?.split(separator: "\t").dropFirst(2).first
        let user = uid.flatMap { UInt32($0) }
        let name = user.flatMap { number in users.users.first { $0.uid == number }?.name } ?? user.map { "\($0)" } ?? "?"
        let command = String(decoding: words.map { $0 == 0 ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
        let trimmed = command.hasSuffix(" ") ? String(command.dropLast()) : command
        let start = bootTime * 1_000_000_000 + stat.startTicks * (1_000_000_000 / ProcessStat.ticksPerSecond)
        return ProcessSummary(
            user: name, pid: pid, parent: stat.parent, startedAt: Timestamp(nanoseconds: start), terminal: stat.terminal,
            cpuMilliseconds: stat.cpuTicks * (1000 / ProcessStat.ticksPerSecond),
            command: trimmed.isEmpty ? "[\(stat.name)]" : trimmed)
    }
}

/// The fields of /proc/PID/stat that are wanted here, proc_pid_stat(5). Pure.
struct ProcessStat: Hashable {
    /// USER_HZ: what the kernel counts in towards programs, on every architecture that Forkless knows.
    static let ticksPerSecond = 100

    var name: String
    var parent: Int32
    /// "pts/3", "tty1"; nil: none, or one that has no such name.
    var terminal: String?
    /// In user and kernel.
    var cpuTicks: Int
    /// After the machine's start.
    var startTicks: Int

    /// nil: not of that form. The name may hold anything, blanks and parentheses too: it ends at the last ")".
    init?(_ text: String) {
        guard let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")"), open < close else { return nil }
        name = String(text[text.index(after: open)..<close])
        let fields = text[text.index(after: close)...].split(separator: " ")
        guard fields.count >= 20, let parent = Int32(fields[1]), let device = Int(fields[4]), let user = Int(fields[11]),
            let system = Int(fields[12]), let start = Int(fields[19])
        else { return nil }
        self.parent = parent
        cpuTicks = user + system
        startTicks = start
        // makedev(3): the minor is in bits 0-7 and 20-31, the major in 8-19.
        let (major, minor) = ((device >> 8) & 0xFFF, (device & 0xFF) | ((device >> 12) & 0xFFF00))
        switch major {
        case 136...143: terminal = "pts/\((major - 136) * 256 + minor)"
        case 4 where minor < 64: terminal = "tty\(minor)"
        default: terminal = nil
        }
    }
}
