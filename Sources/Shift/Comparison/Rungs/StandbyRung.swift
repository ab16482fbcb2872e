package import Engine
import Linux

/// The program as a function: each call takes a copy that waits at its first read already.
package struct StandbyRung: ComparedRung {
    package let label = RungLabel(name: "standby", title: "function, standby")
    package let billing: CostEstimate.Billing
    private let node: NodeClient
    private let spec: ContainerSpec
    private let ownExecutable: String
    private let copies: Int
    /// Calls at once for which there may be copies.
    private static let mostCopies = 128

    /// - Parameter copies: how many are kept waiting.
    package init(_ node: NodeClient, _ spec: ContainerSpec, copies: Int, ownExecutable: String) {
        self.node = node
        var spec = spec
        spec.rung = .function
        // A pool of our own, which can be removed.
        spec.name = Self.name()
        self.spec = spec
        self.copies = copies
        self.ownExecutable = ownExecutable
        billing = .keptReady(instances: copies)
    }

    private static func name() -> String { "compare-" + String(UInt64.random(in: .min ... .max), radix: 36) }

    package var setUp: String {
        "\(copies) copies wait at their first read; each call takes one and another is started"
    }

    package var steps: DeploymentSteps {
        DeploymentSteps(
            deploy: ["forkless node --detach", "forkless shift \(spec.program) --mode full --to standby"],
            rollBack: ["forkless shift rollback \(spec.program)"])
    }

    /// Calls once, which makes the pool, and waits until its copies wait.
    package func prepare() async throws(ComparisonError) {
        let first = try await call([], limit: Self.usualLimit)
        // A program may well refuse an empty input; that it hangs without one says that it does not read its input.
        if first.failure?.kind == .hang { throw ComparisonError(Self.doesNotWait) }
        try await waiting(spec.name, copies)
    }

    private static let doesNotWait =
        "the function's standbys do not become ready: does the program read standard input?"

    package func call(_ input: [UInt8], limit: Int) async throws(ComparisonError) -> CallSample {
        try await call(spec, copies, input, limit)
    }

    private func call(
        _ spec: ContainerSpec, _ copies: Int, _ input: [UInt8], _ limit: Int
    ) async throws(ComparisonError) -> CallSample {
        let files = try CallFiles(input)
        let (node, most) = (node, max(Self.mostCopies, copies * 4))
        let sample = try await HangWatch.shared.limited(nanoseconds: limit) { () throws(ComparisonError) in
            let began = Clock.monotonicNanoseconds()
            let answer: FunctionAnswer
            do {
                answer = try await node.call(
                    CallFunction(spec, minimum: copies, maximum: most), descriptors: files.descriptors)
            } catch { throw ComparisonError("\(error)") }
            let ended = Clock.monotonicNanoseconds()
            // What the call took beside the program's own run with its input: the way there, the choice of a copy, the way back.
            return try CallSample(
                start: max(0, ended - began - answer.runMicroseconds * 1000), call: ended - began,
                cpu: answer.end.userMicroseconds + answer.end.systemMicroseconds, status: answer.end.exitStatus,
                how: answer.end.how, outOfMemory: answer.end.outOfMemory, files: files)
        }
        return sample ?? .hanging(limit: limit)
    }

    /// Returns when so many copies of a pool wait.
    private func waiting(_ name: String?, _ count: Int) async throws(ComparisonError) {
        let limit = Clock.monotonicNanoseconds() + 20_000_000_000
        while Clock.monotonicNanoseconds() < limit {
            do {
                let list = try await node.call(ListFunctions()).functions
                if let summary = list.first(where: { $0.name == name }), summary.waiting >= count { return }
                try await Task.sleep(for: .milliseconds(1))
            } catch { throw ComparisonError("\(error)") }
        }
        throw ComparisonError(Self.doesNotWait)
    }

    package func idleBytes() async -> Reading<Int> {
        await InstanceProcesses.idleBytes(of: waitingCopies, none: Self.noneFound)
    }

    package func busyBytes(_ input: [UInt8]) async -> Reading<Int> {
        let pids = copyPids()
        guard !pids.isEmpty else { return .unavailable(Self.noneFound) }
        async let most = onThread { () throws(ComparisonError) in MemoryOfProcess.mostUntilEnd(pids) }
        _ = try? await call(input)
        return (try? await most) ?? .unavailable("it could not be watched")
    }

    /// A pool of its own with so many copies.
    package func hold(_ count: Int) async throws(ComparisonError) -> any HeldInstances {
        var held = spec
        held.name = Self.name()
        let before = Set(copyPids())
        let pool = HeldStandbys(node, held.name ?? "") { copyPids().filter { !before.contains($0) } }
        do throws(ComparisonError) {
            _ = try await call(held, count, [], Self.usualLimit)
            try await waiting(held.name, count)
            return pool
        } catch {
            await evenWhenCancelled { await pool.release() }
            throw error
        }
    }

    /// A copy of the pool itself: the next call finds one less.
    package func killInstance() async throws(ComparisonError) -> Int {
        try InstanceProcesses.killFirst(of: try await waitingCopies(), none: Self.noneFound)
    }

    private static let noneFound = "no standby was found"

    private func waitingCopies() async throws(ComparisonError) -> [Int32] {
        try await InstanceProcesses.waiting(among: copyPids, none: Self.noneFound)
    }

    /// Processes whose executable is the program and which the keeper started: the standbys.
    private func copyPids() -> [Int32] {
        ((try? Files.list("/proc")) ?? []).compactMap { Int32($0) }.filter { isCopy($0) }
    }

    private func isCopy(_ pid: Int32) -> Bool {
        guard let command = try? Files.readText("/proc/\(pid)/cmdline"),
            let numbers = InstanceProcesses.numbers(of: pid)
        else { return false }
        // Process 1 of a namespace of its own, with our program's name as its first argument.
        let name = command.split(separator: "\0", maxSplits: 1).first.map(String.init) ?? ""
        return numbers.last == 1 && numbers.count > 1 && name == spec.program
    }

    package func probe(_ environment: [String]) async throws(ComparisonError) -> [UInt8] {
        var probe = spec
        probe.name = Self.name()
        probe.program = ownExecutable
        // It stands by like any other: it waits for the end of its input before it probes.
        probe.arguments = ["probe", "--after-input"]
        probe.environment += environment
        let pool = HeldStandbys(node, probe.name ?? "") { [] }
        return try await pool.released { () async throws(ComparisonError) in
            try await call(probe, 0, [], Self.usualLimit).output
        }
    }

    package func close() async { await HeldStandbys(node, spec.name ?? "") { [] }.release() }
}

/// The copies of a pool.
private struct HeldStandbys: HeldInstances {
    private let node: NodeClient
    private let name: String
    private let pids: @Sendable () -> [Int32]

    init(_ node: NodeClient, _ name: String, pids: @escaping @Sendable () -> [Int32]) {
        self.node = node
        self.name = name
        self.pids = pids
    }

    var method: String { MemoryOfProcess.method }

    func memoryBytes() async -> Reading<Int> { MemoryOfProcess.proportional(pids()) }

    func killOne() async throws(ComparisonError) -> Int { throw ComparisonError("a pool's own copy is killed instead") }

    func release() async { _ = try? await node.call(RemoveFunction(name: name)) }
}
