import Engine
import Linux
import Metrics

/// The node's own process, in the words of Prometheus' client libraries: https://prometheus.io/docs/instrumenting/writing_clientlibs
struct ProcessMetrics: MetricSource {
    private let version: String
    private let descriptors = Remembered(for: .seconds(5), first: 0) {
        // One of them is the directory that is being listed.
        ((try? Files.list("/proc/self/fd")) ?? []).count
    }

    init(version: String) { self.version = version }

    func metrics() async -> [MetricFamily] {
        var families = [
            MetricFamily(
                "forkless_build_info", .gauge, help: "1; the version is in the label.", [MetricSample(["version": version], 1)]),
            .gauge("process_open_fds", "Open file descriptors of the node.", descriptors.value),
            .gauge("process_resident_memory_bytes", "Resident memory of the node.", CurrentProcess.residentBytes()),
        ]
        if let process = ProcessTimes.read(pid: "self") {
            families += [
                .counter("process_cpu_seconds_total", "Processor time of the node, in user mode and in the kernel.", process.cpuSeconds),
                .gauge("process_virtual_memory_bytes", "Address space of the node.", process.virtualBytes),
                .gauge("process_threads", "Threads of the node.", process.threads),
            ]
            if let begun = process.startedAtSeconds {
                families.append(.gauge("process_start_time_seconds", "When the node began, seconds since 1970.", begun))
            }
        }
        return families
    }
}

/// What /proc/PID/stat tells, proc_pid_stat(5).
struct ProcessTimes: Hashable {
    /// sysconf(_SC_CLK_TCK) is 100 on every machine that Swift runs on (time(7)).
    private static let ticksPerSecond = 100.0
    /// When the machine began, seconds since 1970; read once.
    private static let bootSeconds: Double? = {
        guard let text = try? Files.readText("/proc/stat") else { return nil }
        return text.split(separator: "\n").first { $0.hasPrefix("btime ") }.flatMap { Double($0.dropFirst("btime ".count)) }
    }()

    var cpuSeconds: Double
    var threads: Int
    var virtualBytes: Int
    var startedAtSeconds: Double?

    /// - Parameter pid: a number, or "self".
    static func read(pid: String) -> ProcessTimes? {
        (try? Files.readText("/proc/\(pid)/stat")).flatMap { ProcessTimes($0, bootSeconds: bootSeconds) }
    }

    /// nil for something else than such a line.
    init?(_ line: String, bootSeconds: Double?) {
        // The name stands in parentheses and may hold any character, these included.
        guard let end = line.lastIndex(of: ")") else { return nil }
        let fields = line[line.index(after: end)...].split(separator: " ")
        guard fields.count > 20, let user = Double(fields[11]), let system = Double(fields[12]), let threads = Int(fields[17]),
            let start = Double(fields[19]), let bytes = Int(fields[20])
        else { return nil }
        cpuSeconds = (user + system) / Self.ticksPerSecond
        self.threads = threads
        virtualBytes = bytes
        startedAtSeconds = bootSeconds.map { $0 + start / Self.ticksPerSecond }
    }
}
