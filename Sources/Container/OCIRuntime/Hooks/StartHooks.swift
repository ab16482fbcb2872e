import Linux
import OCI
import Spawn

/// The hooks that run inside a container right before its program. What they execute is the image's, so they have no
/// more rights than the program: they are born as a process that joins, into the container's namespaces and cgroups,
/// with its user, capabilities, limits and filter.
///
/// Invariant: whatever the container's process is kept from, a hook is.
/// (test: `a hook inside has the rights of the container's process and no others`)
struct StartHooks {
    let record: ContainerRecord
    let spec: RuntimeSpec
    let directory: StateDirectory
    let report: Report

    func run(_ state: RuntimeState) throws(RuntimeFailure) {
        try HookRun(stage: .startContainer, state: state, container: self)(spec.hooks[.startContainer])
    }

    /// Returns when one has begun.
    func start(_ hook: HookSpec, input: SharedFD, output: SharedFD) throws(RuntimeFailure) -> SteeredLaunch {
        guard let own = spec.process else { throw RuntimeFailure("the container has no process") }
        let joining = Joining(
            record, spec, Self.process(hook, of: own), preserved: 0, keepsKeyring: directory.keepsCallersKeyring,
            hook: Joining.Hook(path: hook.path, input: input, output: output), report: report)
        return try joining.start()
    }

    /// The container's process with a hook for its program. Pure.
    static func process(_ hook: HookSpec, of own: ProcessSpec) -> ProcessSpec {
        var process = own
        process.arguments = hook.arguments.isEmpty ? [hook.path] : hook.arguments
        process.environment = hook.environment
        process.hasTerminal = false
        // Not for what runs before the program (config.md, "execCPUAffinity").
        process.execAffinity = nil
        return process
    }
}
