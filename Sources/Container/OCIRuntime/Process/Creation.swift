import Linux
import OCI
import RuntimeCgroups
import Spawn

/// Makes a container, up to the point where its process waits for its start, or has begun.
///
/// What was made is undone by `undo` when a step fails; what a killed runtime leaves, `delete --force` finds
/// (`StateDirectory`).
final class Creation {
    let bundle: Bundle
    let directory: StateDirectory
    let options: Command.Making
    let report: Report
    /// Whether the process waits for `start`.
    let awaitsStart: Bool

    private(set) var cgroup: RuntimeCgroup?
    private(set) var launch: SteeredLaunch?
    private(set) var record: ContainerRecord?
    /// The master of the process's terminal.
    private(set) var terminal: SharedFD?

    private let layout: RuntimeCgroupLayout
    private let choice: CgroupChoice
    private let isRootless: Bool
    private let activation: Activation
    private let mounts: [MountPlan]
    private var placeholder: Placeholder?
    private let birth: Birth
    private var ids: OutsideIDs
    private var hasRunHooks = false
    private var linux: LinuxSpec { bundle.spec.linux }
    private var process: ProcessSpec { bundle.spec.process! }

    /// How a container is to be made, beside its configuration.
    struct Plan {
        var options: Command.Making
        var cgroups: CgroupChoice
        var activation: Activation
        var awaitsStart: Bool
    }

    init(_ bundle: Bundle, in directory: StateDirectory, _ plan: Plan, report: Report) throws(RuntimeFailure) {
        self.bundle = bundle
        self.directory = directory
        self.report = report
        options = plan.options
        awaitsStart = plan.awaitsStart
        activation = plan.activation
        choice = plan.cgroups
        isRootless = plan.cgroups.isRootless
        layout = try attempt { () throws(SystemError) in try RuntimeCgroupLayout.ofThisProcess() }
        let (isUnified, label) = (layout.isUnified, bundle.spec.linux.mountLabel)
        mounts = bundle.spec.mounts.map { MountPlan($0, bundle: bundle.path, isUnified: isUnified, label: label) }
        ids = OutsideIDs(bundle.spec.linux)
        for mount in mounts { try mount.check() }
        birth = try Birth(bundle.spec, mounts, plan, isRootless: isRootless, report: report)
    }

    /// Does all of it.
    func make() throws(RuntimeFailure) {
        try directory.write(config: bundle.bytes)
        if options.noNewKeyring { try directory.noteCallersKeyring() }
        let cgroups = ContainerCgroup(
            layout: layout, choice: choice, isRootless: isRootless, directory: directory, report: report)
        if birth.isEarly {
            cgroup = try cgroups.begin(bundle.spec)
        } else {
            (cgroup, placeholder) = try cgroups.make(bundle.spec)
        }
        let sources = try MountSources(bundle, mounts)
        let doors = awaitsStart ? try directory.makeDoors() : nil
        let program = try birth.program(joinCount: cgroup?.joinCount ?? 0, layout)
        let launch = try birth.launch(program, sources, doors, cgroup)
        self.launch = launch
        if birth.isEarly { try finishCgroup(cgroups, program, launch) }
        try settle(launch)
        try record(launch)
        _ = try spawning { () throws(SpawnError) in try launch.awaitWord() }
        endPlaceholder()
        try moveNetworkDevices(launch)
        try buildRoot(program, launch, sources)
        try runHooks(launch)
        // One that waits for nothing may begin now.
        if !awaitsStart, bundle.spec.hooks[.startContainer].isEmpty { try directory.endMaking() }
        try sendOn(launch)
        if let seccomp = linux.seccomp, birth.filter?.hasListener == true {
            try SeccompListening.handOver(from: launch, seccomp, state(launch))
        }
        if awaitsStart {
            _ = try spawning { () throws(SpawnError) in try launch.awaitWord() }
            try directory.openForStart()
            try directory.endMaking()
        }
    }

    /// Takes away what there is by now. Hooks that have seen the container come see it go (runtime.md, "Lifecycle").
    func undo() {
        endPlaceholder()
        launch?.abandon()
        if record != nil {
            try? Removal(directory, report: report).remove(poststop: hasRunHooks)
            return
        }
        if let cgroup {
            try? cgroup.kill()
            try? cgroup.remove()
        }
        try? directory.scope()?.stop()
        try? directory.remove()
    }

    private func endPlaceholder() {
        placeholder?.end()
        placeholder = nil
    }

    // The child.

    /// Makes the cgroups that the child has not been born in, and lets it go on into them.
    private func finishCgroup(
        _ cgroups: ContainerCgroup, _ program: InitProgram, _ launch: SteeredLaunch
    ) throws(RuntimeFailure) {
        var made = cgroup!
        do throws(RuntimeFailure) { try cgroups.finish(&made) } catch {
            // A group that is there may be a stranger's: only what was made for the child goes.
            launch.abandon()
            cgroup?.removeBirthplace()
            cgroup = nil
            throw error
        }
        cgroup = made
        for (slot, descriptor) in zip(program.joins, made.joins) { launch.fill(slot, with: descriptor) }
        launch.letGo()
        try cgroups.limit(&made, bundle.spec)
        cgroup = made
    }

    /// What only the parent may set for a child that waits.
    private func settle(_ launch: SteeredLaunch) throws(RuntimeFailure) {
        try attempt { () throws(SystemError) in
            if linux.hasNew(.user) {
                try IDMaps.write(linux, of: launch.pid)
                launch.letGo()
            }
            if linux.namespace(.user)?.path != nil {
                if let birth = cgroup?.birth { try Files.writeText("\(launch.pid)", to: "cgroup.procs", at: birth.raw) }
                ids.uid = try IDMaps.read("/proc/\(launch.pid)/uid_map")
                ids.gid = try IDMaps.read("/proc/\(launch.pid)/gid_map")
            }
            if linux.namespace(.user) != nil { try RaisedLimits.raise(process.limits, of: launch.pid) }
            if let adjustment = process.oomScoreAdjustment {
                try Files.writeText("\(adjustment)", to: "/proc/\(launch.pid)/oom_score_adj")
            }
        }
    }

    /// Before the hooks, which may go on with what was moved.
    private func moveNetworkDevices(_ launch: SteeredLaunch) throws(RuntimeFailure) {
        for (name, device) in linux.networkDevices.sorted(by: { $0.key < $1.key }) {
            try attempt("linux.netDevices.\(name)") { () throws(SystemError) in
                try NetworkDevices.move(name, to: NetworkNamespace.of(pid: launch.pid), as: device.name)
            }
        }
    }

    private func record(_ launch: SteeredLaunch) throws(RuntimeFailure) {
        guard let ticks = ProcessIdentity.startTicks(of: launch.pid) else {
            throw launch.failure().map { RuntimeFailure($0) } ?? RuntimeFailure("the container's process has ended")
        }
        let record = ContainerRecord(
            id: directory.id, bundle: bundle.path, root: bundle.rootPath, pid: launch.pid, startTicks: ticks,
            created: Clock.now().description, cgroups: cgroup?.recorded ?? [:], isRootChanged: birth.isRootChanged,
            namespaces: linux.namespaces.reduce(0) { $0 | $1.kind.cloneFlag })
        try directory.write(record)
        self.record = record
    }

    // The root.

    private func buildRoot(
        _ program: InitProgram, _ launch: SteeredLaunch, _ sources: MountSources
    ) throws(RuntimeFailure) {
        if !linux.timeOffsets.isEmpty { try setTimeOffsets(launch) }
        let assembly = RootAssembly(
            bundle: bundle, mounts: mounts, sources: sources, ids: ids,
            hierarchies: LegacyHierarchies(hierarchies: layout.legacy, cgroup: cgroup), report: report)
        let outcome = try MountNamespaceVisit.within(launch.pidfd) { () throws(RuntimeFailure) in
            try assembly.build(program, launch)
        }
        terminal = outcome.terminal?.master
        terminalEnd = outcome.terminal?.program
        let environment =
            activation.sockets == 0
            ? outcome.environment : activation.environment(outcome.environment, pid: try innerPID(launch))
        launch.replace(
            ProgramCall(
                path: outcome.program, arguments: StringBlock(process.arguments),
                environment: StringBlock(environment)))
    }

    private func setTimeOffsets(_ launch: SteeredLaunch) throws(RuntimeFailure) {
        let text = linux.timeOffsets.sorted { $0.key.rawValue < $1.key.rawValue }
            .map { "\($0.key.rawValue) \($0.value.seconds) \($0.value.nanoseconds)\n" }.joined()
        try attempt("set linux.timeOffsets") { () throws(SystemError) in
            try Files.writeText(text, to: "/proc/\(launch.pid)/timens_offsets")
        }
    }

    /// The child's number as it sees it, the last of its numbers (proc_pid_status(5)).
    private func innerPID(_ launch: SteeredLaunch) throws(RuntimeFailure) -> Int32 {
        let status = try attempt { () throws(SystemError) in try Files.readText("/proc/\(launch.pid)/status") }
        let line = status.split(separator: "\n").first { $0.hasPrefix("NSpid:") }
        return line?.split(whereSeparator: \.isWhitespace).last.flatMap { Int32($0) } ?? launch.pid
    }

    // Going on.

    private func runHooks(_ launch: SteeredLaunch) throws(RuntimeFailure) {
        let hooks = bundle.spec.hooks
        let state = state(launch)
        hasRunHooks = true
        try HookRun(stage: .prestart, state: state)(hooks[.prestart])
        try HookRun(stage: .createRuntime, state: state)(hooks[.createRuntime])
        guard !hooks[.createContainer].isEmpty else { return }
        // All of the child's namespaces at once.
        let kinds = Namespaces(rawValue: linux.namespaces.reduce(0) { $0 | $1.kind.cloneFlag }).subtracting(.time)
        let entry = SteeredLaunch.Entry(launch.pidfd.raw, kinds, name: "the container's namespaces")
        try HookRun(stage: .createContainer, state: state, entries: [entry])(hooks[.createContainer])
    }

    private func state(_ launch: SteeredLaunch) -> RuntimeState {
        RuntimeState(
            id: directory.id, status: .creating, pid: launch.pid, bundle: bundle.path,
            annotations: bundle.spec.annotations,
            root: bundle.rootPath)
    }

    /// The program's end of its terminal, until the program has it.
    private var terminalEnd: SharedFD?

    private func sendOn(_ launch: SteeredLaunch) throws(RuntimeFailure) {
        if let terminal, let terminalEnd {
            try spawning { () throws(SpawnError) in try launch.goOn(with: [terminalEnd.raw]) }
            if let socket = options.consoleSocket { try Console.send(terminal, to: socket) }
            self.terminalEnd = nil
        } else {
            try spawning { () throws(SpawnError) in try launch.goOn() }
        }
    }
}
