package import Engine
package import Keeper
internal import Linux
internal import Sandbox
internal import Synchronization

/// What standbys need of the node's link to the keeper.
package protocol StandbyKeeper: Sendable {
    /// Starts a program in a fresh sandbox.
    func start(_ start: SandboxStart, descriptors: [CInt]) async throws(StartProblem) -> StartedSandbox

    /// Asks what is answered with nothing but success.
    func perform(_ request: KeeperRequest) async throws(NodeFailure)
}

extension KeeperLink: StandbyKeeper {}

/// The sandboxes of all standbys of a node: started, ended and accounted for through the keeper.
///
/// Invariants (with their tests in StandbySandboxesTests):
/// 1. Each name is used once, by one node. (`names are this node's and differ`)
/// 2. Whoever asks for the end of a sandbox is answered: by its end, or because the keeper that ran it is gone.
///    (`an end that comes before the start's answer is kept`, `with the keeper its sandboxes are gone`)
/// 3. Standbys that a former node left behind, and starts whose answer was lost, are killed: their callers are gone, and
///    nobody holds their streams. (`what a former node left is killed`)
package final class StandbySandboxes: SandboxOwner {
    /// How the names of all standbys begin.
    package static let prefix = "standby-"

    private enum Life {
        /// The keeper was asked to start it.
        case ordered
        case runs
        /// It has ended and nobody has asked yet.
        case ended(InstanceEnd)
    }

    private struct State {
        var lives: [String: Life] = [:]
        var waiters: [String: CheckedContinuation<InstanceEnd, Never>] = [:]
        var lastNumber = 0
    }

    private let keeper: any StandbyKeeper
    private let ownPrefix: String
    private let namePrefix: String
    private let state = Mutex(State())

    /// - Parameters:
    ///   - prefix: what tells these standbys from others of the same node.
    ///   - run: what tells this node from those before it.
    package init(
        _ keeper: any StandbyKeeper, prefix: String = StandbySandboxes.prefix, run: UInt64 = .random(in: .min ... .max)
    ) {
        self.keeper = keeper
        ownPrefix = prefix
        namePrefix = prefix + String(run, radix: 36) + "-"
    }

    /// Starts one copy, with pipes as its streams.
    func start(_ launch: PlannedLaunch) async throws(InstanceFailure) -> StartedInstance {
        let name = state.withLock { state in
            state.lastNumber += 1
            let name = namePrefix + String(state.lastNumber)
            // Before the keeper is asked: the end may be heard before the answer is.
            state.lives[name] = .ordered
            return name
        }
        do {
            let started = try await keeper.start(
                SandboxStart(plan: launch.plan, name: name, call: launch.call, streams: .pipes), descriptors: [])
            guard started.descriptors.count == 3 else {
                preconditionFailure("the keeper answered a start with \(started.descriptors.count) descriptors")
            }
            state.withLock { if case .ordered = $0.lives[name] { $0.lives[name] = .runs } }
            let ends = started.descriptors
            return StartedInstance(
                name: name, pid: started.report.pid,
                streams: InstanceStreams(input: ends[0], output: ends[1], errors: ends[2]))
        } catch {
            state.withLock { $0.lives[name] = nil }
            // It may have been started all the same.
            if case .unanswered = error { Task { await self.kill(name) } }
            throw InstanceFailure(error.failure.message)
        }
    }

    /// Kills everything in a sandbox.
    func kill(_ name: String) async {
        var pause = Duration.milliseconds(10)
        // While the keeper can't be reached its end is not known either: adoption will tell, or another attempt.
        for attempt in 1...Self.killAttempts {
            do {
                return try await keeper.perform(.signal(sandbox: name, number: Signal.kill, wholeTree: true))
            } catch where error.kind == .notFound {
                return
            } catch {
                if attempt == Self.killAttempts {
                    return settle(name, InstanceEnd(.unknown("it could not be stopped: \(error)")))
                }
            }
            // Not cancellable: who stops a program wants it stopped.
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(5))
        }
    }

    /// About a minute, in which a keeper that is coming back has come back.
    private static let killAttempts = 20

    /// Waits for the end of a sandbox. Once for each.
    func end(of name: String) async -> InstanceEnd {
        await withCheckedContinuation { continuation in
            let end = state.withLock { state -> InstanceEnd? in
                switch state.lives[name] {
                case .ended(let end):
                    state.lives[name] = nil
                    return end
                case nil: preconditionFailure("\(name) was never started, or its end was taken")
                case .ordered, .runs:
                    state.waiters[name] = continuation
                    return nil
                }
            }
            if let end { continuation.resume(returning: end) }
        }
    }

    // What the link tells.

    package func owns(_ sandbox: String) -> Bool { sandbox.hasPrefix(ownPrefix) }

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
        for name in lost { settle(name, InstanceEnd(.unknown("the keeper that ran it is gone"))) }
    }

    package func ended(_ sandbox: String, _ report: EndReport) {
        settle(sandbox, InstanceEnd(report))
        // Should this fail, the keeper tells the end again to the next link, and is thanked for it then.
        Task { try? await self.keeper.perform(.acknowledge(sandbox: sandbox)) }
    }

    private func settle(_ name: String, _ end: InstanceEnd) {
        let waiter = state.withLock { state -> CheckedContinuation<InstanceEnd, Never>? in
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

extension InstanceEnd {
    /// What the keeper reported; of the whole sandbox where that was counted.
    init(_ report: EndReport) {
        self.init(
            .ended(report.status),
            userMicroseconds: report.cgroup?.cpuUserMicroseconds ?? report.usage.userMicroseconds,
            systemMicroseconds: report.cgroup?.cpuSystemMicroseconds ?? report.usage.systemMicroseconds,
            peakMemoryBytes: report.cgroup?.memoryPeakBytes ?? report.usage.peakResidentBytes,
            outOfMemory: report.outOfMemory)
    }
}
