package import Engine
package import Functions
import Linux
import Sandbox
import Spawn
internal import Synchronization

/// Answers calls with copies of the program that were started ahead and wait in their first read of standard input.
///
/// A copy was born with words, environment, directory, user, umask, nice value and limits: it answers calls that agree with
/// it in all of them, and each such agreement is a pool of its own. Its streams are pipes, through which the node carries
/// the caller's: what a copy does not read of its input may have been taken from the caller all the same, and a program that
/// asks what its streams are sees pipes.
package final class StandbyTarget: CallTarget {
    /// How the names of these standbys' sandboxes begin.
    package static let prefix = "exec-standby-"

    private let registry: FunctionRegistry
    private let launches: StandbyLaunches
    private let ground: SandboxTarget
    private let pool: PoolConfiguration

    /// - Parameters:
    ///   - shelf: the pools of the node.
    ///   - ground: where copies run, as calls would.
    package init(_ shelf: StandbyShelf, ground: SandboxTarget, pool: PoolConfiguration) {
        registry = shelf.registry
        launches = shelf.launches
        self.ground = ground
        self.pool = pool
    }

    package func obstacles(to call: ShimCall) -> [String] { ground.obstacles(to: call) }

    package func run(_ call: ShimCall, _ streams: CallStreams, _ control: CallControl) async -> CallEnd {
        let surroundings = call.surroundings
        guard let launch = ground.launch(call, surroundings, isTraced: false) else { return .refused("its working directory is gone") }
        let definition = FunctionDefinition(name: ground.name, program: launches.key(of: launch), pool: pool)
        let instance: AssignedInstance
        do { instance = try await registry.call(definition) } catch { return .refused(error.sentence) }
        // A copy lives with the node that started it: without that node the call is lost, and not made anew.
        control.commit(CallToken())
        let caller = streams.take()
        control.started()
        control.listen { number in
            if number == Signal.kill || number == Signal.stop || number == Signal.resume { return }
            if let process = try? ProcessFD(pid: instance.pid) { try? process.signal(number) }
        }
        let record = await StreamCarrying.carry(caller, through: instance)
        guard case .ended(let status) = record.end.outcome else { return .lost("how the standby ended is not known") }
        let usage = ResourceUsage(
            userMicroseconds: record.end.userMicroseconds, systemMicroseconds: record.end.systemMicroseconds,
            peakResidentBytes: record.end.peakMemoryBytes)
        return .ended(status, usage)
    }
}

/// The pools of standbys for shifted programs, one for all shifts of a node.
package final class StandbyShelf: Sendable {
    package let sandboxes: StandbySandboxes
    let registry: FunctionRegistry
    let launches: StandbyLaunches

    package init(_ link: KeeperLink) {
        let sandboxes = StandbySandboxes(link, prefix: StandbyTarget.prefix)
        let launches = StandbyLaunches()
        self.sandboxes = sandboxes
        self.launches = launches
        registry = FunctionRegistry { definition throws(PoolError) in
            guard let launch = launches.launch(definition.program) else {
                throw PoolError(.badDefinition, "start \(definition.name): its plan is not known any more")
            }
            return SandboxInstanceProvider(sandboxes, launch)
        }
    }

    /// Stops every copy that serves nobody.
    package func close() async { await registry.close() }
}

/// Plans of standbys by a key that is short: a plan itself is none that a table could be searched by quickly.
final class StandbyLaunches: Sendable {
    private struct State {
        var keys: [PlannedLaunch: String] = [:]
        var launches: [String: PlannedLaunch] = [:]
    }

    private let state = Mutex(State())
    /// As many pools as there may be; beyond it all are forgotten, and pools that live keep theirs.
    private static let limit = FunctionRegistry.functionsLimit

    func key(of launch: PlannedLaunch) -> String {
        state.withLock { state in
            if let key = state.keys[launch] { return key }
            if state.keys.count >= Self.limit { state = State() }
            let key = CallToken().text
            state.keys[launch] = key
            state.launches[key] = launch
            return key
        }
    }

    func launch(_ key: String) -> PlannedLaunch? { state.withLock { $0.launches[key] } }
}
