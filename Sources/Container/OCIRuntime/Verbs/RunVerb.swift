import Linux
import OCI
import Spawn

extension Verbs {
    /// `run`: create and start in one, and, unless detached, wait for the end and delete.
    func run(_ running: Command.Running) throws(RuntimeFailure) -> Int32 {
        let signals = running.isDetached ? nil : try SignalForwarding()
        let making = running.making.absolute
        let creation = try make(making, awaitsStart: false, isDetached: running.isDetached)
        let launch = creation.launch!
        let readiness: ReadinessRelay?
        do throws(RuntimeFailure) {
            readiness = try self.readiness(
                of: creation.directory, mainProcess: running.isDetached ? launch.pid : nil)
            try begin(creation)
            try writePidFile(making.pidFile, launch.pid)
        } catch {
            launch.abandon()
            // Hooks that have seen it come see it go.
            try? Removal(creation, report: report).remove()
            throw error
        }
        guard let signals else {
            try readiness?.wait(for: launch.pidfd)
            return 0
        }
        let status = try signals.attend(launch, terminal: creation.terminal, readiness)
        if !running.isKept { try Removal(creation, report: report).remove() }
        return status.shellStatus
    }

    /// Lets the program begin, with the hooks before and after.
    private func begin(_ creation: Creation) throws(RuntimeFailure) {
        let launch = creation.launch!
        let hooks = creation.bundle.spec.hooks
        let container = creation.directory
        func state(_ status: RuntimeState.Status) -> RuntimeState {
            RuntimeState(
                id: container.id, status: status, pid: launch.pid, bundle: creation.bundle.path,
                annotations: creation.bundle.spec.annotations, root: creation.bundle.rootPath)
        }
        if !hooks[.startContainer].isEmpty {
            _ = try spawning { () throws(SpawnError) in try launch.awaitWord() }
            let inside = StartHooks(
                record: creation.record!, spec: creation.bundle.spec, directory: container, report: report)
            try inside.run(state(.created))
            try container.endMaking()
            try spawning { () throws(SpawnError) in try launch.goOn() }
        }
        try spawning("unable to start container process") { () throws(SpawnError) in try launch.awaitProgram() }
        try HookRun(stage: .poststart, state: state(.running))(hooks[.poststart])
    }
}
