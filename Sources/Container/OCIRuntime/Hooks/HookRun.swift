import JSON
import Linux
import OCI
import Spawn

/// Runs the hooks of one stage, one after the other (config.md, "POSIX-platform Hooks"): each gets the container's state
/// on its standard input and no descriptor beside the three streams.
///
/// Invariants
/// 1. A hook that does not end within its time-out is killed with its process group and counts as failed.
///    (tests: `a hook that hangs is killed after its time-out, and the container is gone`,
///    `what a hook has started goes with it when its time is over`)
/// 2. A hook that does not read its input holds nobody up. (test: `a hook may leave its input unread`)
struct HookRun {
    /// What a failing hook said is quoted up to this many bytes.
    private static let quoteLimit = 4096

    let stage: HooksSpec.Stage
    let state: RuntimeState
    /// The namespaces in which they run; empty: the runtime's own.
    var entries: [SteeredLaunch.Entry] = []
    /// The container in which they run as its process does; nil: they run as the runtime does.
    var container: StartHooks?

    /// Runs all of them.
    ///
    /// - Throws: for the first that fails; those after it are not run.
    func callAsFunction(_ hooks: [HookSpec]) throws(RuntimeFailure) {
        for (index, hook) in hooks.enumerated() {
            do { try run(hook) } catch {
                throw RuntimeFailure("error running \(stage.rawValue) hook #\(index) (\(hook.path)): \(error.message)")
            }
        }
    }

    private func run(_ hook: HookSpec) throws(RuntimeFailure) {
        let input = try attempt { () throws(SystemError) in
            let file = try Files.sealedMemory(named: "state", JSONWriter.bytes(state.json))
            try Files.rewind(file.raw)
            return SharedFD(file)
        }
        let output = try attempt { () throws(SystemError) in SharedFD(try Files.memory(named: "output")) }
        let launch: SteeredLaunch
        if let container {
            launch = try container.start(hook, input: input, output: output)
        } else {
            launch = try start(hook, input: input, output: output)
        }
        try finish(launch, hook, output)
    }

    private func start(_ hook: HookSpec, input: SharedFD, output: SharedFD) throws(RuntimeFailure) -> SteeredLaunch {
        var steps = StepProgram()
        let socket = steps.slot()
        let (standardInput, standardOutput) = (steps.slot(), steps.slot())
        steps.add(.unshareFiles(lowest: 3))
        steps.add(.setSession)
        steps.add(.duplicate(standardInput, to: 0))
        steps.add(.duplicate(standardOutput, to: 1))
        steps.add(.duplicate(standardOutput, to: 2))
        steps.add(.closeFrom(3))
        steps.add(.signalsToDefault(~Signal.mask([Signal.kill, Signal.stop])))
        steps.add(.signalMask(0))
        steps.add(.execute(nil))
        let call = ProgramCall(
            path: hook.path, arguments: StringBlock(hook.arguments.isEmpty ? [hook.path] : hook.arguments),
            environment: StringBlock(hook.environment))
        let launch = try spawning { () throws(SpawnError) in
            try SteeredLaunch(
                steps, call: call, parkingAt: socket, filled: [(standardInput, input), (standardOutput, output)],
                entering: entries)
        }
        do { try launch.awaitProgram() } catch {
            launch.abandon()
            throw RuntimeFailure(error)
        }
        return launch
    }

    private func finish(_ launch: SteeredLaunch, _ hook: HookSpec, _ output: SharedFD) throws(RuntimeFailure) {
        let limit = hook.timeout.map { CInt(clamping: $0 * 1000) } ?? -1
        let hasEnded = try attempt { () throws(SystemError) in
            try Descriptors.isReadable(launch.pidfd.raw, withinMilliseconds: limit)
        }
        if !hasEnded {
            // By number, which is its own until it is reaped: kernels before 6.9 know no groups by pidfd.
            try? ProcessFD.signalGroup(Signal.kill, ledBy: launch.pid)
            launch.abandon()
            throw RuntimeFailure("not over after its time-out of \(hook.timeout ?? 0) s: killed")
        }
        let record = try attempt { () throws(SystemError) in try ExitRecord.reap(pidfd: launch.pidfd.raw, block: true) }
        guard let status = record?.status, !status.isSuccess else { return }
        let said = (try? Files.read(output.raw, from: 0, count: Self.quoteLimit)) ?? []
        throw RuntimeFailure("\(status)\(said.isEmpty ? "" : ": \(String(decoding: said, as: UTF8.self))")")
    }
}
