import Linux
package import Spawn

/// A plan as a step program: pure, so that what a sandbox will do can be read and tested without root.
///
/// A child goes through the preparation and waits; what differs per call comes after.
/// Invariants
/// 1. Nothing slow stands after the wait, and nothing that depends on the call before it.
/// 2. Cgroups are joined before anything is charged, and the cgroup namespace is made after, so that its root is
///    the sandbox's own group. (test: `a sandbox sees its own cgroup as the root`)
/// 3. Credentials change in the order groups, group, user; the death signal comes after, since a change of
///    credentials clears it (prctl(2)); the filter is last, so that no step needs to be allowed by it.
///    (test: `steps after the wait are in the order that the kernel demands`)
package struct SandboxProgram: Sendable {
    /// Where the mounts of a child come from.
    enum Base: Sendable {
        /// A mount namespace that was built once for the plan; the child copies it.
        case joined
        /// The child builds its own: an identity-mapped sandbox, or a root that keeps what is written.
        case built
        /// The machine's, unchanged.
        case none
    }

    /// What differs between the programs of one plan.
    struct Variant: Sendable {
        var base: Base
        /// What the machine has of what the plan names.
        var sources: RootSources
        /// How many cgroup v1 hierarchies the child writes itself into.
        var joinCount: Int
        /// A pseudo-terminal: its file system comes as a detached mount, and the program gets it as controlling terminal.
        var terminal = false
        /// The highest capability that the kernel knows.
        var lastCapability: Int
    }

    package private(set) var program = StepProgram()
    /// The socket on which the child waits.
    package let socket: Slot
    /// The built mount namespace, for `.joined`.
    let baseNamespace: Slot
    /// A network namespace: from the pool, or given by the call (then it follows the streams).
    let network: Slot
    /// An IPC namespace given by the call: it follows the streams, and the network where that is given, too.
    let ipc: Slot
    /// The room's directory.
    let room: Slot
    /// The devpts mount of a terminal.
    let terminalMount: Slot
    /// Files of cgroup v1 hierarchies into which the child writes itself.
    let joins: [Slot]
    /// Standard input, output and error, filled by the call; their indices follow one another.
    let streams: [Slot]
    /// Trees that a child which builds its own mounts attaches.
    private(set) var trees: [Slot] = []
    /// What the machine has of what the plan names.
    private var sources = RootSources()
    /// What masks cover with, for those that come after the wait.
    private var masks: PrivateMounts?

    init(_ plan: SandboxPlan, _ variant: Variant, pooledNetwork: Bool = false) {
        var program = StepProgram()
        socket = program.slot()
        baseNamespace = program.slot()
        room = program.slot()
        terminalMount = program.slot()
        joins = (0..<variant.joinCount).map { _ in program.slot() }
        streams = (0..<3).map { _ in program.slot() }
        network = program.slot()
        ipc = plan.network == .given ? program.slot() : network
        program.cloneFlags = plan.namespaces.intersection([.pid, .user]).rawValue
        self.program = program
        prepare(plan, variant, pooledNetwork: pooledNetwork)
        self.program.add(.park(socket, first: streams[0], count: streams.count + plan.givenCount))
        if plan.isIPCGiven { enterGivenIPC(plan) }
        if plan.network == .given { enterGivenNetwork(plan) }
        finish(plan, terminal: variant.terminal)
    }

    /// The program of a child that enters the namespaces of a sandbox which runs, but for the pid namespace, into
    /// which it was born.
    init(entering plan: SandboxPlan, joinCount: Int, terminal: Bool) {
        var program = StepProgram()
        socket = program.slot()
        baseNamespace = program.slot()
        network = program.slot()
        ipc = program.slot()
        room = program.slot()
        terminalMount = program.slot()
        joins = (0..<joinCount).map { _ in program.slot() }
        streams = (0..<3).map { _ in program.slot() }
        self.program = program
        self.program.add(.unshareFiles(lowest: 3))
        joinCgroups()
        self.program.add(.setSession)
        var entered = plan.namespaces.subtracting(.pid)
        if plan.network == .given { entered.insert(.network) }
        if plan.isIPCGiven { entered.insert(.ipc) }
        if !entered.isEmpty {
            self.program.add(.joinNamespaces(baseNamespace, flags: Self.bits(entered), optional: false))
        }
        self.program.add(.umask(plan.umask))
        limit(plan, openFiles: false)
        if !plan.namespaces.isEmpty {
            self.program.add(.newKeyring)
            self.program.add(.dropBounding(keeping: plan.bounding, last: Capabilities.lastKnown))
        }
        self.program.add(.park(socket, first: streams[0], count: streams.count))
        finish(plan, terminal: terminal)
    }

    private mutating func joinCgroups() {
        for join in joins { program.add(.write([UInt8(ascii: "0")], to: join, meaning: "itself into its cgroup")) }
    }

    // Before the wait.

    private mutating func prepare(_ plan: SandboxPlan, _ variant: Variant, pooledNetwork: Bool) {
        program.add(.unshareFiles(lowest: 3))
        joinCgroups()
        if plan.namespaces.contains(.user) { becomeInnerRoot() }
        program.add(.setSession)
        enterMounts(plan, variant)
        if plan.namespaces.contains(.network) { enterNetwork(pooled: pooledNetwork) }
        if let hostname = plan.hostname, plan.namespaces.contains(.uts) { program.add(.hostname(hostname)) }
        if plan.namespaces.contains(.mount) { mountPrivate(plan, variant) }
        program.add(.umask(plan.umask))
        limit(plan, openFiles: false)
        if let nice = plan.niceValue { program.add(.priority(nice)) }
        if !plan.namespaces.isEmpty {
            program.add(.newKeyring)
            program.add(.dropBounding(keeping: plan.bounding, last: variant.lastCapability))
        }
    }

    /// The limit on open files would already bind the child's own, which are more than the program's: it comes last.
    private mutating func limit(_ plan: SandboxPlan, openFiles: Bool) {
        for limit in plan.resourceLimits where (limit.resource == .openFiles) == openFiles { program.add(.limit(limit)) }
    }

    /// Raising the hard limit on open files takes rights that are gone later; one that leaves the child room for its
    /// own is raised while they are there.
    private mutating func raiseOpenFiles(_ plan: SandboxPlan) {
        for limit in plan.resourceLimits where limit.resource == .openFiles && limit.hard ?? .max >= 1024 {
            program.add(.limit(ResourceLimit(.openFiles, soft: limit.hard, hard: limit.hard)))
        }
    }

    /// In a new user namespace we are nobody until we take an id that its map knows.
    private mutating func becomeInnerRoot() {
        program.add(.awaitGo)
        program.add(.gid(0))
        program.add(.uid(0))
    }

    private mutating func enterMounts(_ plan: SandboxPlan, _ variant: Variant) {
        if case .joined = variant.base {
            program.add(.joinNamespaces(baseNamespace, flags: Self.bits(.mount), optional: false))
        }
        let fresh = plan.namespaces.subtracting([.pid, .user, .network])
        // The working directory follows into the new namespace, where alone an overlay takes it for a layer.
        if plan.rooms != nil { program.add(.changeDirectoryTo(room), as: "enter the sandbox's room") }
        if !fresh.isEmpty { program.add(.unshare(flags: Self.bits(fresh))) }
        if case .built = variant.base {
            var steps = RootSteps(program)
            steps.build(plan, sources: variant.sources)
            program = steps.program
            trees = steps.trees
        }
    }

    private mutating func enterNetwork(pooled: Bool) {
        if pooled {
            program.add(.joinNamespaces(network, flags: Self.bits(.network), optional: false))
        } else {
            program.add(.unshare(flags: Self.bits(.network)))
            program.add(.loopbackUp)
        }
    }

    /// What every sandbox gets anew, over the static tree.
    private mutating func mountPrivate(_ plan: SandboxPlan, _ variant: Variant) {
        sources = variant.sources
        var steps = PrivateMounts(program)
        if !plan.maskedPaths.isEmpty { steps.prepareMasks() }
        steps.mount("proc", [], at: "proc", [.noSetuid, .noDevices, .noExecute])
        // A sysfs shows the network in which it is mounted: a given one is entered after the wait.
        if plan.showsSysfs, plan.network != .given {
            steps.mountSysfs(isReadOnly: !plan.isPrivileged)
            steps.moveStowed(of: plan, below: "sys", sources)
        }
        if let bytes = plan.temporaryBytes {
            steps.mount("tmpfs", ["mode=1777", "size=\(bytes)"], at: "tmp", [.noSetuid, .noDevices])
            steps.moveStowed(of: plan, below: "tmp", sources)
        }
        if !plan.bringsSharedMemory {
            steps.mount(
                "tmpfs", ["mode=1777", "size=\(plan.sharedMemoryBytes)"], at: "dev/shm", [.noSetuid, .noDevices, .noExecute])
        }
        // Of the machine's IPC namespace only who has rights over it may show the queues.
        if plan.namespaces.contains(.ipc) || !plan.isIPCGiven && !plan.namespaces.contains(.user) {
            steps.mount("mqueue", [], at: "dev/mqueue", [.noSetuid, .noDevices, .noExecute])
        }
        if variant.terminal {
            steps.attach(terminalMount, at: "dev/pts")
        } else {
            steps.mount("devpts", Self.terminalOptions, at: "dev/pts", [.noSetuid, .noExecute])
        }
        for path in plan.maskedPaths where !plan.isMaskedLater(path) { steps.mask(path) }
        program = steps.program
        masks = steps
        for path in plan.readOnlyPaths { program.add(.readOnlyPath(path)) }
    }

    /// Options of a sandbox's own devpts instance.
    static let terminalOptions = ["newinstance", "ptmxmode=0666", "mode=0620"]

    // After the wait.

    /// The IPC namespace of this call, and the queues that it has.
    private mutating func enterGivenIPC(_ plan: SandboxPlan) {
        program.add(.joinNamespaces(ipc, flags: Self.bits(.ipc), optional: false), as: "join the given IPC namespace")
        guard plan.namespaces.contains(.mount) else { return }
        var steps = masks ?? PrivateMounts(program)
        steps.program = program
        steps.mount("mqueue", [], at: "dev/mqueue", [.noSetuid, .noDevices, .noExecute])
        program = steps.program
    }

    /// The network of this call, and what shows it.
    private mutating func enterGivenNetwork(_ plan: SandboxPlan) {
        program.add(.joinNamespaces(network, flags: Self.bits(.network), optional: false), as: "join the given network")
        guard plan.showsSysfs, plan.namespaces.contains(.mount), var steps = masks else { return }
        steps.program = program
        steps.mountSysfs(isReadOnly: !plan.isPrivileged)
        steps.moveStowed(of: plan, below: "sys", sources)
        for path in plan.maskedPaths where plan.isMaskedLater(path) { steps.mask(path) }
        program = steps.program
    }

    private mutating func finish(_ plan: SandboxPlan, terminal: Bool) {
        for (number, stream) in streams.enumerated() { program.add(.duplicate(stream, to: CInt(number))) }
        if terminal { program.add(.controllingTerminal(streams[0])) }
        if plan.namespaces.contains(.uts) { program.add(.hostname(nil)) }
        program.add(.closeFrom(3))
        raiseOpenFiles(plan)
        let isolated = !plan.namespaces.isEmpty
        // Without "no new privileges" a filter needs CAP_SYS_ADMIN to load, so it comes before the credentials.
        if !plan.noNewPrivileges, !plan.systemCallFilter.isEmpty { program.add(.seccomp(plan.systemCallFilter)) }
        becomeUser(plan.identity, plan.capabilities, isolated: isolated)
        program.add(.deathSignal(Signal.kill, parent: 0))
        if plan.noNewPrivileges { program.add(.noNewPrivileges) }
        for directory in [plan.directory, nil] {
            program.add(
                plan.namespaces.contains(.mount) ? .changeDirectoryInside(directory) : .changeDirectory(directory))
        }
        // Entering a directory without links of /proc takes a descriptor.
        limit(plan, openFiles: true)
        // CLONE_CLEAR_SIGHAND has reset the handlers; the keeper ignores nothing but SIGPIPE.
        program.add(.signalsToDefault(Signal.mask([Signal.pipe]), ignored: plan.ignoredSignals))
        program.add(.signalMask(plan.blockedSignals))
        if plan.noNewPrivileges, !plan.systemCallFilter.isEmpty { program.add(.seccomp(plan.systemCallFilter)) }
        program.add(.execute(nil))
    }

    private mutating func becomeUser(_ identity: Users.Identity, _ capabilities: Capabilities, isolated: Bool) {
        let keeps = identity.uid != 0 && !capabilities.isEmpty
        if keeps { program.add(.keepCapabilities(true)) }
        program.add(.groups(identity.groups))
        program.add(.gid(identity.gid))
        program.add(.uid(identity.uid))
        guard isolated else { return }
        program.add(.capabilities(effective: capabilities, permitted: capabilities, inheritable: keeps ? capabilities : []))
        if keeps { program.add(.ambient(capabilities)) }
    }

    private static func bits(_ namespaces: Namespaces) -> Int32 { Int32(truncatingIfNeeded: namespaces.rawValue) }
}

extension SandboxPlan {
    /// How many namespaces come with a start, by descriptor: the network's, then that of IPC.
    package var givenCount: Int { (network == .given ? 1 : 0) + (isIPCGiven ? 1 : 0) }

    /// Whether a declared mount takes the place of the private /dev/shm: memory that several sandboxes share.
    var bringsSharedMemory: Bool {
        mounts.contains { $0.target.split(separator: "/").filter { $0 != "." } == ["dev", "shm"] }
    }

    /// Whether a masked path is in a sysfs that is mounted only when the network has come.
    fileprivate func isMaskedLater(_ path: String) -> Bool {
        network == .given && showsSysfs && path.hasPrefix("/sys/")
    }
}
