import Keeper
package import Linux
import Synchronization

/// One health check: a program run inside the container, its output kept in part, its time bounded.
struct HealthProbe: Sendable {
    let executions: Executions
    let planner: LaunchPlanner
    let ground: ContainerGround
    let link: KeeperLink

    /// How long after a kill that did not reach the program it is tried again.
    private static let killPause = Duration.milliseconds(50)

    /// Runs the check and says how it went; when it has taken too long, or this task is cancelled, the program is killed.
    func run(_ words: [String], in record: ContainerRecord, timeoutNanoseconds: Int) async -> ProbeResult {
        let start = Clock.now()
        let capture: OutputCapture
        let execution: Execution
        do {
            capture = try OutputCapture(limit: ProbeResult.outputLimit)
            let wish = ExecuteInContainer(container: record.id, program: words[0], arguments: Array(words.dropFirst()))
            execution = try await Execution(
                wish, in: record, sandbox: record.sandbox(run: record.lifecycle.runs), planner: planner, ground: ground)
        } catch { return Self.failure("\(error)", since: start) }
        let name = execution.request.name
        let isLate = Mutex(false)
        let watch = Task {
            try await Task.sleep(for: .nanoseconds(timeoutNanoseconds))
            isLate.withLock { $0 = true }
            await kill(name)
        }
        defer { watch.cancel() }
        var end: ContainerEnd?
        var problem = ""
        do throws(NodeFailure) {
            end = try await executions.run(execution, descriptors: capture.takeDescriptors()) { _, _ in }.end
        } catch { problem = error.message }
        if Task.isCancelled { Task { await kill(name, attempts: 20) } }
        let output = await capture.finish()
        if isLate.withLock({ $0 }) {
            let limit = Self.seconds(timeoutNanoseconds)
            return Self.failure("Health check exceeded timeout (\(limit)): \(output)", since: start)
        }
        guard let status = end?.exitStatus else { return Self.failure(problem.isEmpty ? output : problem, since: start) }
        return ProbeResult(start: start, end: Clock.now(), exitStatus: status, output: output)
    }

    /// Kills the program: again and again, since its start may still be on its way.
    private func kill(_ name: String, attempts: Int = .max) async {
        for _ in 0..<attempts {
            let request = KeeperRequest.signal(sandbox: name, number: Signal.kill, wholeTree: false)
            if (try? await link.perform(request)) != nil { return }
            guard (try? await Task.sleep(for: Self.killPause)) != nil else { return }
        }
    }

    private static func failure(_ output: String, since start: Timestamp) -> ProbeResult {
        ProbeResult(start: start, end: Clock.now(), exitStatus: nil, output: output)
    }

    private static func seconds(_ nanoseconds: Int) -> String {
        let milliseconds = nanoseconds / 1_000_000
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000)s" : "\(milliseconds)ms"
    }
}

/// The beginning of what a program writes to a pipe; the rest is read and dropped, so that nobody is held up.
package final class OutputCapture: Sendable {
    private struct State {
        /// The program's ends; handed over once.
        var given: [SharedFD]
        var bytes: [UInt8] = []
    }

    private let reader: SharedFD
    private let state: Mutex<State>
    private let limit: Int
    private let reading = Mutex<Task<Void, Never>?>(nil)

    package init(limit: Int) throws(SystemError) {
        var pipe = try Files.pipe()
        let reader = SharedFD(pipe.takeReader())
        try Files.setNonBlocking(reader.raw)
        let writer = SharedFD(pipe.takeWriter())
        let nothing = SharedFD(try Files.open("/dev/null", 0))
        self.reader = reader
        self.limit = limit
        state = Mutex(State(given: [nothing, writer, writer]))
        let task = Task { [weak self] in
            while (try? await Readiness.shared.readable(reader.raw)) != nil {
                guard let self, self.take() else { return }
            }
        }
        self.reading.withLock { $0 = task }
    }

    /// What the program gets as its streams. Let go of them, so that their end is seen.
    package func takeDescriptors() -> [SharedFD] {
        state.withLock { state in
            defer { state.given = [] }
            return state.given
        }
    }

    /// What there is, once the program has ended. What it left running may go on writing to nobody.
    package func finish() async -> String {
        let task = reading.withLock { $0 }
        task?.cancel()
        await task?.value
        // A pipe holds 64 KiB: after as many pieces everything that the program itself wrote was read.
        for _ in 0..<32 { guard take() else { break } }
        return state.withLock { String(decoding: $0.bytes, as: UTF8.self) }
    }

    /// Reads a piece; false at the end, or when there is none now.
    private func take() -> Bool {
        guard let piece = try? Files.readSome(reader.raw, count: 4096), !piece.isEmpty else { return false }
        state.withLock { $0.bytes += piece.prefix(limit - $0.bytes.count) }
        return true
    }
}
