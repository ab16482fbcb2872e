import Linux
import OCI
import RuntimeCgroups
import Spawn

/// Starts a process in a container that runs: born into all of its namespaces and its cgroups, then turned into what is
/// asked for.
///
/// Invariants
/// 1. A process that joins gets a session keyring of its own where the container's first one did: the caller's is not
///    the container's. (test: `a process that joins has not the caller's keyring`)
/// 2. Its terminal is its user's. (test: `the terminal of a process that joins is its user's`)
final class Joining {
    private let record: ContainerRecord
    private let spec: RuntimeSpec
    private let process: ProcessSpec
    /// Descriptors from 3 on that the program gets.
    private let preserved: Int
    /// Whether the container was made without a keyring of its own.
    private let keepsKeyring: Bool
    private let hook: Hook?
    private let report: Report
    private var filter: ProcessSteps.Filter?
    /// The master of the process's terminal.
    private(set) var terminal: SharedFD?

    /// What is different where the program is a hook: its file is given, and so are its streams.
    struct Hook {
        var path: String
        var input: SharedFD
        var output: SharedFD
    }

    init(
        _ record: ContainerRecord, _ spec: RuntimeSpec, _ process: ProcessSpec, preserved: Int, keepsKeyring: Bool,
        hook: Hook? = nil, report: Report
    ) {
        self.report = report
        self.record = record
        self.spec = spec
        self.process = process
        self.preserved = preserved
        self.keepsKeyring = keepsKeyring
        self.hook = hook
    }

    /// Returns when the program has begun.
    func start() throws(RuntimeFailure) -> SteeredLaunch {
        let target = try attempt { () throws(SystemError) in
            let target = try ProcessFD(pid: record.pid).shared()
            // Only now is the number surely its own.
            guard ProcessIdentity.startTicks(of: record.pid) == record.startTicks else {
                throw SystemError("join", "the container", code: .noProcess)
            }
            return target
        }
        let root = try attempt { () throws(SystemError) in
            SharedFD(try Files.open("/proc/\(record.pid)/root", 0o10_200_000))
        }
        let path = try path(inRoot: root)
        let hasUser = Namespaces(rawValue: record.namespaces).contains(.user)
        let cgroup = try attempt("join the container's cgroup") { () throws(SystemError) in
            try RuntimeCgroup(recorded: record.cgroups).opened(beside: record.pid)
        }
        let program = try compile(cgroup, hasUser: hasUser)
        let launch = try begin(program, target, root, cgroup, path, hasUser: hasUser)
        do throws(RuntimeFailure) {
            _ = try spawning { () throws(SpawnError) in try launch.awaitWord() }
            try settle(launch, cgroup, hasUser: hasUser)
            try spawning { () throws(SpawnError) in
                try launch.goOn()
            }
            if let seccomp = spec.linux.seccomp, filter?.hasListener == true {
                let state = RuntimeState(
                    id: record.id, status: hook == nil ? .running : .created, pid: record.pid, bundle: record.bundle,
                    annotations: spec.annotations,
                    root: record.root)
                try SeccompListening.handOver(from: launch, seccomp, state)
            }
            try spawning { () throws(SpawnError) in try launch.awaitProgram() }
        } catch {
            launch.abandon()
            throw error
        }
        return launch
    }

    private func path(inRoot root: SharedFD) throws(RuntimeFailure) -> String {
        if let hook { return hook.path }
        return try ProgramSearch.find(
            process.arguments[0], environment: process.environment, directory: process.workingDirectory,
            inRoot: root.raw)
    }

    /// That of a hook is as it is written.
    private func environment(inRoot root: SharedFD) -> [String] {
        if hook != nil { return process.environment }
        return HomeDirectory.environment(process.environment, uid: process.user.uid, inRoot: root.raw)
    }

    private func compile(_ cgroup: RuntimeCgroup, hasUser: Bool) throws(RuntimeFailure) -> ExecProgram {
        filter = try SeccompListening.filter(spec.linux.seccomp, report: report)
        var granted = process
        if !hasUser { granted = try GrantedCapabilities.cut(process, report: report) }
        var steps = ProcessSteps(
            process: granted, filter: filter, preserved: preserved, isKeyringNew: !keepsKeyring,
            lastCapability: try attempt { () throws(SystemError) in try Capabilities.lastOfKernel() },
            memoryPolicy: try spec.linux.memoryPolicy.map { policy throws(RuntimeFailure) in try IndexMask.step(policy)
            },
            affinity: try mask(process.execAffinity?.final, "final"), areGroupsFixed: IDMaps.areGroupsFixed)
        steps.keepsProcessors = process.execAffinity?.initial != nil
        return ExecProgram(
            steps, joinCount: cgroup.joins.count, hasUserNamespace: hasUser, isRootChanged: record.isRootChanged,
            isLabelled: process.apparmorProfile != nil || process.selinuxLabel != nil,
            affinity: try mask(process.execAffinity?.initial, "initial"),
            personality: spec.linux.personality.map { UInt32($0.domain.number) }, isHook: hook != nil)
    }

    private func mask(_ list: String?, _ field: String) throws(RuntimeFailure) -> [UInt8]? {
        try list.map { list throws(RuntimeFailure) in try IndexMask.bytes(list, field: "execCPUAffinity.\(field)") }
    }

    private func begin(
        _ program: ExecProgram, _ target: SharedFD, _ root: SharedFD, _ cgroup: RuntimeCgroup, _ path: String,
        hasUser: Bool
    ) throws(RuntimeFailure) -> SteeredLaunch {
        var filled = zip(program.joins, cgroup.joins).map { (slot: $0, descriptor: $1) }
        if let slot = program.root { filled.append((slot, root)) }
        if let streams = program.streams, let hook {
            filled.append((streams.input, hook.input))
            filled.append((streams.output, hook.output))
        }
        if let slot = program.terminal {
            let pair = try attempt("make a terminal") { () throws(SystemError) in
                try makeTerminal(root, owner: try outsideUser(hasUser: hasUser))
            }
            terminal = pair.master
            filled.append((slot, pair.program))
        }
        let call = ProgramCall(
            path: path, arguments: StringBlock(process.arguments),
            environment: StringBlock(environment(inRoot: root)))
        let kinds = Namespaces(rawValue: record.namespaces)
        let entry = SteeredLaunch.Entry(target.raw, kinds.subtracting(.time), name: "the container's namespaces")
        let time =
            kinds.contains(.time)
            ? try attempt { () throws(SystemError) in SharedFD(try Files.open("/proc/\(record.pid)/ns/time", 0)) } : nil
        defer { withExtendedLifetime((target, root)) {} }
        return try JoinedNamespaces(time: time).around { () throws(RuntimeFailure) in
            try spawning { () throws(SpawnError) in
                try SteeredLaunch(
                    program.steps, call: call, parkingAt: program.socket, filled: filled,
                    cgroup: hasUser ? -1 : cgroup.birth?.raw ?? -1, entering: [entry])
            }
        }
    }

    /// Who the user is outside of the container's user namespace, where we make what is his.
    private func outsideUser(hasUser: Bool) throws(SystemError) -> UInt32 {
        var ids = OutsideIDs(spec.linux)
        if hasUser { ids.uid = try IDMaps.read("/proc/\(record.pid)/uid_map") }
        return ids.user(process.user.uid)
    }

    private func makeTerminal(
        _ root: SharedFD, owner: UInt32
    ) throws(SystemError) -> (master: SharedFD, program: SharedFD) {
        var pair = try Terminal.open(inRoot: root.raw)
        let (master, program) = (SharedFD(pair.takeMaster()), SharedFD(pair.takeProgram()))
        if let size = process.consoleSize {
            try Terminal.setSize(
                Terminal.Size(rows: UInt16(clamping: size.height), columns: UInt16(clamping: size.width)),
                of: master.raw)
        }
        let status = try Files.status(of: program.raw, name: "the terminal")
        if status.owner != owner {
            try FileEntries.setOwner(owner, status.group, of: program.raw, name: "the terminal")
        }
        return (master, program)
    }

    private func settle(_ launch: SteeredLaunch, _ cgroup: RuntimeCgroup, hasUser: Bool) throws(RuntimeFailure) {
        try attempt { () throws(SystemError) in
            if hasUser, let birth = cgroup.birth {
                try Files.writeText("\(launch.pid)", to: "cgroup.procs", at: birth.raw)
            }
            if hasUser { try RaisedLimits.raise(process.limits, of: launch.pid) }
            if let adjustment = process.oomScoreAdjustment {
                try Files.writeText("\(adjustment)", to: "/proc/\(launch.pid)/oom_score_adj")
            }
        }
    }
}
