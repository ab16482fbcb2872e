internal import Glibc
import Linux

/// Reads what a machine tells of itself. Everything here blocks for microseconds, on files of the kernel.
package enum MachineReading {
    /// The machine as it is now.
    package static func statement() -> MachineStatement {
        var machine = MachineStatement()
        let memory = text("/proc/meminfo")
        machine.host = line("/proc/sys/kernel/hostname")
        machine.system = unquoted(value("PRETTY_NAME=", in: text("/etc/os-release")))
        machine.kernel = line("/proc/sys/kernel/osrelease")
        machine.processor = afterColon("model name", in: text("/proc/cpuinfo"))
        machine.processors = OwnProcess.processors()
        machine.memoryBytes = kibibytes("MemTotal", in: memory)
        machine.availableBytes = kibibytes("MemAvailable", in: memory)
        machine.swapBytes = kibibytes("SwapTotal", in: memory)
        machine.cgroups = cgroups(text("/proc/self/mountinfo"))
        machine.virtualisation = virtualisation()
        machine.governor = line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
        let pages = line("/sys/kernel/mm/transparent_hugepage/enabled")
        machine.hugePages = String(pages.drop { $0 != "[" }.dropFirst().prefix { $0 != "]" })
        return machine
    }

    /// Memory that is free for new programs, bytes.
    package static func availableBytes() -> Int { kibibytes("MemAvailable", in: text("/proc/meminfo")) }

    package static func ticks() -> ProcessorTicks? { ProcessorTicks(procStat: text("/proc/stat")) }

    /// The load average of the last minute.
    package static func load() -> Double {
        text("/proc/loadavg").split(separator: " ").first.flatMap { Double($0) } ?? 0
    }

    /// Processor time that this process has used so far, microseconds.
    package static func ownMicroseconds() -> Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_utime.tv_sec * 1_000_000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_sec * 1_000_000
            + usage.ru_stime.tv_usec
    }

    /// Which cgroup hierarchies are mounted, by a table of mounts (proc_pid_mountinfo(5)).
    package static func cgroups(_ mountinfo: String) -> String {
        let kinds = Set(
            mountinfo.split(separator: "\n").compactMap { line in
                line.firstRange(of: " - ").map { String(line[$0.upperBound...].prefix { $0 != " " }) }
            })
        switch (kinds.contains("cgroup"), kinds.contains("cgroup2")) {
        case (true, true): return "v1 and v2 (hybrid)"
        case (true, false): return "v1"
        case (false, true): return "v2"
        case (false, false): return "none"
        }
    }

    /// By the signs that systemd-detect-virt(1) goes by, as far as they are files.
    private static func virtualisation() -> String {
        let vendor = line("/sys/class/dmi/id/sys_vendor")
        let product = line("/sys/class/dmi/id/product_name")
        let hypervisor = line("/sys/hypervisor/type")
        let isGuest =
            text("/proc/cpuinfo").split(separator: "\n").first { $0.hasPrefix("flags") }?.contains(" hypervisor")
            ?? false
        var words: [String] = []
        if !hypervisor.isEmpty {
            words.append(hypervisor)
        } else if isGuest {
            let name = [vendor, product].filter { !$0.isEmpty }.joined(separator: " ")
            words.append(name.isEmpty ? "a virtual machine" : "a virtual machine (\(name))")
        }
        if Files.exists("/.dockerenv") || Files.exists("/run/.containerenv") || Files.exists("/run/systemd/container") {
            words.append("in a container")
        }
        return words.isEmpty ? "none" : words.joined(separator: ", ")
    }

    private static func text(_ path: String) -> String { (try? Files.readText(path)) ?? "" }
    private static func line(_ path: String) -> String {
        text(path).split(separator: "\n").first.map(String.init) ?? ""
    }

    private static func value(_ prefix: String, in text: String) -> String {
        text.split(separator: "\n").first { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) } ?? ""
    }

    private static func afterColon(_ name: String, in text: String) -> String {
        String(value(name, in: text).drop { $0 != ":" }.dropFirst().drop { $0 == " " })
    }

    private static func kibibytes(_ name: String, in text: String) -> Int {
        (afterColon(name, in: text).split(separator: " ").first.flatMap { Int($0) } ?? 0) << 10
    }

    private static func unquoted(_ text: String) -> String { String(text.filter { $0 != "\"" }) }
}

/// Watches how quiet the machine is, from its making on.
package struct NoiseWatch: Sendable {
    private let begin = MachineReading.ticks()
    private var statement = NoiseStatement()
    private var others: [Double] = []

    package init() { statement.loadBefore = MachineReading.load() }

    /// How long a quiet moment lasts in which nobody of ours works.
    private static let quietMilliseconds = 60
    private static let loops = 2_000_000

    /// Runs the calibrating loop and looks at what others do meanwhile nothing is measured: between measurements. Blocks.
    package mutating func look() {
        if let before = MachineReading.ticks() {
            Clock.pauseBlocking(milliseconds: Int32(Self.quietMilliseconds))
            if let busy = MachineReading.ticks()?.busyFraction(since: before) { others.append(busy) }
        }
        statement.calibrationNanoseconds.append(Self.calibrate())
    }

    /// The same arithmetic every time, on one processor: xorshift, which no compiler takes out.
    private static func calibrate() -> Int {
        let began = Clock.monotonicNanoseconds()
        var state: UInt64 = 88_172_645_463_325_252
        for _ in 0..<loops {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
        }
        let ended = Clock.monotonicNanoseconds()
        // Its result is used, so that it is computed.
        return state == 0 ? 0 : ended - began
    }

    /// What was seen until now.
    package func finished() -> NoiseStatement {
        var statement = statement
        statement.loadAfter = MachineReading.load()
        let steal = begin.flatMap { before in MachineReading.ticks()?.stealFraction(since: before) }
        if let steal {
            statement.stealFraction = .measured(Share(steal), method: "steal time in /proc/stat, over the whole run")
        }
        if !others.isEmpty {
            statement.othersFraction = .measured(
                Share(Statistics.median(others)),
                method:
                    "median of \(others.count) looks at /proc/stat of \(Self.quietMilliseconds) ms, between measurements"
            )
        }
        let judge = NoiseJudgement(
            steal: steal ?? 0, others: statement.othersFraction.value?.fraction,
            calibration: statement.calibrationNanoseconds,
            processors: OwnProcess.processors())
        statement.coefficientOfVariation = judge.variation
        (statement.verdict, statement.reasons) = judge.judgement
        return statement
    }
}
