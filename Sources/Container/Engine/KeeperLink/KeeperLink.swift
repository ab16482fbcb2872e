package import Linux
package import Keeper
package import Sandbox

/// The node's standing link to its keeper: made when the node starts, made anew when it breaks.
///
/// When a connection ends, the keeper is asked again: if it is still there, its list tells what runs; if it is not,
/// nothing runs any more (its programs die with it) and another keeper is started.
///
/// Invariants
/// 1. Nobody starts anything before adoption is over: what is absent from the list was not started after it.
///    (test: `a start whose answer a dead node never saw is adopted`)
/// 2. Every sandbox in the list goes to the owner whose it is; others are reported and left alone.
///    (test: `a sandbox of unknown origin is reported and left`)
/// 3. After `close` no keeper is started and no connection stays, also when it comes while the link is being made.
///    (tests: KeeperLinkTests)
package actor KeeperLink {
    /// Most templates that the node keeps defined; the one not used for longest makes room.
    private static let templateLimit = 256
    private static let firstPause = Duration.milliseconds(100)
    private static let longestPause = Duration.seconds(5)

    private enum State {
        case down(NodeFailure?)
        case up(KeeperConnection, KeeperIdentity)
    }

    private let access: any KeeperAccess
    private let nodeName: String
    private var owners: [any SandboxOwner] = []
    private var state = State.down(nil)
    private var waiting: [CheckedContinuation<Result<KeeperConnection, NodeFailure>, Never>] = []
    private var templates = TemplateNumbers(limit: templateLimit)
    /// Which templates have children prepared for them, and the task that lets them go again.
    private var demand = PreparationDemand()
    private var releasing: Task<Void, Never>?
    private var isClosed = false
    /// How often owners were told what runs.
    private var rounds = 0
    /// How often another keeper than the one before was found: the one before had died with all that it ran.
    package private(set) var replacements = 0
    private var lastGeneration: UInt64?
    /// Sandboxes that nobody here knows, by name.
    package private(set) var strangers: [String] = []

    package init(_ access: any KeeperAccess, nodeName: String) {
        self.access = access
        self.nodeName = nodeName
    }

    /// Takes part in adoption and hears of ends. Before `run`.
    package func add(_ owner: any SandboxOwner) { owners.append(owner) }

    /// Keeps the link up until `close`.
    package func run() async {
        var pause = Self.firstPause
        while !isClosed {
            do throws(NodeFailure) {
                let connection = try await reach()
                pause = Self.firstPause
                _ = await connection.untilEnded()
                state = .down(nil)
                templates.removeAll()
                demand.reset()
            } catch {
                state = .down(error)
                resume(with: .failure(error))
                do { try await Task.sleep(for: pause) } catch { return }
                pause = min(pause * 2, Self.longestPause)
            }
        }
    }

    /// Lets go of the keeper, which runs on with everything in it.
    package func close() {
        isClosed = true
        releasing?.cancel()
        if case .up(let connection, _) = state { connection.close() }
        resume(with: .failure(Self.ending))
    }

    /// Ends the keeper and lets go of it, also when it refuses to end; no other takes its place.
    ///
    /// - Parameter killing: with everything that it runs; otherwise it refuses while it runs something.
    package func shutDown(killing: Bool) async throws(NodeFailure) {
        let connection = try await connection()
        // Before it goes: the end of a connection has the link made anew.
        isClosed = true
        defer { close() }
        try await translated { () async throws(KeeperConnection.Problem) in
            try await connection.perform(.shutdown(killing: killing))
        }
    }

    /// Which keeper is connected.
    package var identity: KeeperIdentity? {
        if case .up(_, let identity) = state { identity } else { nil }
    }

    /// Returns when the link is up.
    ///
    /// - Throws: `NodeFailure` when the next attempt to make it fails, or the link is closed.
    package func untilUp() async throws(NodeFailure) { _ = try await connection() }

    // Making the link.

    private func reach() async throws(NodeFailure) -> KeeperConnection {
        var channel = try await access.connect()
        if channel == nil {
            await tell([])
            try refuseWhenClosed()
            try await access.start()
            channel = try await access.connect()
        }
        guard let channel else { throw NodeFailure(.unavailable, "the keeper was started and cannot be reached") }
        let connection = KeeperConnection(channel) { [owners] sandbox, report in
            owners.first { $0.owns(sandbox) }?.ended(sandbox, report)
        }
        do throws(KeeperConnection.Problem) {
            let identity = try await greet(connection)
            try await adopt(connection)
            if !isClosed {
                if let lastGeneration, lastGeneration != identity.generation { replacements += 1 }
                lastGeneration = identity.generation
                state = .up(connection, identity)
                resume(with: .success(connection))
                return connection
            }
        } catch {
            connection.close()
            throw NodeFailure(.unavailable, "take up with the keeper: \(error)")
        }
        connection.close()
        throw Self.ending
    }

    private static let ending = NodeFailure(.unavailable, "the node is ending")

    private func refuseWhenClosed() throws(NodeFailure) { if isClosed { throw Self.ending } }

    private func greet(_ connection: KeeperConnection) async throws(KeeperConnection.Problem) -> KeeperIdentity {
        let answer = try await connection.request(.hello(node: nodeName))
        guard case .hello(let identity) = answer.reply else { throw KeeperConnection.strange(answer, "hello") }
        return identity
    }

    private func adopt(_ connection: KeeperConnection) async throws(KeeperConnection.Problem) {
        let answer = try await connection.request(.list)
        guard case .list(let reports) = answer.reply else { throw KeeperConnection.strange(answer, "list") }
        await tell(reports)
        strangers = reports.map(\.sandbox).filter { name in !owners.contains { $0.owns(name) } }
    }

    private func tell(_ reports: [SandboxReport]) async {
        rounds += 1
        for owner in owners { await owner.adopt(reports.filter { owner.owns($0.sandbox) }, round: rounds) }
    }

    private func resume(with result: Result<KeeperConnection, NodeFailure>) {
        let waiting = waiting
        self.waiting = []
        for continuation in waiting { continuation.resume(returning: result) }
    }

    /// The connection, once adoption is over.
    private func connection() async throws(NodeFailure) -> KeeperConnection {
        if case .up(let connection, _) = state { return connection }
        try refuseWhenClosed()
        return try await withCheckedContinuation { waiting.append($0) }.get()
    }

    // What owners ask.

    /// Starts a program in a fresh sandbox of this plan.
    package func start(_ start: SandboxStart, descriptors: [CInt]) async throws(StartProblem) -> StartedSandbox {
        let connection: KeeperConnection
        do { connection = try await self.connection() } catch { throw .failed(error) }
        do throws(KeeperConnection.Problem) {
            return try await patiently { () async throws(KeeperConnection.Problem) in
                do throws(KeeperConnection.Problem) {
                    return try await request(start, descriptors, connection)
                } catch .failed(let failure) where failure.kind == .notFound && failure.code == 0 {
                    // A template that the keeper forgot is defined again, once.
                    templates.remove(start.plan)
                    return try await request(start, descriptors, connection)
                }
            }
        } catch {
            switch error {
            case .failed(let failure): throw .failed(NodeFailure(failure))
            case .unanswered(let ended): throw .unanswered(NodeFailure(.unavailable, ended.description))
            }
        }
    }

    private func request(
        _ start: SandboxStart, _ descriptors: [CInt], _ connection: KeeperConnection
    ) async throws(KeeperConnection.Problem) -> StartedSandbox {
        let template = try await template(start.plan, connection)
        // What is prepared ahead is beneath nothing and among no others.
        if start.beneath == nil, start.among == nil { noteStart(of: template, connection) }
        let round = rounds
        let request = StartRequest(
            template: template, sandbox: start.name, call: start.call, stdio: start.streams,
            logBytesLimit: start.logBytes, attached: start.isAttached, room: start.room, files: start.files,
            beneath: start.beneath, among: start.among)
        let given = [start.network, start.ipc].compactMap { $0?.raw }
        let answer = try await connection.request(.start(request), descriptors: descriptors + given)
        withExtendedLifetime(start) {}
        guard case .started(let report) = answer.reply else { throw KeeperConnection.strange(answer, "started") }
        return StartedSandbox(report: report, descriptors: answer.descriptors, round: round)
    }

    private func template(
        _ plan: SandboxPlan, _ connection: KeeperConnection
    ) async throws(KeeperConnection.Problem) -> UInt32 {
        if let number = templates.use(plan) { return number }
        let answer = try await connection.request(.define(plan))
        guard case .template(let number) = answer.reply else { throw KeeperConnection.strange(answer, "template") }
        if let dropped = templates.add(plan, number) {
            demand.forget(dropped)
            _ = try? await connection.perform(.drop(template: dropped))
        }
        return number
    }

    /// Has children prepared for what is started again and again.
    private func noteStart(of template: UInt32, _ connection: KeeperConnection) {
        guard let order = demand.started(template, at: .now) else { return }
        // Nobody waits for it: a start that finds no prepared child makes its own.
        Task { await self.carryOut([order], connection) }
        guard releasing == nil else { return }
        releasing = Task { await self.releaseWhenIdle() }
    }

    private func releaseWhenIdle() async {
        while demand.isActive, !isClosed {
            do { try await Task.sleep(for: PreparationDemand.window) } catch { return }
            guard case .up(let connection, _) = state else { continue }
            await carryOut(demand.released(at: .now), connection)
        }
        releasing = nil
    }

    private func carryOut(_ orders: [PreparationDemand.Order], _ connection: KeeperConnection) async {
        for order in orders {
            try? await connection.perform(.prepare(template: order.template, count: UInt32(order.count)))
        }
    }

    /// Has a child wait for a plan that is going to be started sooner or later, in place of one expected long ago.
    ///
    /// Without a keeper this does nothing: the start itself will say what is wrong.
    package func expect(_ plan: SandboxPlan) async {
        guard case .up(let connection, _) = state, let number = try? await template(plan, connection) else { return }
        await carryOut(demand.expect(number), connection)
    }

    /// Lets go of what the keeper has ready for a plan that is not started again: with it go the mounts of its root.
    package func forget(_ plan: SandboxPlan) async {
        guard case .up(let connection, _) = state, let number = templates.use(plan) else { return }
        templates.remove(plan)
        demand.forget(number)
        // One that is not told has lost the keeper, and the keeper its templates.
        _ = try? await connection.perform(.drop(template: number))
    }

    /// Starts another program in a sandbox.
    package func execute(
        _ request: ExecuteRequest, descriptors: [CInt]
    ) async throws(NodeFailure) -> StartedSandbox {
        let connection = try await connection()
        let round = rounds
        return try await translated { () async throws(KeeperConnection.Problem) in
            let answer = try await self.patiently { () async throws(KeeperConnection.Problem) in
                try await connection.request(.execute(request), descriptors: descriptors)
            }
            guard case .started(let report) = answer.reply else { throw KeeperConnection.strange(answer, "started") }
            return StartedSandbox(report: report, descriptors: answer.descriptors, round: round)
        }
    }

    /// Asks what is answered with nothing but success: signals, sizes, acknowledgements.
    package func perform(_ request: KeeperRequest) async throws(NodeFailure) {
        let connection = try await connection()
        try await translated { () async throws(KeeperConnection.Problem) in try await connection.perform(request) }
    }

    /// Takes part in the streams of a sandbox: what `KeeperRequest.attach` says.
    package func attach(_ sandbox: String) async throws(NodeFailure) -> [SharedFD] {
        let connection = try await connection()
        return try await translated { () async throws(KeeperConnection.Problem) in
            let answer = try await connection.request(.attach(sandbox: sandbox))
            guard case .done = answer.reply, answer.descriptors.count == 2 else {
                throw KeeperConnection.strange(answer, "done, with two descriptors")
            }
            return answer.descriptors
        }
    }

    /// What a sandbox uses.
    package func usage(of sandbox: String) async throws(NodeFailure) -> CgroupUsage {
        let connection = try await connection()
        return try await translated { () async throws(KeeperConnection.Problem) in
            let answer = try await connection.request(.usage(sandbox: sandbox))
            guard case .usage(let usage) = answer.reply else { throw KeeperConnection.strange(answer, "usage") }
            return usage
        }
    }

    /// Everything that the keeper has.
    package func list() async throws(NodeFailure) -> [SandboxReport] {
        let connection = try await connection()
        return try await translated { () async throws(KeeperConnection.Problem) in
            let answer = try await connection.request(.list)
            guard case .list(let reports) = answer.reply else { throw KeeperConnection.strange(answer, "list") }
            return reports
        }
    }

    /// How the keeper is doing; nil while none is connected.
    package func status() async throws(NodeFailure) -> KeeperSummary? {
        guard case .up(let connection, let identity) = state else { return nil }
        return try await translated { () async throws(KeeperConnection.Problem) in
            let answer = try await connection.request(.status)
            guard case .status(let status) = answer.reply else { throw KeeperConnection.strange(answer, "status") }
            return KeeperSummary(
                pid: identity.pid, build: identity.build, running: status.running, prepared: status.prepared,
                templates: status.templates, starts: status.starts, residentBytes: status.residentBytes,
                openDescriptors: status.openDescriptors)
        }
    }

    /// Asks again, for two seconds, what is refused for the moment alone: another program is on its way into the same
    /// namespace, or one there that could trace it does not stand still yet.
    private func patiently<Value>(
        _ body: () async throws(KeeperConnection.Problem) -> Value
    ) async throws(KeeperConnection.Problem) -> Value {
        for _ in 0..<40 where !Task.isCancelled {
            do throws(KeeperConnection.Problem) { return try await body() } catch .failed(let failure) where failure.isMomentary {
                try? await Task.sleep(for: .milliseconds(50))
            }
        }
        return try await body()
    }

    private func translated<Value: Sendable>(
        _ body: () async throws(KeeperConnection.Problem) -> Value
    ) async throws(NodeFailure) -> Value {
        do { return try await body() } catch {
            switch error {
            case .failed(let failure): throw NodeFailure(failure)
            case .unanswered(let ended): throw NodeFailure(.unavailable, ended.description)
            }
        }
    }
}
