package import Engine
import Linux

/// The program as a container of its own for each call, through a node.
package struct ContainerRung: ComparedRung {
    package let label = RungLabel(name: "container", title: "container")
    private let node: NodeClient
    private let spec: ContainerSpec
    private let ownExecutable: String

    package init(_ node: NodeClient, _ spec: ContainerSpec, ownExecutable: String) {
        self.node = node
        self.spec = spec
        self.ownExecutable = ownExecutable
    }

    package func prepare() async throws(ComparisonError) {}

    package func call(_ input: [UInt8]) async throws(ComparisonError) -> CallSample {
        let files = try CallFiles(input)
        let began = Clock.monotonicNanoseconds()
        var started = began
        let end = try await run(spec, files) { _ in started = Clock.monotonicNanoseconds() }
        let ended = Clock.monotonicNanoseconds()
        return try CallSample(
            start: started - began, call: ended - began, cpu: end.userMicroseconds + end.systemMicroseconds,
            status: end.exitStatus, how: end.how, files: files)
    }

    package func idleBytes() async -> Reading<Int> {
        do {
            var pipe = try Files.pipe()
            let input = pipe.takeReader()
            let open = pipe.takeWriter()
            let nowhere = SharedFD(try Files.open("/dev/null", 1))
            var bytes = Reading<Int>.unavailable("it did not start")
            let client = node
            _ = try await node.stream(
                RunContainer(spec, attachment: .passed, waits: true),
                descriptors: [input.raw, nowhere.raw, nowhere.raw]
            ) { started, _ in
                bytes = await MemoryOfProcess.whenWaiting(started.pid)
                _ = try? await client.call(KillContainer(container: started.id, signal: Signal.kill))
            }
            open.close()
            return bytes
        } catch { return .unavailable("\(error)") }
    }

    package func busyBytes(_ input: [UInt8]) async -> Reading<Int> {
        do {
            let files = try CallFiles(input)
            var most = Reading<Int>.unavailable("it did not start")
            _ = try await run(spec, files) { started in
                most = (try? await onThread { () throws(ComparisonError) in MemoryOfProcess.mostUntilEnd([started.pid]) })
                    ?? .unavailable("it could not be watched")
            }
            return most
        } catch { return .unavailable("\(error)") }
    }

    package func probe(_ environment: [String]) async throws(ComparisonError) -> [UInt8] {
        var probe = spec
        probe.program = ownExecutable
        probe.arguments = ["probe"]
        probe.environment += environment
        let files = try CallFiles([])
        _ = try await run(probe, files) { _ in }
        return try files.result()
    }

    package func close() async {}

    private func run(
        _ spec: ContainerSpec, _ files: CallFiles, _ onStart: (ContainerStarted) async -> Void
    ) async throws(ComparisonError) -> ContainerEnd {
        do {
            let answer = try await node.stream(
                RunContainer(spec, attachment: .passed, waits: true), descriptors: files.descriptors
            ) { started, _ in await onStart(started) }
            guard let end = answer.end else { throw ComparisonError("the node did not say how the program ended") }
            return end
        } catch let error as ComparisonError {
            throw error
        } catch { throw ComparisonError("\(error)") }
    }
}

/// The program as a function: each call takes a copy that waits at its first read already.
package struct FunctionRung: ComparedRung {
    package let label = RungLabel(name: "function", title: "function, standby")
    private let node: NodeClient
    private let spec: ContainerSpec
    private let ownExecutable: String
    private let copies: Int

    /// - Parameter copies: how many are kept waiting.
    package init(_ node: NodeClient, _ spec: ContainerSpec, copies: Int, ownExecutable: String) {
        self.node = node
        var spec = spec
        spec.rung = .function
        self.spec = spec
        self.copies = copies
        self.ownExecutable = ownExecutable
    }

    /// Calls once, which makes the pool, and waits until its copies wait.
    package func prepare() async throws(ComparisonError) {
        _ = try await call([])
        for _ in 0..<1000 {
            if let summary = try await summary(), summary.waiting >= copies { return }
            try? await Task.sleep(for: .milliseconds(10))
        }
        throw ComparisonError("the function's standbys do not become ready: does the program read standard input?")
    }

    package func call(_ input: [UInt8]) async throws(ComparisonError) -> CallSample {
        try await call(spec, input)
    }

    private func call(_ spec: ContainerSpec, _ input: [UInt8]) async throws(ComparisonError) -> CallSample {
        let files = try CallFiles(input)
        let began = Clock.monotonicNanoseconds()
        let answer: FunctionAnswer
        do {
            answer = try await node.call(
                CallFunction(spec, minimum: copies, maximum: copies * 4), descriptors: files.descriptors)
        } catch { throw ComparisonError("\(error)") }
        let ended = Clock.monotonicNanoseconds()
        // What the call took beside the program's own run with its input: the way there, the choice of a copy, the way back.
        return try CallSample(
            start: max(0, ended - began - answer.runMicroseconds * 1000), call: ended - began,
            cpu: answer.end.userMicroseconds + answer.end.systemMicroseconds, status: answer.end.exitStatus,
            how: answer.end.how, files: files)
    }

    private func summary() async throws(ComparisonError) -> FunctionSummary? {
        do { return try await node.call(ListFunctions()).functions.first { $0.program == spec.program } } catch {
            throw ComparisonError("\(error)")
        }
    }

    package func idleBytes() async -> Reading<Int> {
        guard let pid = copyPids().first else { return .unavailable("no standby was found") }
        return MemoryOfProcess.proportional(pid)
    }

    package func busyBytes(_ input: [UInt8]) async -> Reading<Int> {
        let pids = copyPids()
        guard !pids.isEmpty else { return .unavailable("no standby was found") }
        async let most = onThread { () throws(ComparisonError) in MemoryOfProcess.mostUntilEnd(pids) }
        _ = try? await call(input)
        return (try? await most) ?? .unavailable("it could not be watched")
    }

    /// Processes whose executable is the program and which the keeper started: the standbys.
    private func copyPids() -> [Int32] {
        guard let keeper = (try? Files.list("/proc"))?.compactMap({ Int32($0) }).filter({ isCopy($0) }) else { return [] }
        return keeper
    }

    private func isCopy(_ pid: Int32) -> Bool {
        guard let command = try? Files.readText("/proc/\(pid)/cmdline"), let status = try? Files.readText("/proc/\(pid)/status"),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("NSpid:") })
        else { return false }
        // Process 1 of a namespace of its own, with our program's name as its first argument.
        let name = command.split(separator: "\0", maxSplits: 1).first.map(String.init) ?? ""
        return line.split(separator: "\t").last == "1" && line.split(separator: "\t").count > 2 && name == spec.program
    }

    package func probe(_ environment: [String]) async throws(ComparisonError) -> [UInt8] {
        var probe = spec
        probe.name = "forkless-probe"
        probe.program = ownExecutable
        // It stands by like any other: it waits for the end of its input before it probes.
        probe.arguments = ["probe", "--after-input"]
        probe.environment += environment
        return try await call(probe, []).output
    }

    package func close() async {}
}

extension ContainerEnd {
    /// "exited with status 2", "killed by SIGKILL".
    fileprivate var how: String {
        if keeperLost { return "its keeper was lost" }
        if outOfMemory { return "killed because its memory limit was reached" }
        if let signal { return "killed by \(Signal.name(of: signal))" }
        return "exited with status \(exitStatus ?? -1)"
    }
}
