import CBaselines
import Foundation

/// The OCI runtime beside others that have the same command line: a whole `run` of a static program that ends at once,
/// in the bundle of `runc spec`, and an `exec` of it in a container that waits.
struct OCIBenchmark {
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    func run() async throws -> Section {
        guard geteuid() == 0 else { throw BenchmarkError("run containers: this needs root") }
        let stage = try OCIStage(options)
        defer { stage.remove() }
        let runs = try await takeTurns(
            stage.runtimes.map { runtime in
                Contender(name: "\(runtime.name) run", count: options.count(runtime.isSlow ? 3 : 6, quick: 1)) {
                    try stage.run(runtime, times: $0)
                }
            }, rounds: options.count(40, quick: 4))
        let execs = try await takeTurns(
            stage.runtimes.map { runtime in
                Contender(name: "\(runtime.name) exec", count: options.count(runtime.isSlow ? 3 : 6, quick: 1)) {
                    try stage.exec(runtime, times: $0)
                }
            }, rounds: options.count(40, quick: 4))
        return Section(
            title: "OCI runtimes: a static program that ends at once, in the bundle of runc spec, command line to exit",
            samples: runs + execs,
            facts: stage.runtimes.map { runtime in
                (
                    "peak memory of \(runtime.name), run and exec",
                    "\(runtime.peakOfRun) kB, \(runtime.peakOfExec) kB"
                )
            } + stage.versions,
            findings: [
                .speed("forkless-oci run against runc run", runs[2], against: runs[0], atLeast: 6),
                .speed("forkless-oci run against crun run", runs[2], against: runs[1], atLeast: 2),
                .speed("forkless-oci exec against runc exec", execs[2], against: execs[0], atLeast: 4),
                Finding(
                    what: "peak memory of forkless-oci run", value: Double(stage.runtimes[2].peakOfRun), unit: "kB",
                    bound: .atMost, target: 5000),
            ],
            notes: [
                "All of them keep their state on a tmpfs, as /run is, and see one version of cgroups, in a mount namespace of "
                    + "this run's; forkless-oci is a copy of its file, as make install leaves it."
            ])
    }
}

/// One runtime, and what it has shown so far.
final class OCIRuntimeUnderTest {
    let name: String
    let program: String
    let isSlow: Bool
    var peakOfRun = 0
    var peakOfExec = 0

    init(_ name: String, _ program: String, isSlow: Bool = false) {
        self.name = name
        self.program = program
        self.isSlow = isSlow
    }
}

/// The runtimes with their bundles, their state and a container of each that waits.
private final class OCIStage {
    let runtimes: [OCIRuntimeUnderTest]
    private let directory: String
    private let state: String
    private let commands: TimedCommands
    /// While somebody holds this end, the waiting programs wait.
    private let held: CInt

    init(_ options: BenchOptions) throws {
        directory = try KeeperUnderTest.temporaryDirectory()
        state = "/dev/shm/forkless-bench-oci-\(getpid())"
        _ = try Command.output([
            "install", "-m", "755", "\(options.programs)/forkless-oci", "\(directory)/forkless-oci",
        ])
        runtimes = [
            OCIRuntimeUnderTest("runc", "/usr/sbin/runc", isSlow: true), OCIRuntimeUnderTest("crun", "/usr/bin/crun"),
            OCIRuntimeUnderTest("forkless-oci", "\(directory)/forkless-oci"),
        ]
        commands = try TimedCommands(options)
        let root = try SmallRoot(in: directory, options)
        try Self.makeBundle("\(directory)/ends", root.path, "/noop")
        try Self.makeBundle("\(directory)/waits", root.path, "/waiting")
        let (reader, writer) = try makePipe()
        held = writer
        defer { close(reader) }
        // Its standard input would be that of timed, which is nothing: the program would not wait.
        do {
            for runtime in runtimes { try startWaiting(runtime, from: "/proc/\(getpid())/fd/\(reader)") }
        } catch {
            remove()
            throw error
        }
    }

    private func startWaiting(_ runtime: OCIRuntimeUnderTest, from pipe: String) throws {
        try commands.run(
            ["/bin/sh", "-c", "exec \"$@\" < \(pipe)", "sh"]
                + words(runtime, ["run", "--detach", "--bundle", "\(directory)/waits", waiting(runtime)]))
    }

    /// Takes everything away.
    func remove() {
        for runtime in runtimes { _ = try? commands.run(words(runtime, ["delete", "--force", waiting(runtime)])) }
        close(held)
        try? FileManager.default.removeItem(atPath: state)
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Whole runs, each in nanoseconds.
    func run(_ runtime: OCIRuntimeUnderTest, times: Int) throws -> [Int] {
        let outcomes = try commands.run(
            words(runtime, ["run", "--bundle", "\(directory)/ends", "forkless-bench-\(getpid())-{}"]), times: times)
        runtime.peakOfRun = max(runtime.peakOfRun, outcomes.map(\.kilobytes).max()!)
        return outcomes.map(\.nanoseconds)
    }

    /// Execs in the container that waits, each in nanoseconds.
    func exec(_ runtime: OCIRuntimeUnderTest, times: Int) throws -> [Int] {
        let outcomes = try commands.run(words(runtime, ["exec", waiting(runtime), "/noop"]), times: times)
        runtime.peakOfExec = max(runtime.peakOfExec, outcomes.map(\.kilobytes).max()!)
        return outcomes.map(\.nanoseconds)
    }

    /// Which they are.
    var versions: [(name: String, value: String)] {
        runtimes.map { runtime in
            let text = (try? Command.output([runtime.program, "--version"])) ?? "unknown"
            return ("version of \(runtime.name)", text.split(separator: "\n").first.map(String.init) ?? "unknown")
        }
    }

    /// A cgroup has the container's name, so that no two runtimes may have the same.
    private func waiting(_ runtime: OCIRuntimeUnderTest) -> String { "forkless-bench-\(getpid())-\(runtime.name)" }

    private func words(_ runtime: OCIRuntimeUnderTest, _ rest: [String]) -> [String] {
        [runtime.program, "--root", "\(state)/\(runtime.name)"] + rest
    }

    private static func makeBundle(_ path: String, _ root: String, _ program: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        _ = try Command.output(["runc", "spec", "--bundle", path])
        let file = URL(fileURLWithPath: "\(path)/config.json")
        guard var config = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any],
            var process = config["process"] as? [String: Any]
        else { throw BenchmarkError("read what runc spec has written to \(file.path)") }
        process["terminal"] = false
        process["args"] = [program]
        config["process"] = process
        config["root"] = ["path": root, "readonly": true] as [String: Any]
        try JSONSerialization.data(withJSONObject: config, options: .prettyPrinted).write(to: file)
    }
}
