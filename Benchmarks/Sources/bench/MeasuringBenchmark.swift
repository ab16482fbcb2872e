import CBaselines
import Foundation

/// What measuring costs: the node's processor time for a warm call with /metrics scraped and a history kept, beside a node that
/// keeps none; and what a node takes that does nothing but measure.
struct MeasuringBenchmark {
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    func run() async throws -> Section {
        var section = Section(title: "Measuring: /metrics and the history")
        try await calls(&section)
        Bench.progress("an idle node")
        try idle(&section)
        return section
    }

    private func calls(_ section: inout Section) async throws {
        let port = try FunctionsUnderTest.freePort()
        let measured = try FunctionsUnderTest(options, flags: ["--http-listen", "127.0.0.1:\(port)", "--kubernetes-listen", "off"])
        defer { measured.stop() }
        let plain = try FunctionsUnderTest(options, flags: ["--http-listen", "off", "--history", "off", "--kubernetes-listen", "off"])
        defer { plain.stop() }
        for node in [measured, plain] {
            try node.deploy("echo", "--code", try echo(), "--runtime", "provided.al2023")
        }
        let seconds = options.count(5, quick: 2)
        var (with, without): ([Double], [Double]) = ([], [])
        for round in 0...options.count(9, quick: 2) {
            for isMeasured in round.isMultiple(of: 2) ? [true, false] : [false, true] {
                let node = isMeasured ? measured : plain
                let before = try node.node.cpuSeconds()
                let scraper = isMeasured ? try Scraper(port: port) : nil
                let run = try WrkRun(
                    node.url("echo"), script: "\(options.examples)/../../Benchmarks/Programs/invoke.lua", connections: 16, seconds: seconds)
                scraper?.stop()
                guard run.failures == 0 else { throw BenchmarkError("\(run.failures) calls failed") }
                guard round > 0 else { continue }
                let spent = (try node.node.cpuSeconds() - before) / (run.requestsPerSecond * Double(seconds)) * 1e6
                if isMeasured { with.append(spent) } else { without.append(spent) }
            }
        }
        let ratios = zip(with, without).map { ($0 / $1 - 1) * 100 }.sorted()
        section.facts += [
            ("processor time of the node for a warm call, measured", String(format: "%.1f us", Samples.median(with))),
            ("the same without history and scrapes", String(format: "%.1f us", Samples.median(without))),
        ]
        section.findings.append(
            Finding(
                what: "processor time that history and a scrape each second add to a warm call", value: Samples.median(ratios),
                unit: "%", bound: .atMost, target: 2,
                range: [ratios[(ratios.count - 1) / 4], ratios[(ratios.count - 1) * 3 / 4]]))
    }

    /// A directory with the function's one file, as it is deployed.
    private func echo() throws -> String {
        let place = "\(options.examples)/code-measuring"
        let files = FileManager.default
        try files.createDirectory(atPath: place, withIntermediateDirectories: true)
        try? files.removeItem(atPath: "\(place)/bootstrap")
        try files.copyItem(atPath: "\(options.examples)/bootstrap-echo", toPath: "\(place)/bootstrap")
        return place
    }

    /// A node with everything on: the Kubernetes API, the Lambda API, function URLs, /metrics and the history.
    private func idle(_ section: inout Section) throws {
        let port = try FunctionsUnderTest.freePort()
        let node = try FunctionsUnderTest(
            options, flags: ["--http-listen", "127.0.0.1:\(port)", "--kubernetes-listen", "127.0.0.1:\(try FunctionsUnderTest.freePort())"])
        defer { node.stop() }
        try node.deploy("echo", "--code", try echo(), "--runtime", "provided.al2023")
        try node.call("echo")
        let scraper = try Scraper(port: port, every: 15)
        // Until what was prepared after the start is there.
        sleep(UInt32(options.count(30, quick: 5)))
        let (began, before) = (now(), try node.node.cpuSeconds())
        sleep(UInt32(options.count(60, quick: 10)))
        let share = (try node.node.cpuSeconds() - before) / (Double(now() - began) / 1e9) * 100
        let resident = Double(try node.node.memory("VmRSS")) / 1e6
        scraper.stop()
        section.findings += [
            Finding(
                what: "processor time of an idle node that keeps a history and is scraped every 15 s", value: share, unit: "% of one CPU",
                bound: .atMost, target: 0.5),
            Finding(what: "resident memory of an idle node with all doors", value: resident, unit: "MB", bound: .atMost, target: 60),
        ]
        section.notes.append("Idle: one function with a warm copy, the Kubernetes API with its controllers, no client but the scraper.")
    }
}

/// Asks for /metrics again and again, as Prometheus does.
private final class Scraper {
    private let process = Process()

    init(port: UInt16, every seconds: Int = 1) throws {
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [
            "-c", "while :; do curl -sf -o /dev/null http://127.0.0.1:\(port)/metrics || exit 1; sleep \(seconds); done",
        ]
        try process.run()
    }

    func stop() {
        process.terminate()
        process.waitUntilExit()
    }

    deinit { if process.isRunning { stop() } }
}

extension ServerProcess {
    /// Processor time of all its threads, those that have ended included: fields 14 and 15 of /proc/PID/stat, ticks of 10 ms.
    func cpuSeconds() throws -> Double {
        let line = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        // The name in parentheses may hold spaces.
        let fields = line[(line.lastIndex(of: ")") ?? line.startIndex)...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else {
            throw BenchmarkError("read the processor time of process \(pid)")
        }
        return (user + system) / 100
    }
}
