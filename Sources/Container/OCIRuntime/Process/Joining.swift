import Linux
import OCI
import RuntimeCgroups
import Spawn

/// Starts a process in a container that runs: born into all of its namespaces and its cgroups, then turned into what is
/// asked for.
final class Joining {
    private let record: ContainerRecord
    private let spec: RuntimeSpec
    private let process: ProcessSpec
    private let executing: Command.Executing
    private let report: Report
    private var filter: ProcessSteps.Filter?
    /// The master of the process's terminal.
    private(set) var terminal: SharedFD?

    init(
        _ record: ContainerRecord, _ spec: RuntimeSpec, _ process: ProcessSpec, _ executing: Command.Executing,
        report: Report
    ) {
        self.report = report
        self.record = record
        self.spec = spec
        self.process = process
        self.executing = executing
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
        let path = try ProgramSearch.find(
            process.arguments[0], environment: process.environment, directory: process.workingDirectory,
            inRoot: root.raw)
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
                    id: record.id, status: .running, pid: record.pid, bundle: record.bundle,
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

    private func compile(_ cgroup: RuntimeCgroup, hasUser: Bool) throws(RuntimeFailure) -> ExecProgram {
        filter = try SeccompListening.filter(spec.linux.seccomp, report: report)
        let steps = ProcessSteps(
            process: process, filter: filter, preserved: executing.preservedDescriptors, isKeyringNew: false,
            lastCapability: try attempt { () throws(SystemError) in try Capabilities.lastOfKernel() },
            memoryPolicy: try spec.linux.memoryPolicy.map { policy throws(RuntimeFailure) in try IndexMask.step(policy)
            },
            affinity: try mask(process.execAffinity?.final, "final"), areGroupsFixed: IDMaps.areGroupsFixed)
        return ExecProgram(
            steps, joinCount: cgroup.joins.count, hasUserNamespace: hasUser, isRootChanged: record.isRootChanged,
            isLabelled: process.apparmorProfile != nil || process.selinuxLabel != nil,
            affinity: try mask(process.execAffinity?.initial, "initial"))
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
        if let slot = program.terminal {
            let pair = try attempt("make a terminal") { () throws(SystemError) in try makeTerminal(root) }
            terminal = pair.master
            filled.append((slot, pair.program))
        }
        let call = ProgramCall(
            path: path, arguments: StringBlock(process.arguments),
            environment: StringBlock(
                HomeDirectory.environment(process.environment, uid: process.user.uid, inRoot: root.raw)))
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

    private func makeTerminal(_ root: SharedFD) throws(SystemError) -> (master: SharedFD, program: SharedFD) {
        var pair = try Terminal.open(inRoot: root.raw)
        let (master, program) = (SharedFD(pair.takeMaster()), SharedFD(pair.takeProgram()))
        if let size = process.consoleSize {
            try Terminal.setSize(
                Terminal.Size(rows: UInt16(clamping: size.height), columns: UInt16(clamping: size.width)),
                of: master.raw)
        }
        return (master, program)
    }

    private func settle(_ launch: SteeredLaunch, _ cgroup: RuntimeCgroup, hasUser: Bool) throws(RuntimeFailure) {
        try attempt { () throws(SystemError) in
            if hasUser, let birth = cgroup.birth {
                try Files.writeText("\(launch.pid)", to: "cgroup.procs", at: birth.raw)
            }
            if let adjustment = process.oomScoreAdjustment {
                try Files.writeText("\(adjustment)", to: "/proc/\(launch.pid)/oom_score_adj")
            }
        }
    }
}
