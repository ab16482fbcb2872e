import Keeper
import Linux
import Spawn
import Synchronization

/// Another program in a container, made concrete.
struct Execution: Sendable {
    var request: ExecuteRequest

    /// Looks the program and the user up inside the container's root.
    init(
        _ wish: ExecuteInContainer, in record: ContainerRecord, sandbox: String, planner: LaunchPlanner,
        ground: ContainerGround
    ) async throws(NodeFailure) {
        var spec = record.spec
        spec.program = wish.program
        spec.arguments = wish.arguments
        spec.entrypoint = nil
        spec.environment = DefaultEnvironment.merge(wish.environment, over: record.spec.environment)
        spec.directory = wish.directory ?? record.spec.directory
        spec.user = wish.user ?? record.spec.user
        spec.hasTerminal = wish.terminalSize != nil
        let findings = try await planner.findings(for: spec, image: try await ground.root(of: record))
        let call = ProgramCall(
            path: findings.program.path, arguments: StringBlock([wish.program] + wish.arguments),
            environment: DefaultEnvironment.of(spec, identity: findings.identity, hostname: ground.hostname(of: record)),
            directory: spec.directory)
        // Random, so that no node before or after this one used the name.
        let name = "\(sandbox).x\(ContainerNames.hex(UInt64.random(in: .min ... .max)))"
        request = ExecuteRequest(
            sandbox: sandbox, name: name, call: call, terminal: wish.terminalSize,
            identity: wish.user == nil ? nil : findings.identity)
    }
}

/// The programs executed in containers whose ends somebody here waits for.
///
/// They are not recorded: who asked for one is gone when the node is, and it ends with its container at the latest.
final class Executions: Sendable {
    private enum Outcome: Sendable {
        case running
        case ended(EndReport)
        case lost
    }

    private let link: KeeperLink
    private let expected = Mutex<[String: Published<Outcome>]>([:])

    init(link: KeeperLink) { self.link = link }

    func run(
        _ execution: Execution, descriptors: [SharedFD],
        started: (ExecuteStarted, [SharedFD]) async throws(NodeFailure) -> Void
    ) async throws(NodeFailure) -> ExecuteAnswer {
        let name = execution.request.name
        let wanted = execution.request.terminal == nil ? 3 : 0
        guard descriptors.count == wanted else {
            throw NodeFailure(.badRequest, "containers.exec takes \(wanted) descriptors here; \(descriptors.count) came")
        }
        // Expected before it is asked for: it may end before the answer is looked at.
        let outcome = Published(Outcome.running)
        expected.withLock { $0[name] = outcome }
        defer { expected.withLock { $0[name] = nil } }
        let sandbox = try await link.execute(execution.request, descriptors: descriptors.map(\.raw))
        withExtendedLifetime(descriptors) {}
        try await started(ExecuteStarted(pid: sandbox.report.pid, execution: name), sandbox.descriptors)
        let end = await outcome.wait { if case .running = $0 { false } else { true } }
        switch end {
        case .ended(let report): return ExecuteAnswer(end: ContainerEnd(report))
        case .lost:
            return ExecuteAnswer(end: ContainerEnd(exitStatus: nil, endedAt: Clock.now(), keeperLost: true))
        case .running, nil: throw NodeFailure(.cancelled, "waiting for the program's end was taken back")
        }
    }

    /// Starts a program whose end nobody waits for; its terminal, if it has one.
    func runDetached(
        _ execution: Execution, descriptors: [SharedFD]
    ) async throws(NodeFailure) -> (ExecuteStarted, [SharedFD]) {
        let sandbox = try await link.execute(execution.request, descriptors: descriptors.map(\.raw))
        withExtendedLifetime(descriptors) {}
        return (ExecuteStarted(pid: sandbox.report.pid, execution: execution.request.name), sandbox.descriptors)
    }

    /// Notes an end and lets the keeper forget it: nothing has to be recorded first.
    func ended(_ name: String, _ report: EndReport) {
        expected.withLock { $0[name] }?.set(.ended(report))
        let link = link
        Task { try? await link.perform(.acknowledge(sandbox: name)) }
    }

    /// Compares with what the keeper lists.
    func adopt(_ reports: [SandboxReport]) {
        for report in reports { if let end = report.end { ended(report.sandbox, end) } }
        let listed = Set(reports.map(\.sandbox))
        let missing = expected.withLock { expected in expected.filter { !listed.contains($0.key) }.map(\.value) }
        for outcome in missing { if case .running = outcome.value { outcome.set(.lost) } }
    }
}
