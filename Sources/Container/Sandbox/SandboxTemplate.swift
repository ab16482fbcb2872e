package import Linux
package import Spawn

/// A plan ready to be started: its program compiled, its static tree of mounts built once.
///
/// Lives in the keeper. Everything here is quick but `init`, which builds the tree in a child (a millisecond).
package final class SandboxTemplate {
    package let plan: SandboxPlan
    /// The cgroup controllers that hold each sandbox.
    package let controllers: CgroupControllers

    private let variant: SandboxProgram.Variant
    private let sources: RootSources
    /// The mount namespace with the static tree, where sandboxes share one.
    private let baseNamespace: SharedFD?
    private let ordinary: CompiledSandbox
    private var withTerminal: CompiledSandbox?
    /// For a network namespace that comes from the pool.
    private lazy var withPooledNetwork = CompiledSandbox(SandboxProgram(plan, variant, pooledNetwork: true))

    /// Compiles a plan for this machine.
    ///
    /// - Throws: `SpawnError` that names the step: a missing source, a root that cannot be used.
    package init(_ plan: SandboxPlan, hierarchy: CgroupHierarchy?) throws(SpawnError) {
        self.plan = plan
        let wanted = plan.limits.controllers
        var controllers: CgroupControllers = []
        if let hierarchy {
            try Self.spawning { () throws(SystemError) in try hierarchy.require(wanted) }
            controllers = wanted.union(CgroupControllers.accounting.intersection(hierarchy.available))
        } else if !wanted.isEmpty {
            throw SpawnError(
                step: "limit a sandbox", code: .notSupported,
                advice: "No cgroup hierarchy can be used here; run `forkless doctor`.")
        }
        self.controllers = controllers
        sources = try Self.spawning { () throws(SystemError) in try RootSources(plan) }
        let base: SandboxProgram.Base
        if !plan.namespaces.contains(.mount) {
            base = .none
        } else if plan.isBuiltPerStart {
            base = .built
        } else {
            base = .joined
        }
        let lastCapability = try Self.spawning { () throws(SystemError) in try Capabilities.lastOfKernel() }
        variant = SandboxProgram.Variant(
            base: base, sources: sources, joinCount: hierarchy?.joinCount(for: controllers) ?? 0, lastCapability: lastCapability)
        ordinary = CompiledSandbox(SandboxProgram(plan, variant))
        if case .joined = base {
            baseNamespace = try BaseNamespace.build(plan, sources)
        } else {
            baseNamespace = nil
        }
    }

    /// Starts a child that prepares itself up to its call.
    ///
    /// - Parameters:
    ///   - cgroup: where it will live; made with `controllers`.
    ///   - terminal: whether the call will bring a pseudo-terminal.
    ///   - network: a network namespace to join; nil: it makes one. Not with a terminal.
    ///   - terminalMount: the detached devpts that it belongs to, for a sandbox with mounts of its own.
    ///   - room: where it writes, by descriptor, for a plan with rooms.
    ///   - isNested: whether its pid namespace is made inside that of this thread's children, which is another sandbox's.
    package func startChild(
        in cgroup: Cgroup?, of hierarchy: CgroupHierarchy?, terminal: Bool = false, terminalMount: SharedFD? = nil,
        network: SharedFD? = nil, room: SharedFD? = nil, isNested: Bool = false
    ) throws(SpawnError) -> ParkedLaunch {
        precondition((room != nil) == (plan.rooms != nil), "a plan with rooms, and no other, starts in a room")
        let compiled = terminal ? terminalProgram() : network == nil ? ordinary : withPooledNetwork
        precondition(!(terminal && network != nil), "a terminal's sandbox makes its own network namespace")
        var filled: [(slot: Slot, descriptor: SharedFD)] = []
        if let terminalMount { filled.append((compiled.source.terminalMount, terminalMount)) }
        if let network { filled.append((compiled.source.network, network)) }
        if let room { filled.append((compiled.source.room, room)) }
        if let baseNamespace { filled.append((compiled.source.baseNamespace, baseNamespace)) }
        if case .built = variant.base {
            let trees = try Self.spawning { () throws(SystemError) in try sources.copyTrees(plan) }
            filled += zip(compiled.source.trees, trees).map { (slot: $0, descriptor: $1) }
        }
        let place = try CgroupPlace(cgroup, of: hierarchy)
        filled += zip(compiled.source.joins, place.entries).map { (slot: $0, descriptor: $1) }
        var launch = try ParkedLaunch(
            compiled.program, parkingAt: compiled.source.socket, filled: filled, cgroup: place.birth,
            isNested: isNested)
        guard plan.namespaces.contains(.user) else { return launch }
        do { try plan.identityMap.write(forChild: launch.pid) } catch {
            launch.abandon()
            throw SpawnError(error)
        }
        launch.identityMapped()
        return launch
    }

    private func terminalProgram() -> CompiledSandbox {
        if let withTerminal { return withTerminal }
        var variant = variant
        variant.terminal = true
        let compiled = CompiledSandbox(SandboxProgram(plan, variant))
        withTerminal = compiled
        return compiled
    }

    static func spawning<Result: ~Copyable>(
        _ body: () throws(SystemError) -> Result
    ) throws(SpawnError) -> Result {
        do { return try body() } catch { throw SpawnError(error) }
    }
}

/// How a child gets into its cgroup: born into the v2 part, writing itself into the v1 parts.
struct CgroupPlace {
    var entries: [SharedFD] = []
    var birth: SharedFD?

    init(_ cgroup: Cgroup?, of hierarchy: CgroupHierarchy?) throws(SpawnError) {
        guard let cgroup, let hierarchy else { return }
        entries = try SandboxTemplate.spawning { () throws(SystemError) in
            try hierarchy.joinDescriptors(of: cgroup).descriptors
        }
        birth = try SandboxTemplate.spawning { () throws(SystemError) -> SharedFD? in
            guard let directory = try hierarchy.placement(of: cgroup) else { return nil }
            return SharedFD(directory)
        }
    }
}

/// A program with its slots.
private struct CompiledSandbox {
    let source: SandboxProgram
    let program: CompiledProgram

    init(_ source: SandboxProgram) {
        self.source = source
        program = CompiledProgram(source.program)
    }
}

/// Building the static tree once, in a child with a mount namespace of its own.
private enum BaseNamespace {
    /// Longest time for it, milliseconds: mounting is quick unless a file system behind a bind hangs.
    static let timeoutMilliseconds: CInt = 30_000

    static func build(_ plan: SandboxPlan, _ sources: RootSources) throws(SpawnError) -> SharedFD {
        var program = StepProgram()
        let socket = program.slot()
        program.add(.unshareFiles(lowest: 3))
        program.add(.unshare(flags: Int32(truncatingIfNeeded: Namespaces.mount.rawValue)))
        var steps = RootSteps(program)
        steps.build(plan, sources: sources)
        program = steps.program
        program.add(.park(socket, first: socket, count: 0))
        let trees = try SandboxTemplate.spawning { () throws(SystemError) in try sources.copyTrees(plan) }
        var launch = try ParkedLaunch(
            CompiledProgram(program), parkingAt: socket,
            filled: zip(steps.trees, trees).map { (slot: $0, descriptor: $1) })
        let process = ProcessFD(adopting: launch.takePidfd())
        defer { reap(process) }
        return try take(&launch, process.fd.raw)
    }

    private static func take(_ launch: inout ParkedLaunch, _ pidfd: CInt) throws(SpawnError) -> SharedFD {
        let socket = launch.socket
        let pid = launch.pid
        // Its socket hangs up only when we let go of the other end, so a failure is learnt from the child's end.
        let arrived = try SandboxTemplate.spawning { () throws(SystemError) in
            try Descriptors.areAnyReadable([socket, pidfd], withinMilliseconds: timeoutMilliseconds)
        }
        guard arrived else { throw SpawnError(step: "build the root file system", code: .timedOut) }
        try launch.confirmParked()
        return try SandboxTemplate.spawning { () throws(SystemError) in
            SharedFD(try Files.open("/proc/\(pid)/ns/mnt", 0))
        }
    }

    /// The builder has nothing more to do; it is ended rather than waited for.
    private static func reap(_ process: borrowing ProcessFD) {
        try? process.signal(Signal.kill)
        _ = try? process.reapBlocking()
    }
}

extension SandboxPlan {
    /// Whether each start builds its own tree of mounts: in a user namespace nobody may copy another's tree, and a
    /// temporary layer, a room or a /dev that can be written must not be shared.
    var isBuiltPerStart: Bool {
        if namespaces.contains(.user) || isPrivileged { return true }
        switch root {
        case .overlay(_, .temporary), .overlay(_, .room): return true
        default: return false
        }
    }
}

extension CgroupHierarchy {
    /// How many cgroup v1 hierarchies a child with these controllers writes itself into.
    package func joinCount(for controllers: CgroupControllers) -> Int {
        branches(for: controllers).filter { $0.version == .v1 }.count
    }
}

extension CgroupControllers {
    /// What every sandbox is counted by, where the machine offers it.
    static let accounting: CgroupControllers = [.memory, .pids, .cpuAccounting]
}

extension IdentityMap {
    /// Writes the maps of a child that waits for them, user_namespaces(7).
    func write(forChild pid: Int32) throws(SystemError) {
        try Files.writeText("0 \(firstUserOutside) \(count)\n", to: "/proc/\(pid)/uid_map")
        try Files.writeText("0 \(firstGroupOutside) \(count)\n", to: "/proc/\(pid)/gid_map")
    }
}
