package import Engine
import Linux
import Synchronization

/// The program as a container of its own for each call, through a node.
package struct ContainerRung: ComparedRung {
    package let label = RungLabel(name: "container", title: "container")
    package let billing = CostEstimate.Billing.perCall(isFunction: false)
    private let node: NodeClient
    private let spec: ContainerSpec
    private let ownExecutable: String

    package init(_ node: NodeClient, _ spec: ContainerSpec, ownExecutable: String) {
        self.node = node
        self.spec = spec
        self.ownExecutable = ownExecutable
    }

    package var setUp: String {
        "a new container for each call, the machine's files read-only"
            + (spec.memoryBytes.map { ", at most \(FloatingText.bytes($0))" } ?? "")
    }

    package var steps: DeploymentSteps {
        DeploymentSteps(
            deploy: ["forkless node --detach", "forkless shift \(spec.program) --mode full --to container"],
            rollBack: ["forkless shift rollback \(spec.program)"])
    }

    package func prepare() async throws(ComparisonError) {}

    package func call(_ input: [UInt8], limit: Int) async throws(ComparisonError) -> CallSample {
        let files = try CallFiles(input)
        let sample = try await HangWatch.shared.limited(nanoseconds: limit) { () throws(ComparisonError) in
            let began = Clock.monotonicNanoseconds()
            let started = Mutex(began)
            let end = try await run(spec, files) { _ in started.withLock { $0 = Clock.monotonicNanoseconds() } }
            let ended = Clock.monotonicNanoseconds()
            return try CallSample(
                start: started.withLock { $0 } - began, call: ended - began,
                cpu: end.userMicroseconds + end.systemMicroseconds,
                status: end.exitStatus, how: end.how, outOfMemory: end.outOfMemory, files: files)
        }
        return sample ?? .hanging(limit: limit)
    }

    package func idleBytes() async -> Reading<Int> {
        do throws(ComparisonError) {
            let held = try await hold(1)
            let bytes = await held.memoryBytes()
            await held.release()
            return bytes
        } catch { return .unavailable("\(error)") }
    }

    package func busyBytes(_ input: [UInt8]) async -> Reading<Int> {
        do {
            let files = try CallFiles(input)
            var most = Reading<Int>.unavailable("it did not start")
            _ = try await run(spec, files) { started in
                most =
                    (try? await onThread { () throws(ComparisonError) in MemoryOfProcess.mostUntilEnd([started.pid]) })
                    ?? .unavailable("it could not be watched")
                _ = try? await node.call(KillContainer(container: started.id, signal: Signal.kill))
            }
            return most
        } catch { return .unavailable("\(error)") }
    }

    package func hold(_ count: Int) async throws(ComparisonError) -> any HeldInstances {
        let held = HeldContainers(node)
        do throws(ComparisonError) {
            for _ in 0..<count { held.start(spec) }
            try await MemoryOfProcess.allWait(try await held.pids(count))
            return held
        } catch {
            await evenWhenCancelled { await held.release() }
            throw error
        }
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

    /// Runs a container to its end; one that is taken back is killed first.
    private func run(
        _ spec: ContainerSpec, _ files: CallFiles, _ onStart: (ContainerStarted) async -> Void
    ) async throws(ComparisonError) -> ContainerEnd {
        var id: String?
        do {
            let answer = try await node.stream(
                RunContainer(spec, attachment: .passed, waits: true), descriptors: files.descriptors
            ) { started, _ in
                id = started.id
                await onStart(started)
            }
            guard let end = answer.end else { throw ComparisonError("the node did not say how the program ended") }
            return end
        } catch {
            if let id {
                let node = node
                // Not this task, which may have been cancelled.
                _ = await Task { try? await node.call(KillContainer(container: id, signal: Signal.kill)) }.value
            }
            throw error as? ComparisonError ?? ComparisonError("\(error)")
        }
    }
}

/// Containers that wait for their input.
private final class HeldContainers: HeldInstances {
    private struct State {
        var started: [ContainerStarted] = []
        var inputs: [SharedFD] = []
        var ends: [Task<Void, Never>] = []
        var failure: ComparisonError?
    }

    private let node: NodeClient
    private let state = Mutex(State())

    init(_ node: NodeClient) { self.node = node }

    var method: String { MemoryOfProcess.method }

    func start(_ spec: ContainerSpec) {
        let task = Task {
            do {
                var pipe = try Files.pipe()
                let input = pipe.takeReader()
                let open = SharedFD(pipe.takeWriter())
                let nowhere = SharedFD(try Files.open("/dev/null", 1))
                self.state.withLock { $0.inputs.append(open) }
                _ = try await self.node.stream(
                    RunContainer(spec, attachment: .passed, waits: true),
                    descriptors: [input.raw, nowhere.raw, nowhere.raw]
                ) { started, _ in self.state.withLock { $0.started.append(started) } }
            } catch { self.state.withLock { $0.failure = $0.failure ?? ComparisonError("\(error)") } }
        }
        state.withLock { $0.ends.append(task) }
    }

    /// Of so many containers, when all of them have started.
    func pids(_ count: Int) async throws(ComparisonError) -> [Int32] {
        while true {
            let (started, failure) = state.withLock { ($0.started, $0.failure) }
            if let failure { throw failure }
            if started.count == count { return started.map(\.pid) }
            do { try await Task.sleep(for: .milliseconds(1)) } catch { throw ComparisonError("waiting was taken back") }
        }
    }

    func memoryBytes() async -> Reading<Int> { MemoryOfProcess.proportional(state.withLock { $0.started.map(\.pid) }) }

    func killOne() async throws(ComparisonError) -> Int {
        let (one, end) = state.withLock { ($0.started.first, $0.ends.first) }
        guard let one, let end else { throw ComparisonError("no container was started") }
        let now = Clock.monotonicNanoseconds()
        do { _ = try await node.call(KillContainer(container: one.id, signal: Signal.kill)) } catch {
            throw ComparisonError("\(error)")
        }
        await end.value
        return now
    }

    func release() async {
        let state = state.withLock { $0 }
        let node = node
        await withTaskGroup(of: Void.self) { group in
            for one in state.started {
                group.addTask { _ = try? await node.call(KillContainer(container: one.id, signal: Signal.kill)) }
            }
        }
        for end in state.ends { await end.value }
    }
}

extension ContainerEnd {
    /// "exited with status 2", "killed by SIGKILL".
    var how: String {
        if keeperLost { return "its keeper was lost" }
        if outOfMemory { return "killed because its memory limit was reached" }
        if let signal { return "killed by \(Signal.name(of: signal))" }
        return "exited with status \(exitStatus ?? -1)"
    }
}
