package import Engine
package import Keeper
import Linux
package import Sandbox
package import Spawn
internal import Synchronization

/// The sandboxes of calls, each started for one: through the keeper, which runs them on when a node ends.
///
/// Invariants
/// 1. The end of each sandbox is taken once, and acknowledged to the keeper only a while later: a node that dies before its
///    shim has heard of the end leaves it to the next. (test: `a target outlives its node and answers through the next`)
/// 2. What a former node left and no shim asks for is killed. (test: `a target nobody asks for is killed`)
package final class CallSandboxes: SandboxOwner, CallResumption {
    /// How the names of all begin.
    package static let prefix = "exec-call-"

    private enum Life {
        case ordered
        case runs
        case ended(EndReport)
        case lost
    }

    private struct State {
        var lives: [String: Life] = [:]
        var adoption = LastAdoption()
        var waiters: [String: CheckedContinuation<EndReport?, Never>] = [:]
    }

    private let link: KeeperLink
    private let state = Mutex(State())
    /// Signals on their way, in their order.
    private let signals: AsyncStream<KeeperRequest>.Continuation

    private let orphanTime: Duration

    private static let acknowledgePause = Duration.seconds(1)

    /// - Parameter orphanTime: how long what a former node left may wait for its shim: longer than shims look for a node.
    package init(_ link: KeeperLink, orphanTime: Duration = .seconds(60)) {
        self.link = link
        self.orphanTime = orphanTime
        let (requests, signals) = AsyncStream<KeeperRequest>.makeStream()
        self.signals = signals
        // One that comes after the end finds nothing.
        Task { for await request in requests { try? await link.perform(request) } }
    }

    deinit { signals.finish() }

    private static func name(_ token: CallToken) -> String { prefix + token.text }

    /// Starts a program with three descriptors.
    package func start(
        _ token: CallToken, _ plan: SandboxPlan, _ call: ProgramCall, _ descriptors: [CInt]
    ) async throws(StartProblem) -> StartReport {
        let name = Self.name(token)
        state.withLock { $0.lives[name] = .ordered }
        do throws(StartProblem) {
            let started = try await link.start(
                SandboxStart(plan: plan, name: name, call: call, streams: .passed), descriptors: descriptors)
            note(started, as: name)
            return started.report
        } catch {
            if case .failed = error { state.withLock { $0.lives[name] = nil } }
            throw error
        }
    }

    private func note(_ started: StartedSandbox, as name: String) {
        let waiter = state.withLock { state -> CheckedContinuation<EndReport?, Never>? in
            guard case .ordered = state.lives[name] else { return nil }
            let isLost = state.adoption.hasLost(name, started)
            state.lives[name] = isLost ? .lost : .runs
            return isLost ? state.waiters.removeValue(forKey: name) : nil
        }
        waiter?.resume(returning: nil)
    }

    /// Has the keeper forget a plan that no other call will have.
    func forget(_ plan: SandboxPlan) async { await link.forget(plan) }

    /// Waits for the end; nil: nobody knows it.
    package func report(of token: CallToken) async -> EndReport? {
        let name = Self.name(token)
        let report = await withCheckedContinuation { continuation in
            let known: EndReport?? = state.withLock { state in
                switch state.lives[name] {
                case .ended(let report): return .some(report)
                case .lost, nil: return .some(nil)
                case .ordered, .runs:
                    state.waiters[name] = continuation
                    return nil
                }
            }
            if let known { continuation.resume(returning: known) }
        }
        Task {
            try? await Task.sleep(for: Self.acknowledgePause)
            self.state.withLock { $0.lives[name] = nil }
            try? await self.link.perform(.acknowledge(sandbox: name))
        }
        return report
    }

    /// Sends a signal: to the program, or to everything in the sandbox when it is SIGKILL, SIGSTOP or SIGCONT.
    package func signal(_ token: CallToken, _ number: Int32) {
        let whole = number == Signal.kill || number == Signal.stop || number == Signal.resume
        signals.yield(.signal(sandbox: Self.name(token), number: number, wholeTree: whole))
    }

    package func end(of token: CallToken, _ control: CallControl) async -> CallEnd? {
        do { try await link.untilUp() } catch { return .lost("\(error)") }
        let isKnown = state.withLock { $0.lives[Self.name(token)] != nil }
        // It was not started, or the keeper has gone with it: the two look alike from here.
        guard isKnown else { return .lost("nothing is known of the target of this call") }
        control.listen { self.signal(token, $0) }
        guard let report = await report(of: token) else { return .lost("the keeper that ran it is gone") }
        return .ended(report.status, report.total)
    }

    // What the link tells.

    package func owns(_ sandbox: String) -> Bool { sandbox.hasPrefix(Self.prefix) }

    package func adopt(_ reports: [SandboxReport], round: Int) async {
        for report in reports {
            let isOrphan = state.withLock { state in
                guard state.lives[report.sandbox] == nil else { return false }
                state.lives[report.sandbox] = .runs
                return true
            }
            if let end = report.end { ended(report.sandbox, end) }
            if isOrphan { Task { await self.killUnlessAskedFor(report.sandbox) } }
        }
        let adoption = LastAdoption(reports, round: round)
        let lost = state.withLock { state in
            state.adoption = adoption
            let lost = state.lives.filter { if case .runs = $0.value { !adoption.lists($0.key) } else { false } }
            for name in lost.keys { state.lives[name] = .lost }
            return lost.keys.compactMap { state.waiters.removeValue(forKey: $0) }
        }
        for waiter in lost { waiter.resume(returning: nil) }
    }

    private func killUnlessAskedFor(_ name: String) async {
        try? await Task.sleep(for: orphanTime)
        let isWanted = state.withLock { $0.lives[name] == nil || $0.waiters[name] != nil }
        if isWanted { return }
        try? await link.perform(.signal(sandbox: name, number: Signal.kill, wholeTree: true))
        if let token = CallToken(name.utf8.dropFirst(Self.prefix.utf8.count)) { _ = await report(of: token) }
    }

    package func ended(_ sandbox: String, _ report: EndReport) {
        let waiter = state.withLock { state -> CheckedContinuation<EndReport?, Never>? in
            switch state.lives[sandbox] {
            case nil, .ended: return nil
            case .ordered, .runs, .lost: break
            }
            state.lives[sandbox] = .ended(report)
            return state.waiters.removeValue(forKey: sandbox)
        }
        waiter?.resume(returning: report)
    }
}

extension EndReport {
    /// Of the whole sandbox where that was counted.
    var total: ResourceUsage {
        var usage = usage
        guard let cgroup else { return usage }
        if let user = cgroup.cpuUserMicroseconds { usage.userMicroseconds = user }
        if let system = cgroup.cpuSystemMicroseconds { usage.systemMicroseconds = system }
        if let peak = cgroup.memoryPeakBytes { usage.peakResidentBytes = peak }
        return usage
    }
}
