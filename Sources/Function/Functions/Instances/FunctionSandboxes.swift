package import Engine
package import Keeper
internal import Linux
package import Sandbox
internal import Synchronization

/// What instances need of the node's link to the keeper.
package protocol InstanceKeeper: Sendable {
    func start(_ start: SandboxStart, descriptors: [CInt]) async throws(StartProblem) -> StartedSandbox
    /// Runs another program inside a sandbox.
    func execute(_ request: ExecuteRequest, descriptors: [CInt]) async throws(NodeFailure) -> StartedSandbox
    /// Asks what is answered with nothing but success.
    func perform(_ request: KeeperRequest) async throws(NodeFailure)
    /// Has the keeper get ready for a plan that is going to be started sooner or later.
    func expect(_ plan: SandboxPlan) async
    /// Lets go of what the keeper has ready for a plan.
    func forget(_ plan: SandboxPlan) async
}

extension KeeperLink: InstanceKeeper {}

/// How a program of an instance ended.
package enum ProgramEnd: Hashable, Sendable {
    case ended(EndReport)
    /// Nobody knows how, for this reason.
    case unknown(String)
}

/// The sandboxes of all instances of a node, and the programs executed in them: started, ended and accounted for
/// through the keeper.
///
/// Invariants (with their tests in FunctionSandboxesTests)
/// 1. Each name is used once, by one node. (`names are this node's and differ`)
/// 2. Whoever started a program is told its end once, also when the keeper is lost.
///    (`with the keeper its instances are gone`)
/// 3. Instances that a former node left behind, and starts whose answer was lost, are killed: nobody serves them any
///    more. (`instances of a former node are killed`)
package final class FunctionSandboxes: SandboxOwner {
    /// How the names of all instances begin.
    package static let prefix = "fn-"

    package typealias Ended = @Sendable (ProgramEnd) -> Void

    private struct Life: Sendable {
        var ended: Ended
        /// Whether the keeper has answered that it runs.
        var runs = false
    }

    private struct State {
        var lives: [String: Life] = [:]
        var lastNumber = 0
    }

    package let keeper: any InstanceKeeper
    private let namePrefix: String
    private let state = Mutex(State())

    /// - Parameter run: what tells this node from those before it.
    package init(_ keeper: any InstanceKeeper, run: UInt64 = .random(in: .min ... .max)) {
        self.keeper = keeper
        namePrefix = Self.prefix + String(run, radix: 36) + "-"
    }

    /// A name that was never used.
    package func nextName() -> String {
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        return namePrefix + String(number)
    }

    /// Starts a sandbox of a name from `nextName`.
    ///
    /// - Parameter ended: called once when it has ended, unless this throws.
    package func start(
        _ start: SandboxStart, descriptors: [CInt], ended: @escaping Ended
    ) async throws(NodeFailure) -> StartedSandbox {
        expect(start.name, ended)
        do {
            let started = try await keeper.start(start, descriptors: descriptors)
            runs(start.name)
            return started
        } catch {
            state.withLock { $0.lives[start.name] = nil }
            // It may have been started all the same.
            if case .unanswered = error { Task { await self.kill(start.name) } }
            throw error.failure
        }
    }

    /// Runs another program in a sandbox that runs.
    package func execute(
        _ request: ExecuteRequest, descriptors: [CInt], ended: @escaping Ended
    ) async throws(NodeFailure) -> StartedSandbox {
        expect(request.name, ended)
        do {
            let started = try await keeper.execute(request, descriptors: descriptors)
            runs(request.name)
            return started
        } catch {
            state.withLock { $0.lives[request.name] = nil }
            throw error
        }
    }

    private func expect(_ name: String, _ ended: @escaping Ended) {
        // Before the keeper is asked: the end may be heard before the answer is.
        state.withLock { $0.lives[name] = Life(ended: ended) }
    }

    private func runs(_ name: String) { state.withLock { $0.lives[name]?.runs = true } }

    /// Sends a signal to every process of a sandbox; one that is gone is no error.
    package func signal(_ name: String, _ number: Int32) async {
        try? await keeper.perform(.signal(sandbox: name, number: number, wholeTree: true))
    }

    /// Kills everything in a sandbox, however long the keeper cannot be reached.
    package func kill(_ name: String) async {
        var pause = Duration.milliseconds(10)
        // While the keeper can't be reached its end is not known either: adoption will tell, or another attempt.
        for attempt in 1...Self.killAttempts {
            do {
                return try await keeper.perform(.signal(sandbox: name, number: Signal.kill, wholeTree: true))
            } catch where error.kind == .notFound || error.kind == .conflict {
                return
            } catch {
                if attempt == Self.killAttempts { return settle(name, .unknown("it could not be stopped: \(error)")) }
            }
            // Not cancellable: who stops a program wants it stopped.
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(5))
        }
    }

    /// About a minute, in which a keeper that is coming back has come back.
    private static let killAttempts = 20

    /// How many programs run or are being started: for tests and a census.
    package var count: Int { state.withLock { $0.lives.count } }

    // What the link tells.

    package func owns(_ sandbox: String) -> Bool { sandbox.hasPrefix(Self.prefix) }

    package func adopt(_ reports: [SandboxReport]) async {
        for report in reports {
            if let end = report.end {
                ended(report.sandbox, end)
            } else if report.parent == nil, state.withLock({ $0.lives[report.sandbox] == nil }) {
                // Not awaited: the link answers nobody before adoption is over.
                Task { await self.kill(report.sandbox) }
            }
        }
        let listed = Set(reports.map(\.sandbox))
        let lost = state.withLock { state in
            // One that is only ordered is failed by its own request.
            state.lives.filter { $0.value.runs && !listed.contains($0.key) }.map(\.key)
        }
        for name in lost { settle(name, .unknown("the keeper that ran it is gone")) }
    }

    package func ended(_ sandbox: String, _ report: EndReport) {
        settle(sandbox, .ended(report))
        // Should this fail, the keeper tells the end again to the next link, and is thanked for it then.
        Task { try? await self.keeper.perform(.acknowledge(sandbox: sandbox)) }
    }

    private func settle(_ name: String, _ end: ProgramEnd) {
        // nil: a stranger's end, or one told again.
        let life = state.withLock { $0.lives.removeValue(forKey: name) }
        life?.ended(end)
    }
}
