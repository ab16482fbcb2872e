import Linux
import Spawn

/// The program as a child of this process: what legacy systems do with fork and exec, or without the copy.
package struct SpawnedRung: ComparedRung {
    package let label: RungLabel
    private let template: Template
    private let ownExecutable: String
    private let memory: CompiledProgram.MemorySharing

    /// - Parameter copiesMemory: real fork semantics: the parent's page tables are copied for the child.
    package init(_ program: String, _ arguments: [String], copiesMemory: Bool, ownExecutable: String) throws(ComparisonError) {
        var options = Options()
        memory = copiesMemory ? .copied : .shared
        options.memory = memory
        label =
            copiesMemory
            ? RungLabel(name: "fork", title: "fork + exec") : RungLabel(name: "process", title: "process")
        self.ownExecutable = ownExecutable
        do {
            template = try Template(program.contains("/") ? .path(program) : .name(program), arguments: arguments, options: options)
        } catch { throw ComparisonError("\(error)") }
    }

    package func prepare() async throws(ComparisonError) {}

    package func call(_ input: [UInt8]) async throws(ComparisonError) -> CallSample {
        let files = try CallFiles(input)
        let template = template
        // On a thread that may block: both the start and the wait do.
        return try await onThread { () throws(ComparisonError) in
            let began = Clock.monotonicNanoseconds()
            let running = try Self.start(template, files)
            let started = Clock.monotonicNanoseconds()
            let end = try Self.wait(for: running)
            let ended = Clock.monotonicNanoseconds()
            return try CallSample(
                start: started - began, call: ended - began, cpu: end.usage.cpuMicroseconds,
                status: end.status.shellStatus, how: "\(end.status)", files: files)
        }
    }

    package func idleBytes() async -> Reading<Int> {
        do {
            let running = try template.start(input: .pipe, output: .null, error: .null)
            let bytes = await MemoryOfProcess.whenWaiting(running.pid)
            try running.killTree()
            _ = try await running.wait()
            return bytes
        } catch { return .unavailable("\(error)") }
    }

    package func busyBytes(_ input: [UInt8]) async -> Reading<Int> {
        do {
            let files = try CallFiles(input)
            let template = template
            return try await onThread { () throws(ComparisonError) in
                let running = try Self.start(template, files)
                // wait4 would count the parent's memory, which was the child's until its exec.
                let most = MemoryOfProcess.mostUntilEnd([running.pid])
                _ = try Self.wait(for: running)
                return most
            }
        } catch { return .unavailable("\(error)") }
    }

    package func probe(_ environment: [String]) async throws(ComparisonError) -> [UInt8] {
        do {
            var options = Options()
            options.memory = memory
            options.environment = .updating(
                environment.reduce(into: [:]) { names, entry in
                    let parts = entry.split(separator: "=", maxSplits: 1).map(String.init)
                    names[parts[0]] = parts.count == 2 ? parts[1] : ""
                })
            options.standardInput = .null
            options.standardError = .null
            return try await Template(.path(ownExecutable), arguments: ["probe"], options: options).run().output
        } catch { throw ComparisonError("run the probe: \(error)") }
    }

    package func close() async {}

    private static func start(_ template: Template, _ files: CallFiles) throws(ComparisonError) -> RunningProgram {
        do {
            return try template.start(
                input: .descriptor(files.input.raw), output: .descriptor(files.output.raw),
                error: .descriptor(files.errors.raw))
        } catch { throw ComparisonError("\(error)") }
    }

    private static func wait(for running: RunningProgram) throws(ComparisonError) -> ExitRecord {
        do { return try running.waitBlocking() } catch { throw ComparisonError("\(error)") }
    }
}

/// Runs what blocks away from the cooperative pool.
func onThread<Value: Sendable>(
    _ body: @escaping @Sendable () throws(ComparisonError) -> Value
) async throws(ComparisonError) -> Value {
    let result: Result<Value, ComparisonError>
    do {
        result = try await BlockingPool.shared.run { () throws(SystemError) in
            Result { () throws(ComparisonError) in try body() }
        }
    } catch { throw ComparisonError("\(error)") }
    return try result.get()
}
