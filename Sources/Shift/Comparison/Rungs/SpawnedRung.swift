import Linux
package import Spawn

/// The program as a child of this process: what legacy systems do with fork and exec, or without the copy.
package struct SpawnedRung: ComparedRung {
    package let label: RungLabel
    package let setUp: String
    package let billing = CostEstimate.Billing.perCall(isFunction: false)
    private let template: Template
    private let program: String
    private let ownExecutable: String
    private let memory: CompiledProgram.MemorySharing

    /// - Parameters:
    ///   - copiesMemory: real fork semantics: the parent's page tables are copied for the child.
    ///   - parentBytes: how large the parent is, to say so.
    package init(
        _ program: String, _ arguments: [String], copiesMemory: Bool, parentBytes: Int = 0, ownExecutable: String
    ) throws(ComparisonError) {
        var options = Options()
        memory = copiesMemory ? .copied : .shared
        options.memory = memory
        label =
            copiesMemory
            ? RungLabel(name: "fork", title: "fork + exec") : RungLabel(name: "process", title: "process")
        let parent = parentBytes > 0 ? "from a parent of \(FloatingText.bytes(parentBytes))" : "from a small parent"
        setUp = parent + (copiesMemory ? ", whose page tables are copied" : ", without a copy of its page tables")
        self.program = program
        self.ownExecutable = ownExecutable
        do {
            template = try Template(
                program.contains("/") ? .path(program) : .name(program), arguments: arguments, options: options)
        } catch { throw ComparisonError("\(error)") }
    }

    package var steps: DeploymentSteps {
        let name = program.split(separator: "/").last.map(String.init) ?? program
        return DeploymentSteps(
            deploy: [
                "cp -p /usr/local/bin/\(name) /usr/local/bin/\(name).before",
                "install -m 755 \(program) /usr/local/bin/\(name)",
            ], rollBack: ["mv /usr/local/bin/\(name).before /usr/local/bin/\(name)"])
    }

    package func prepare() async throws(ComparisonError) {}

    package func call(_ input: [UInt8], limit: Int) async throws(ComparisonError) -> CallSample {
        let files = try CallFiles(input)
        let template = template
        let sample = try await HangWatch.shared.limited(nanoseconds: limit) { () throws(ComparisonError) in
            // On a thread that may block: a start from a large parent does.
            let (running, began, started) = try await onThread { () throws(ComparisonError) in
                let began = Clock.monotonicNanoseconds()
                let running = try Self.start(template, files)
                return (running, began, Clock.monotonicNanoseconds())
            }
            let end = try await Self.wait(for: running)
            let ended = Clock.monotonicNanoseconds()
            return try CallSample(
                start: started - began, call: ended - began, cpu: end.usage.cpuMicroseconds,
                status: end.status.shellStatus, how: "\(end.status)", files: files)
        }
        return sample ?? .hanging(limit: limit)
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
                Self.untilInOwnMemory(running.pid)
                // wait4 would count the parent's memory, which was the child's until its exec.
                let most = MemoryOfProcess.mostUntilEnd([running.pid], limit: MemoryOfProcess.watchNanoseconds)
                try? running.killTree()
                do { _ = try running.waitBlocking() } catch { throw ComparisonError("\(error)") }
                return most
            }
        } catch { return .unavailable("\(error)") }
    }

    /// The kernel lets us go on a moment before a child has left our memory for its own, whose size would be told as the child's.
    private static func untilInOwnMemory(_ pid: Int32) {
        let ours = try? OwnProcess.executable()
        let limit = Clock.monotonicNanoseconds() + 10_000_000
        while let its = try? Files.link("/proc/\(pid)/exe"), its == ours, Clock.monotonicNanoseconds() < limit {}
    }

    package func hold(_ count: Int) async throws(ComparisonError) -> any HeldInstances {
        let template = template
        let running = try await onThread { () throws(ComparisonError) in
            do {
                return try (0..<count).map { _ in try template.start(input: .pipe, output: .null, error: .null) }
            } catch { throw ComparisonError("\(error)") }
        }
        let held = HeldProcesses(running)
        do throws(ComparisonError) { try await MemoryOfProcess.allWait(running.map(\.pid)) } catch {
            await evenWhenCancelled { await held.release() }
            throw error
        }
        return held
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

    /// Waits for the end; when the call was taken back, kills what runs and waits for that.
    private static func wait(for running: RunningProgram) async throws(ComparisonError) -> ExitRecord {
        do { return try await running.wait() } catch {
            try? running.killTree()
            // Not this task, which was cancelled: it would not wait.
            _ = await Task { try? await running.wait() }.value
            throw ComparisonError("\(error)")
        }
    }
}

/// Programs that were started and wait for their input.
package struct HeldProcesses: HeldInstances {
    private let running: [RunningProgram]

    package init(_ running: [RunningProgram]) { self.running = running }

    package var method: String { MemoryOfProcess.method }

    package func memoryBytes() async -> Reading<Int> { MemoryOfProcess.proportional(running.map(\.pid)) }

    package func killOne() async throws(ComparisonError) -> Int {
        guard let one = running.first else { throw ComparisonError("no instance was started") }
        let now = Clock.monotonicNanoseconds()
        do {
            try one.killTree()
            _ = try await one.wait()
        } catch { throw ComparisonError("\(error)") }
        return now
    }

    package func release() async {
        for one in running { try? one.killTree() }
        for one in running { _ = try? await one.wait() }
    }
}

/// Runs what blocks away from the cooperative pool.
package func onThread<Value: Sendable>(
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
