import Linux
import OCI
import RuntimeCgroups

extension Verbs {
    /// `delete`: removes what a stopped container left; with `force` whatever there is of it.
    func delete(_ id: String, force: Bool) throws(RuntimeFailure) {
        let directory: StateDirectory
        do throws(RuntimeFailure) { directory = try StateDirectory(id, root: options.root) } catch {
            // As runc does it: what should be gone is gone.
            if force, error.message == "container does not exist" { return }
            throw error
        }
        let lock = try directory.takeLock()
        defer { withExtendedLifetime(lock) {} }
        let container = try Container(directory)
        if !force {
            // A program that waits for its start has run nothing yet.
            if container.status == .created {
                try Removal(directory, report: report).remove()
            } else {
                _ = try container.demand(.delete)
                try Removal(directory, report: report).remove()
            }
        } else {
            try Removal(directory, report: report).remove()
        }
    }
}

/// Takes a container away: its processes, its cgroups, its directory; and runs its last hooks.
struct Removal {
    let directory: StateDirectory
    let report: Report
    /// The container as this process has made it; nil: its directory tells.
    private let made: (record: ContainerRecord?, spec: RuntimeSpec)?
    /// How long processes get to end after SIGKILL, milliseconds.
    private static let patience = 10_000

    init(_ directory: StateDirectory, report: Report) {
        self.directory = directory
        self.report = report
        made = nil
    }

    init(_ creation: Creation, report: Report) {
        directory = creation.directory
        self.report = report
        made = (creation.record, creation.bundle.spec)
    }

    func remove(poststop: Bool = true) throws(RuntimeFailure) {
        let record = made.map { $0.record } ?? (try? directory.record())
        let spec = made.map { $0.spec } ?? (try? directory.spec())
        if let record { try end(record) }
        if let cgroup = cgroup(record, spec) { try remove(cgroup) }
        endScope()
        try directory.remove()
        guard poststop, let spec, let record else { return }
        let state = RuntimeState(
            id: directory.id, status: .stopped, bundle: record.bundle, annotations: spec.annotations, root: record.root)
        for hook in spec.hooks[.poststop] {
            // The container is gone by now: those that come after a failure are run, too (runtime.md, "Lifecycle").
            do { try HookRun(stage: .poststop, state: state)([hook]) } catch { report.warn("\(error)") }
        }
    }

    /// Ends the first process, and in its pid namespace all others.
    private func end(_ record: ContainerRecord) throws(RuntimeFailure) {
        guard let process = try? ProcessFD(pid: record.pid),
            ProcessIdentity.startTicks(of: record.pid) == record.startTicks
        else { return }
        try attempt { () throws(SystemError) in
            try process.signal(Signal.kill)
            let cgroup = RuntimeCgroup(recorded: record.cgroups)
            if cgroup.isFrozen { try cgroup.freeze(false) }
            guard try Descriptors.isReadable(process.fd.raw, withinMilliseconds: CInt(Self.patience)) else {
                throw SystemError("end process", "\(record.pid)", code: .timedOut)
            }
        }
    }

    /// The recorded cgroups, or where they would be when the runtime was killed before it could record them.
    private func cgroup(_ record: ContainerRecord?, _ spec: RuntimeSpec?) -> RuntimeCgroup? {
        if let record { return RuntimeCgroup(recorded: record.cgroups) }
        guard let spec, let layout = try? RuntimeCgroupLayout.ofThisProcess() else { return nil }
        var path = spec.linux.cgroupsPath
        if let scope = directory.scope() {
            // Without systemd's word it is where systemd has it as long as the machine is its own.
            let above = (try? SystemdManager(isUser: scope.isUser))?.controlGroup ?? ""
            guard let unit = try? SystemdUnit(path, id: directory.id, isUser: scope.isUser) else { return nil }
            path = above + unit.cgroup
        }
        return try? RuntimeCgroup.plan(
            path: path, id: directory.id, resources: spec.linux.resources, layout: layout)
    }

    /// An empty scope goes by itself: what systemd does not answer is no reason to keep the container.
    private func endScope() {
        guard let scope = directory.scope() else { return }
        do { try scope.stop() } catch { report.warn("\(error)") }
    }

    private func remove(_ cgroup: RuntimeCgroup) throws(RuntimeFailure) {
        try attempt("remove the container's cgroup") { () throws(SystemError) in
            // Mostly nobody is left in it, which trying tells at less cost than looking.
            do throws(SystemError) { try cgroup.remove(patienceMilliseconds: 0) } catch  where error.code == .busy {
                try? cgroup.kill()
                try cgroup.remove()
            }
        }
    }
}
