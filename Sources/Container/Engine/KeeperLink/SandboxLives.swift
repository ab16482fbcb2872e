package import Keeper
internal import Linux
internal import Synchronization

/// What the books of sandboxes need of the node's link to the keeper.
package protocol SandboxKeeper: Sendable {
    /// Starts a program in a fresh sandbox.
    func start(_ start: SandboxStart, descriptors: [CInt]) async throws(StartProblem) -> StartedSandbox

    /// Asks what is answered with nothing but success.
    func perform(_ request: KeeperRequest) async throws(NodeFailure)
}

extension KeeperLink: SandboxKeeper {}

/// How a program that the keeper ran ended.
package enum ProgramEnd: Hashable, Sendable {
    case ended(EndReport)
    /// Nobody knows how, for this reason.
    case unknown(String)
}

/// The programs that the keeper runs for one purpose and no longer than the node that asked for them: named, started,
/// ended and acknowledged.
///
/// Invariants (with their tests in SandboxLivesTests)
/// 1. Each name is used once, by one node. (`names are this node's and differ`)
/// 2. Whoever started a program is told its end once, also when that comes before the start's answer or the keeper is
///    lost. (`an end that comes before the start's answer is told once`, `with the keeper its programs are gone`,
///    `a keeper that is lost before its answer was read takes the program with it`)
/// 3. Programs that a former node left behind, and starts whose answer was lost, are killed: nobody waits for them.
///    (`what a former node left is killed`, `a start whose answer was lost is killed`)
package final class SandboxLives: SandboxOwner {
    package typealias Ended = @Sendable (ProgramEnd) -> Void

    private struct Life: Sendable {
        var ended: Ended
        /// Whether the keeper has answered that it runs.
        var runs = false
    }

    private struct State {
        var lives: [String: Life] = [:]
        var adoption = LastAdoption()
        var lastNumber = 0
    }

    private let keeper: any SandboxKeeper
    private let prefix: String
    private let namePrefix: String
    private let state = Mutex(State())

    /// - Parameters:
    ///   - prefix: how the names of all of them begin, of this node's and of those before it.
    ///   - run: what tells this node from those before it.
    package init(_ keeper: any SandboxKeeper, prefix: String, run: UInt64 = .random(in: .min ... .max)) {
        self.keeper = keeper
        self.prefix = prefix
        namePrefix = prefix + String(run, radix: 36) + "-"
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
        do {
            return try await noting(start.name, ended) { () async throws(StartProblem) in
                try await keeper.start(start, descriptors: descriptors)
            }
        } catch {
            // It may have been started all the same.
            if case .unanswered = error { Task { await self.kill(start.name) } }
            throw error.failure
        }
    }

    /// Runs `begin`, which has the keeper start a program of a name from `nextName`.
    ///
    /// - Parameter ended: called once when it has ended, unless this throws.
    package func noting<Failure>(
        _ name: String, _ ended: @escaping Ended, _ begin: () async throws(Failure) -> StartedSandbox
    ) async throws(Failure) -> StartedSandbox {
        // Before the keeper is asked: the end may be heard before the answer is.
        state.withLock { $0.lives[name] = Life(ended: ended) }
        do {
            let started = try await begin()
            let isLost = state.withLock { state in
                state.lives[name]?.runs = true
                return state.adoption.hasLost(name, started)
            }
            if isLost { settle(name, Self.lost) }
            return started
        } catch {
            state.withLock { $0.lives[name] = nil }
            throw error
        }
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

    package func owns(_ sandbox: String) -> Bool { sandbox.hasPrefix(prefix) }

    package func adopt(_ reports: [SandboxReport], round: Int) async {
        for report in reports {
            if let end = report.end {
                ended(report.sandbox, end)
            } else if report.parent == nil, state.withLock({ $0.lives[report.sandbox] == nil }) {
                // Not awaited: the link answers nobody before adoption is over.
                Task { await self.kill(report.sandbox) }
            }
        }
        let adoption = LastAdoption(reports, round: round)
        let lost = state.withLock { state in
            state.adoption = adoption
            // One that is only ordered is failed by its own request, or looks when that is answered.
            return state.lives.filter { $0.value.runs && !adoption.lists($0.key) }.map(\.key)
        }
        for name in lost { settle(name, Self.lost) }
    }

    private static let lost = ProgramEnd.unknown("the keeper that ran it is gone")

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
