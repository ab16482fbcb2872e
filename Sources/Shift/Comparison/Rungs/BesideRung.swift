import JSON
import Linux
import Spawn
import Synchronization

/// The same program started by somebody else's tool for each call, as its users start programs: side by side, on the
/// machine's own files, with the limits that our containers have.
///
/// The tool's own time is part of a call, as it is for whoever uses it.
package final class BesideRung: ComparedRung {
    package let label: RungLabel
    package let billing = CostEstimate.Billing.perCall(isFunction: false)
    private let tool: BesideTool
    private let command: [String]
    private let ownExecutable: String
    private let template: Template
    private let directory: String
    private let number = Mutex(0)

    /// - Parameter executable: the tool's file; nil: it is looked for on the PATH.
    /// - Throws: `ComparisonError` that says why the tool cannot be used here.
    package init(
        _ tool: BesideTool, _ program: String, _ arguments: [String], ownExecutable: String, executable: String? = nil
    ) throws(ComparisonError) {
        self.tool = tool
        label = RungLabel(name: tool.rawValue, title: tool.title)
        self.ownExecutable = ownExecutable
        directory = "/tmp/forkless-beside-\(OwnProcess.pid)-" + String(UInt64.random(in: .min ... .max), radix: 36)
        do throws(SpawnError) {
            template = try Template(executable.map { .path($0) } ?? .name(tool.executable))
        } catch {
            throw ComparisonError("\(tool.rawValue): it is not installed here")
        }
        command = [try Self.found(program)] + arguments
    }

    package var setUp: String { tool.setUp }

    package var steps: DeploymentSteps {
        let words = command.joined(separator: " ")
        switch tool {
        case .runc, .crun:
            return DeploymentSteps(
                deploy: [
                    "mkdir -p bundle/rootfs", "\(tool.executable) spec --bundle bundle", "editor bundle/config.json",
                    "\(tool.executable) run --bundle bundle NAME",
                ],
                rollBack: ["mv bundle.before bundle"])
        case .docker, .podman:
            return DeploymentSteps(
                deploy: ["\(tool.executable) build -t NAME:2 .", "\(tool.executable) run --rm -i NAME:2 \(words)"],
                rollBack: ["\(tool.executable) run --rm -i NAME:1 \(words)"])
        case .systemdRun:
            return DeploymentSteps(
                deploy: ["cp -p \(command[0]) \(command[0]).before", "systemd-run --pipe --wait --collect \(words)"],
                rollBack: ["mv \(command[0]).before \(command[0])"])
        }
    }

    /// Where a name is on this machine.
    private static func found(_ program: String) throws(ComparisonError) -> String {
        if program.hasPrefix("/") { return program }
        if program.contains("/") { return (OwnProcess.workingDirectory() ?? "") + "/" + program }
        let path = OwnProcess.variable("PATH") ?? "/usr/local/bin:/usr/bin:/bin"
        for folder in path.split(separator: ":") where Files.isExecutableFile("\(folder)/\(program)") {
            return "\(folder)/\(program)"
        }
        throw ComparisonError("find \(program): it is not on the PATH")
    }

    package func prepare() async throws(ComparisonError) {
        try await tool.prepare(directory, template, command)
        let sample = try await call([], limit: Self.usualLimit)
        // A tool that does not work here is told by itself and not by every call.
        if let failure = sample.failure, let reason = tool.refusal(failure.reason) { throw ComparisonError(reason) }
    }

    package func call(_ input: [UInt8], limit: Int) async throws(ComparisonError) -> CallSample {
        try await call(command, [], input, limit)
    }

    private func call(
        _ command: [String], _ environment: [String], _ input: [UInt8], _ limit: Int
    ) async throws(ComparisonError) -> CallSample {
        let files = try CallFiles(input)
        let (words, name) = try arguments(command, environment)
        let template = template
        let sample = try await HangWatch.shared.limited(nanoseconds: limit) { [tool] () throws(ComparisonError) in
            let began = Clock.monotonicNanoseconds()
            let running: RunningProgram
            do {
                running = try await template.startInBackground(
                    arguments: words, input: .descriptor(files.input.raw), output: .descriptor(files.output.raw),
                    error: .descriptor(files.errors.raw))
            } catch { throw ComparisonError("\(error)") }
            do throws(ComparisonError) {
                let end: ExitRecord
                do { end = try await running.wait() } catch { throw ComparisonError("\(error)") }
                let ended = Clock.monotonicNanoseconds()
                var sample = try CallSample(
                    start: 0, call: ended - began, cpu: tool.waitsForPrograms ? end.usage.cpuMicroseconds : nil,
                    status: end.status.shellStatus, how: "\(end.status)", files: files)
                sample.startNanoseconds = nil
                return sample
            } catch {
                await evenWhenCancelled { await tool.end(running, name, template) }
                throw error
            }
        }
        return sample ?? .hanging(limit: limit)
    }

    private func nextNumber() -> Int {
        number.withLock { number in
            number += 1
            return number
        }
    }

    /// The tool's words for one call, and the name by which it is known to the tool.
    private func arguments(_ command: [String], _ environment: [String]) throws(ComparisonError) -> ([String], String) {
        let name =
            "\(directory.split(separator: "/").last ?? "beside")-"
            + "\(nextNumber())"
        return (try tool.arguments(name, directory, command, environment), name)
    }

    // MARK: - Memory

    package func idleBytes() async -> Reading<Int> {
        do throws(ComparisonError) {
            let held = try await hold(1)
            let bytes = await held.memoryBytes()
            await held.release()
            return bytes
        } catch { return .unavailable("\(error)") }
    }

    /// The program is found while it waits for its input, and gets it then.
    package func busyBytes(_ input: [UInt8]) async -> Reading<Int> {
        do throws(ComparisonError) {
            let held = try await held(1)
            return try await held.released { () async throws(ComparisonError) in
                let programs = held.programs()
                async let feeding: Void = held.feed(input)
                return try await onThread { () throws(ComparisonError) in MemoryOfProcess.mostUntilEnd(programs) }
            }
        } catch { return .unavailable("\(error)") }
    }

    package func hold(_ count: Int) async throws(ComparisonError) -> any HeldInstances { try await held(count) }

    private func held(_ count: Int) async throws(ComparisonError) -> HeldBeside {
        let before = Set(Self.pids())
        var (running, names): ([RunningProgram], [String]) = ([], [])
        func all() -> HeldBeside {
            HeldBeside(tool: tool, template: template, running: running, names: names, before: before, command: command)
        }
        do throws(ComparisonError) {
            for _ in 0..<count {
                let (words, name) = try arguments(command, [])
                do {
                    running.append(
                        try await template.startInBackground(
                            arguments: words, input: .pipe, output: .null, error: .null))
                } catch { throw ComparisonError("\(error)") }
                names.append(name)
            }
            let limit = Clock.monotonicNanoseconds() + 20_000_000_000
            while true {
                let programs = all().programs()
                if programs.count >= count {
                    try await MemoryOfProcess.allWait(programs)
                    return all()
                }
                guard Clock.monotonicNanoseconds() < limit, (try? running[0].exitIfEnded()) == .some(nil) else {
                    throw ComparisonError(
                        "\(programs.count) of \(count) instances came up: the program does not wait for its input, or the tool failed"
                    )
                }
                do { try await Task.sleep(for: .milliseconds(2)) } catch {
                    throw ComparisonError("waiting was taken back")
                }
            }
        } catch {
            let some = all()
            await evenWhenCancelled { await some.release() }
            throw error
        }
    }

    static func pids() -> [Int32] { ((try? Files.list("/proc")) ?? []).compactMap { Int32($0) } }

    package func probe(_ environment: [String]) async throws(ComparisonError) -> [UInt8] {
        let sample = try await call([ownExecutable, "probe"], environment, [], Self.usualLimit)
        if sample.output.isEmpty, let failure = sample.failure { throw ComparisonError("run the probe: \(failure)") }
        return sample.output
    }

    package func meanCPUMicroseconds() async -> Reading<Double> {
        .unavailable(
            tool.waitsForPrograms
                ? "not every call has told its processor time"
                : "\(tool.rawValue) leaves its programs to another process, which counts for itself")
    }

    package func close() async { await tool.clear(directory, template) }
}

/// Instances that a tool keeps for us.
private struct HeldBeside: HeldInstances {
    var tool: BesideTool
    var template: Template
    var running: [RunningProgram]
    var names: [String]
    var before: Set<Int32>
    var command: [String]

    var method: String {
        "sum of the proportional set sizes (Pss) of the programs and of what the tool keeps beside each, /proc/PID/smaps_rollup"
    }

    /// The programs themselves: processes that are new and have our command line.
    func programs() -> [Int32] {
        let wanted = command.joined(separator: "\0") + "\0"
        return BesideRung.pids().filter { pid in
            !before.contains(pid) && (try? Files.readText("/proc/\(pid)/cmdline")) == wanted
        }
    }

    func memoryBytes() async -> Reading<Int> {
        let programs = programs()
        let beside = BesideRung.pids().filter { pid in
            guard !before.contains(pid), !programs.contains(pid), let name = try? Files.readText("/proc/\(pid)/comm")
            else { return false }
            return BesideTool.companions.contains(String(name.dropLast()))
        }
        let sum = (programs + beside).compactMap { MemoryOfProcess.proportional($0).value }.reduce(0, +)
        return programs.isEmpty ? .unavailable("no instance was found") : .measured(sum)
    }

    /// Gives all of them this input, and its end.
    func feed(_ input: [UInt8]) async {
        for one in running {
            // One that does not read all of it has done its work all the same.
            try? await one.standardInput?.write(input)
            try? await one.standardInput?.finish()
        }
    }

    func killOne() async throws(ComparisonError) -> Int {
        guard let pid = programs().first else { throw ComparisonError("no instance was found") }
        let now = Clock.monotonicNanoseconds()
        do { try ProcessFD(pid: pid).signal(Signal.kill) } catch { throw ComparisonError("\(error)") }
        return now
    }

    func release() async {
        for pid in programs() { try? ProcessFD(pid: pid).signal(Signal.kill) }
        for (one, name) in zip(running, names) {
            let ended = try? await HangWatch.shared.limited(nanoseconds: 5_000_000_000) { () throws(ComparisonError) in
                do { _ = try await one.wait() } catch { throw ComparisonError("\(error)") }
                return true
            }
            if ended == nil { await tool.end(one, name, template) }
        }
    }
}
