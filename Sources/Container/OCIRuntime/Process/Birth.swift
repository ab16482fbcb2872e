import Linux
import OCI
import RuntimeCgroups
import Spawn

/// The birth of a container's first process: which program of steps it goes through, in which namespaces and which cgroup
/// it comes to the world, and which namespaces it makes itself.
struct Birth {
    private let spec: RuntimeSpec
    private let mounts: [MountPlan]
    private let plan: Creation.Plan
    private let report: Report
    /// The compiled filter of its system calls.
    let filter: ProcessSteps.Filter?
    /// Whether the child is born before most of its cgroups are made, and makes meanwhile the namespaces that take the
    /// kernel long: a network namespace takes about as long as the cgroups.
    let isEarly: Bool

    private var linux: LinuxSpec { spec.linux }

    init(
        _ spec: RuntimeSpec, _ mounts: [MountPlan], _ plan: Creation.Plan, isRootless: Bool, report: Report
    ) throws(RuntimeFailure) {
        self.spec = spec
        self.mounts = mounts
        self.plan = plan
        self.report = report
        isEarly =
            spec.linux.hasNew(.network) && spec.linux.namespace(.user) == nil && !plan.cgroups.usesSystemd
            && !isRootless
        filter = try SeccompListening.filter(spec.linux.seccomp, report: report)
    }

    /// pivot_root(2) moves everybody in a mount namespace, so one that is shared is left alone.
    var isRootChanged: Bool { plan.options.noPivot || !linux.hasNew(.mount) }

    /// Those that it makes itself where it is born early.
    private var ownNamespaces: Namespaces {
        guard isEarly else { return [] }
        return [NamespaceSpec.Kind.mount, .network, .ipc, .uts].reduce(into: Namespaces(rawValue: 0)) { made, kind in
            if linux.hasNew(kind) { made = Namespaces(rawValue: made.rawValue | kind.cloneFlag) }
        }
    }

    /// - Parameter joinCount: in how many cgroups it has to write itself.
    func program(joinCount: Int, _ layout: RuntimeCgroupLayout) throws(RuntimeFailure) -> InitProgram {
        var process = spec.process!
        if linux.namespace(.user) == nil { process = try GrantedCapabilities.cut(process, report: report) }
        let steps = ProcessSteps(
            process: process, filter: filter, preserved: plan.options.preservedDescriptors,
            isKeyringNew: !plan.options.noNewKeyring,
            lastCapability: try attempt { () throws(SystemError) in try Capabilities.lastOfKernel() },
            memoryPolicy: try linux.memoryPolicy.map { policy throws(RuntimeFailure) in try IndexMask.step(policy) },
            areGroupsFixed: IDMaps.areGroupsFixed)
        let showsLegacy = mounts.contains { $0.kind == .legacyCgroups } && linux.hasNew(.cgroup)
        return InitProgram(
            InitProgram.Plan(
                spec: spec, mounts: mounts, legacyHierarchies: showsLegacy ? layout.legacy.map(\.controllers) : [],
                joinCount: joinCount, awaitsStart: plan.awaitsStart,
                stopsForHooks: !plan.awaitsStart && !spec.hooks[.startContainer].isEmpty,
                isRootChanged: isRootChanged, ownNamespaces: ownNamespaces),
            steps)
    }

    /// - Parameter doors: those on which it waits for its start.
    func launch(
        _ program: InitProgram, _ sources: MountSources, _ doors: (start: SharedFD, report: SharedFD)?,
        _ cgroup: RuntimeCgroup?
    ) throws(RuntimeFailure) -> SteeredLaunch {
        var steps = program.steps
        let made = NamespaceSpec.Kind.allCases.filter { linux.hasNew($0) && ![.cgroup, .time].contains($0) }
        steps.cloneFlags = made.reduce(0) { $0 | $1.cloneFlag } & ~ownNamespaces.rawValue
        let joined = try JoinedNamespaces(linux)
        var filled = [(slot: program.root, descriptor: sources.root)]
        filled += zip(program.joins, cgroup?.joins ?? []).map { (slot: $0, descriptor: $1) }
        if let doors { filled += [(program.startDoor!, doors.start), (program.reportDoor!, doors.report)] }
        // Its path is found when the root stands; what is executed is replaced then.
        let call = ProgramCall(path: "", arguments: [], environment: [])
        return try joined.around { () throws(RuntimeFailure) in
            try spawning { () throws(SpawnError) in
                try SteeredLaunch(
                    steps, call: call, parkingAt: program.socket, filled: filled,
                    cgroup: joined.hasUser ? -1 : cgroup?.birth?.raw ?? -1,
                    entering: joined.entries)
            }
        }
    }
}
