package import Engine
package import Keeper
internal import Linux
package import Sandbox
internal import Spawn
internal import Synchronization

/// What builds need of the node's link to the keeper.
package protocol BuildKeeper: Sendable {
    func start(_ start: SandboxStart, descriptors: [CInt]) async throws(StartProblem) -> StartedSandbox
    func perform(_ request: KeeperRequest) async throws(NodeFailure)
    /// Lets go of what is ready for a plan: no other step has its root.
    func forget(_ plan: SandboxPlan) async
}

extension KeeperLink: BuildKeeper {}

/// The sandboxes in which the programs of RUN run.
///
/// Invariants
/// 1. Whoever runs a program is answered: by its end, or because the keeper that ran it is gone.
///    (test: `with the keeper the programs of a build are gone`)
/// 2. A run that is cancelled has ended when it returns, with everything it started.
///    (test: `a cancelled build ends its program and leaves nothing`)
/// 3. What a former node left behind is killed: nobody waits for it. (test: `the programs of a dead node's builds are killed`)
package final class BuildSandboxes: SandboxOwner {
    /// How the names of all of them begin.
    package static let prefix = "build-"

    private typealias End = Result<EndReport, BuildFailure>

    private enum Life {
        /// The keeper was asked to start it.
        case ordered
        case runs
        case ended(End)
    }

    private struct State {
        var lives: [String: Life] = [:]
        var waiters: [String: CheckedContinuation<End, Never>] = [:]
        var lastNumber = 0
    }

    private let keeper: any BuildKeeper
    private let namePrefix: String
    private let state = Mutex(State())

    /// - Parameter run: what tells this node from those before it.
    package init(_ keeper: any BuildKeeper, run: UInt64 = .random(in: .min ... .max)) {
        self.keeper = keeper
        namePrefix = Self.prefix + String(run, radix: 36) + "-"
    }

    /// Starts a program and waits for its end; a cancelled task kills it and waits, too.
    ///
    /// - Parameters:
    ///   - descriptors: Its three streams, and what else the start brings.
    ///   - started: Called once the program has them: they can be closed.
    func run(
        _ make: (String) -> SandboxStart, descriptors: [CInt], started: () -> Void
    ) async throws(BuildFailure) -> EndReport {
        let name = order()
        let start = make(name)
        do throws(BuildFailure) {
            let end = try await end(of: start, descriptors, started)
            await keeper.forget(start.plan)
            return end
        } catch {
            // Its mounts would keep what the step wrote on the disk.
            await keeper.forget(start.plan)
            throw error
        }
    }

    private func order() -> String {
        state.withLock { state in
            state.lastNumber += 1
            let name = namePrefix + String(state.lastNumber)
            // Before the keeper is asked: the end may be heard before the answer is.
            state.lives[name] = .ordered
            return name
        }
    }

    private func end(
        of start: SandboxStart, _ descriptors: [CInt], _ started: () -> Void
    ) async throws(BuildFailure) -> EndReport {
        let name = start.name
        do {
            _ = try await keeper.start(start, descriptors: descriptors)
            state.withLock { if case .ordered = $0.lives[name] { $0.lives[name] = .runs } }
        } catch {
            state.withLock { $0.lives[name] = nil }
            // It may have been started all the same.
            if case .unanswered = error { Task { await self.kill(name) } }
            throw BuildFailure(error.failure)
        }
        started()
        let end = await withTaskCancellationHandler {
            await self.end(of: name)
        } onCancel: {
            Task { await self.kill(name) }
        }
        if Task.isCancelled { throw .cancelled }
        return try end.get()
    }

    private func end(of name: String) async -> End {
        await withCheckedContinuation { continuation in
            let end = state.withLock { state -> End? in
                if case .ended(let end) = state.lives[name] {
                    state.lives[name] = nil
                    return end
                }
                state.waiters[name] = continuation
                return nil
            }
            if let end { continuation.resume(returning: end) }
        }
    }

    private func kill(_ name: String) async {
        var pause = Duration.milliseconds(10)
        // While the keeper can't be reached its end is not known either: adoption will tell, or another attempt.
        for attempt in 1...Self.killAttempts {
            do {
                return try await keeper.perform(.signal(sandbox: name, number: Signal.kill, wholeTree: true))
            } catch where error.kind == .notFound {
                return
            } catch {
                if attempt == Self.killAttempts {
                    return settle(name, .failure(BuildFailure(.system, "the program could not be stopped: \(error)")))
                }
            }
            // Not cancellable: who stops a program wants it stopped.
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(5))
        }
    }

    /// About a minute, in which a keeper that is coming back has come back.
    private static let killAttempts = 20

    // What the link tells.

    package func owns(_ sandbox: String) -> Bool { sandbox.hasPrefix(Self.prefix) }

    package func adopt(_ reports: [SandboxReport]) async {
        for report in reports {
            if let end = report.end {
                ended(report.sandbox, end)
            } else if state.withLock({ $0.lives[report.sandbox] == nil }) {
                // Not awaited: the link answers nobody before adoption is over.
                Task { await self.kill(report.sandbox) }
            }
        }
        let listed = Set(reports.map(\.sandbox))
        let lost = state.withLock { state in
            // One that is only ordered is failed by its own request.
            state.lives.filter { if case .runs = $0.value { !listed.contains($0.key) } else { false } }.map(\.key)
        }
        for name in lost {
            settle(name, .failure(BuildFailure(.unavailable, "the keeper that ran the program is gone")))
        }
    }

    package func ended(_ sandbox: String, _ report: EndReport) {
        settle(sandbox, .success(report))
        // Should this fail, the keeper tells the end again to the next link, and is thanked for it then.
        Task { try? await self.keeper.perform(.acknowledge(sandbox: sandbox)) }
    }

    private func settle(_ name: String, _ end: End) {
        let waiter = state.withLock { state -> CheckedContinuation<End, Never>? in
            switch state.lives[name] {
            // A stranger's end, or one told again.
            case nil, .ended: return nil
            case .ordered, .runs: break
            }
            let waiter = state.waiters.removeValue(forKey: name)
            state.lives[name] = waiter == nil ? .ended(end) : nil
            return waiter
        }
        waiter?.resume(returning: end)
    }
}
