import Foundation

/// The file that a run leaves: everything measured, on which machine.
struct Report: Codable {
    struct Timing: Codable {
        var name: String
        var p50Nanoseconds: Double
        var p99Nanoseconds: Double
        var noise: Double
        var samples: Int
        var roundMediansNanoseconds: [Double]
    }

    struct Part: Codable {
        var title: String
        var timings: [Timing]
        var facts: [String: String]
        var findings: [Finding]
        var notes: [String]
    }

    var machine: MachineFacts
    var quick: Bool
    var began: Date
    var ended: Date
    var parts: [Part]

    init(machine: MachineFacts, quick: Bool, began: Date, sections: [Section]) {
        self.machine = machine
        self.quick = quick
        self.began = began
        ended = Date()
        parts = sections.map { section in
            Part(
                title: section.title,
                timings: section.samples.map {
                    Timing(
                        name: $0.name, p50Nanoseconds: $0.p50, p99Nanoseconds: $0.p99, noise: $0.noise,
                        samples: $0.all.count, roundMediansNanoseconds: $0.roundMedians)
                },
                facts: Dictionary(section.facts.map { ($0.name, $0.value) }) { first, _ in first },
                findings: section.findings, notes: section.notes)
        }
    }

    /// Writes the report under the time of its beginning, and once more as latest.json.
    func write(to directory: String) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        encoder.dateEncodingStrategy = .iso8601
        let data = try encoder.encode(self)
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let path = "\(directory)/\(ISO8601DateFormatter().string(from: began)).json"
        try data.write(to: URL(fileURLWithPath: path))
        try data.write(to: URL(fileURLWithPath: "\(directory)/latest.json"))
        return path
    }
}

/// The machine, as far as it explains the numbers.
struct MachineFacts: Codable {
    var processor: String
    var processors: Int
    var kernel: String
    var memoryBytes: Int
    var loadAverage: String
    var runc: String

    init() {
        let info = Self.read("/proc/cpuinfo")
        processor =
            info.split(separator: "\n").first { $0.hasPrefix("model name") }?
            .split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"
        processors = ProcessInfo.processInfo.activeProcessorCount
        kernel = Self.read("/proc/sys/kernel/osrelease").trimmingCharacters(in: .whitespacesAndNewlines)
        memoryBytes = Int(ProcessInfo.processInfo.physicalMemory)
        loadAverage = Self.read("/proc/loadavg").split(separator: " ").prefix(3).joined(separator: " ")
        runc =
            (try? Command.output(["runc", "--version"]).split(separator: "\n").first.map(String.init))
            ?? "not installed"
    }

    var text: String {
        """
        \(processors) x \(processor), \(memoryBytes >> 30) GiB, Linux \(kernel)
        load average before the run: \(loadAverage)
        """
    }

    /// A field of /proc/meminfo in bytes.
    static func memory(_ field: String) -> Int {
        let line = read("/proc/meminfo").split(separator: "\n").first { $0.hasPrefix(field + ":") }
        return (line?.split(whereSeparator: { $0 == " " }).dropFirst().first.flatMap { Int($0) } ?? 0) << 10
    }

    private static func read(_ path: String) -> String {
        (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    }
}
